import { holed } from './holed.ts';
import type { SlotRecord } from './records.ts';
import type { StreamId } from './stream-id.ts';
import type { Tail, Tails } from './tails.ts';

/** Slots in one call of the store: few at first, as most streams are short. */
const FIRST_PAGE = 8;
const PAGE = 64;

/**
 * The slots of a stream behind one, in order, a page at a time, up to its end. A stream is never shown with a hole.
 * Errors: `record.corrupt`.
 */
export async function* slotsBehind(
  tails: Tails,
  stream: StreamId,
  { slot, version }: Pick<Tail, 'slot' | 'version'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly SlotRecord[], void, undefined> {
  let at = { slot, version };
  for (let width = FIRST_PAGE; ; width = PAGE) {
    const slots = await tails.slotsAfter(stream, at.slot, width, signal);
    for (const one of slots) {
      if (one.from !== at.version) throw holed(stream, one.slot);
      at = { slot: one.slot, version: one.from + one.events.length };
    }
    if (slots.length > 0) yield slots;
    if (slots.length < width) return;
  }
}

/** The place before the slot that holds the first version after `version`, or an end before it. */
export async function placeBefore(
  tails: Tails,
  stream: StreamId,
  version: number,
  signal: AbortSignal | undefined,
): Promise<Pick<Tail, 'slot' | 'version'>> {
  if (version <= 0) return { slot: 0, version: 0 };
  const end = await tails.hint(stream, signal);
  if (end.version <= version) return end;
  let low = { slot: 0, version: 0 };
  // Always behind the place that is looked for.
  let high: Pick<Tail, 'slot' | 'version'> = end;
  while (high.slot - low.slot > 1) {
    // Most streams have as many events in each slot.
    const share = (version - low.version) / (high.version - low.version);
    const guess = low.slot + Math.round(share * (high.slot - low.slot));
    const slot = Math.min(Math.max(guess, low.slot + 1), high.slot - 1);
    const [found] = await tails.slotsAfter(stream, slot - 1, 1, signal);
    if (found === undefined) throw holed(stream, slot);
    const after = found.from + found.events.length;
    if (after <= version) low = { slot, version: after };
    else high = { slot, version: after };
  }
  return low;
}
