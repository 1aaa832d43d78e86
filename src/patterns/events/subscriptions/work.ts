import type { Place } from '../feed/feed-source.ts';
import { partitionOf, streamKey } from '../feed/stream-key.ts';
import type { StreamId } from '../stream-id.ts';
import type { SubscriptionParts } from './parts.ts';

/** A stream with its key. */
export interface Found {
  readonly stream: StreamId;
  readonly key: string;
}

/** The streams of some partitions, page by page, each with how far the subscription has come in it. */
export async function* placesOf(
  { source, cursors, categories }: Pick<SubscriptionParts, 'source' | 'cursors' | 'categories'>,
  isMine: (key: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<readonly (Found & { readonly place: Place | undefined })[], void> {
  for await (const streams of source.streams(categories, signal)) {
    const mine = streams.map((stream) => ({ stream, key: streamKey(stream) })).filter(({ key }) => isMine(key));
    const places = await cursors.getMany(
      mine.map(({ key }) => key),
      signal,
    );
    yield mine.map((found, at) => ({ ...found, place: places[at] }));
  }
}

/** Whether a stream is of one partition. */
export function isOf(partition: number, partitions: number): (key: string) => boolean {
  return (key) => partitionOf(key, partitions) === partition;
}

/** Streams of a partition that hold events which were not handled yet. */
export async function* unhandled(
  parts: SubscriptionParts,
  isMine: (key: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Found, void> {
  for await (const page of placesOf(parts, isMine, signal)) {
    const goOn = await parts.source.goesOn(
      page.map(({ stream, place }) => ({ stream, slot: place?.slot ?? 0 })),
      signal,
    );
    for (const [at, found] of page.entries()) if (goOn[at]) yield found;
  }
}
