import { NorimakiError } from '../../../core/errors.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import type { Projected } from './projected-record.ts';

/** Some events of one stream, in order, and the worker that they come through. */
export interface Batch {
  readonly events: readonly RecordedEvent[];
  /** The stream. */
  readonly key: string;
  readonly partition: number;
  readonly fence: bigint;
}

/** Streams that a view remembers of a partition, beyond which it forgets those whose events cannot come again. */
const MAX_STREAMS = 32;

/** Of these streams, up to which event the projection as a whole has come for good. */
export type SettledUpTo = (keys: readonly string[]) => Promise<readonly bigint[]>;

/**
 * The events of a batch that a view has not seen. Errors: `fence.stale` where it was written by a newer worker of the
 * partition, so that what this one brings was seen, and may have been forgotten.
 */
export function unseen(
  entity: string,
  projected: Projected,
  { events, key, partition, fence }: Batch,
): readonly RecordedEvent[] {
  const seen = projected[partition];
  if (seen === undefined) return events;
  if (BigInt(seen.fence) > fence) {
    throw new NorimakiError(
      'fence.stale',
      `A view of ${entity} was written by a newer worker: the token is ${fence}, the view's ${seen.fence}. This worker was replaced.`,
      { entity, offered: fence, highest: BigInt(seen.fence) },
    );
  }
  const upTo = BigInt(seen.upTo[key] ?? 0);
  return events.filter(({ version }) => version > upTo);
}

/** What a view has seen after a batch. */
export async function seenAfter(
  projected: Projected,
  { events, key, partition, fence }: Batch,
  settled: SettledUpTo,
): Promise<Projected> {
  const before = projected[partition]?.upTo ?? {};
  const last = events.at(-1)?.version ?? 0n;
  const kept = Object.keys(before).length < MAX_STREAMS ? before : await unsettled(before, settled);
  return { ...projected, [partition]: { fence: Number(fence), upTo: { ...kept, [key]: Number(last) } } };
}

/** A stream whose cursor has passed what was seen of it brings nothing of that again. */
async function unsettled(
  upTo: Readonly<Record<string, number>>,
  settled: SettledUpTo,
): Promise<Record<string, number>> {
  const keys = Object.keys(upTo);
  const passed = await settled(keys);
  return Object.fromEntries(Object.entries(upTo).filter(([, version], at) => (passed[at] ?? 0n) < BigInt(version)));
}
