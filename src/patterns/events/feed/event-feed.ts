import type { WatchStore } from '../../../core/store.ts';
import type { Database, RepositoryOf } from '../../../repositories/index.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import { HeadEntity, SlotEntity, type SlotRecord, streamRecord } from '../records.ts';
import type { StreamId } from '../stream-id.ts';
import { isWatched } from '../subscriptions/records.ts';
import type { Tails } from '../tails.ts';
import type { FeedSlot, FeedSource, Place } from './feed-source.ts';
import type { FeedStore } from './feed-store.ts';

/** Streams in one call of the store. */
const PAGE = 250;

/** What slots hold, as readers get it. */
export type OpenSlots = (
  stream: StreamId,
  slots: readonly SlotRecord[],
  signal: AbortSignal | undefined,
) => Promise<RecordedEvent[]>;

/** The streams of an event store, as subscriptions read them. Every stream has a head before it has a slot. */
export class EventFeed implements FeedSource {
  /** What is told are slots: heads follow from time to time only. */
  readonly changes: FeedSource['changes'];
  readonly #store: string;
  readonly #heads: RepositoryOf<typeof HeadEntity, FeedStore>;
  readonly #slots: RepositoryOf<typeof SlotEntity, FeedStore>;
  readonly #tails: Tails;
  readonly #open: OpenSlots;

  constructor(db: Database<FeedStore>, store: string, tails: Tails, open: OpenSlots) {
    this.#store = store;
    this.#heads = db.repo(HeadEntity);
    this.#slots = db.repo(SlotEntity);
    this.#tails = tails;
    this.#open = open;
    this.changes = isWatched(db) ? (signal) => this.#changes(db, signal) : undefined;
  }

  async *streams(
    categories: ReadonlySet<string> | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly StreamId[], void> {
    let cursor: string | undefined;
    do {
      const page = await this.#heads.list({ limit: PAGE, cursor, signal });
      const streams = page.items
        .filter(({ store, category }) => store === this.#store && (categories?.has(category) ?? true))
        .map(({ category, stream }) => ({ category, id: stream }));
      if (streams.length > 0) yield streams;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  async after(stream: StreamId, slot: number, limit: number, signal: AbortSignal): Promise<FeedSlot[]> {
    const slots = await this.#tails.slotsAfter(stream, slot, limit, signal);
    const events = await this.#open(stream, slots, signal);
    let at = 0;
    return slots.map(({ slot, events: { length } }) => {
      at += length;
      return { slot, events: events.slice(at - length, at) };
    });
  }

  async goesOn(places: readonly { stream: StreamId; slot: number }[], signal: AbortSignal): Promise<boolean[]> {
    const ids = places.map(({ stream, slot }) => ({ ...streamRecord(this.#store, stream), slot: slot + 1 }));
    return (await this.#slots.getMany(ids, { signal })).map((slot) => slot !== undefined);
  }

  async end(stream: StreamId, signal: AbortSignal): Promise<Place> {
    const { slot, version } = await this.#tails.find(stream, signal);
    return { slot, version: BigInt(version) };
  }

  async *#changes(
    db: Database<FeedStore & WatchStore>,
    signal: AbortSignal,
  ): AsyncGenerator<StreamId | undefined, void> {
    for await (const change of db.repo(SlotEntity).watch({ signal })) {
      // Where it begins, or has missed something.
      if (change.type === 'start') yield undefined;
      else if (change.type === 'put' && change.id.store === this.#store) {
        yield { category: change.id.category, id: change.id.stream };
      }
    }
  }
}
