import { LRUCache } from 'lru-cache';
import { NorimakiError } from '../../core/errors.ts';
import { holed } from './holed.ts';
import { type EventRecords, type SlotRecord, streamRecord } from './records.ts';
import { type StreamId, streamName } from './stream-id.ts';

/** The end of a stream, as far as somebody has looked. */
export interface Tail {
  /** The last slot; 0 if there is none. */
  readonly slot: number;
  /** The version of the stream after it. */
  readonly version: number;
  readonly isClosed: boolean;
  /** Whoever walks over all streams finds it. */
  readonly hasHead: boolean;
}

const NOWHERE: Tail = { slot: 0, version: 0, isClosed: false, hasHead: false };

/** So many streams whose end this process remembers. */
const REMEMBERED = 10_000;
/** A head follows its stream in steps of so many slots: whoever begins there reads the rest in one call. */
const HEAD_EVERY = 16;
/** So many slots are looked for at once, and remembered of those that were passed. */
export const MAX_PROBE = 64;

/** Where streams end. An end that is remembered may be of the past; slots do not change, so it is a place to look on from. */
export class Tails {
  readonly #store: string;
  readonly #records: EventRecords;
  readonly #known = new LRUCache<string, Tail>({ max: REMEMBERED });

  constructor(store: string, records: EventRecords) {
    this.#store = store;
    this.#records = records;
  }

  /** An end that once was: the last that this process saw, or that of the head. */
  async hint(stream: StreamId, signal: AbortSignal | undefined): Promise<Tail> {
    const known = this.#known.get(streamName(stream));
    if (known !== undefined) return known;
    const head = await this.#records.heads.get(streamRecord(this.#store, stream), { signal });
    if (head === undefined) return NOWHERE;
    const { slot, version, closed } = head;
    return { slot, version, isClosed: closed === true, hasHead: true };
  }

  /** The end as it is now. */
  async find(stream: StreamId, signal: AbortSignal | undefined): Promise<Tail> {
    const { tail } = await this.advance(stream, await this.hint(stream, signal), signal);
    return tail;
  }

  /** The end as it is now, and the last of the slots between a former one and it: at most so many as are read at once. */
  async advance(
    stream: StreamId,
    from: Tail,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly tail: Tail; readonly passed: readonly SlotRecord[] }> {
    let tail = from;
    let passed: readonly SlotRecord[] = [];
    for (let width = 2; ; width = Math.min(width * 4, MAX_PROBE)) {
      const slots = await this.slotsAfter(stream, tail.slot, width, signal);
      passed = [...passed, ...slots].slice(-MAX_PROBE);
      const last = slots.at(-1);
      if (last !== undefined) tail = tailOf(last);
      if (slots.length < width) return { tail: this.note(stream, tail), passed };
    }
  }

  /** At most `limit` slots after one, as far as they are written. */
  async slotsAfter(
    stream: StreamId,
    slot: number,
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<SlotRecord[]> {
    const id = streamRecord(this.#store, stream);
    const ids = Array.from({ length: limit }, (_, i) => ({ ...id, slot: slot + 1 + i }));
    const found = await this.#records.slots.getMany(ids, { signal });
    const gap = found.indexOf(undefined);
    const slots = (gap === -1 ? found : found.slice(0, gap)) as SlotRecord[];
    if (found.length > slots.length + 1 && found.slice(gap).some((one) => one !== undefined)) {
      // What lies behind the gap was written after the gap was looked at; so was what belongs there, or it was lost.
      const missing = { ...id, slot: slot + 1 + gap };
      if (!(await this.#records.slots.exists(missing, { signal }))) throw holed(stream, missing.slot);
    }
    return slots;
  }

  /** Remembers an end. */
  note(stream: StreamId, tail: Tail): Tail {
    const name = streamName(stream);
    const known = this.#known.get(name);
    if (tail.hasHead && (known === undefined || known.slot < tail.slot)) this.#known.set(name, tail);
    return tail;
  }

  /** Makes the stream one that is found by whoever walks over all, before there is anything in it. */
  async announce(stream: StreamId, signal: AbortSignal | undefined): Promise<void> {
    const id = streamRecord(this.#store, stream);
    // Changes nothing about a head that is there.
    await this.#records.heads.mutate(id, () => {}, { ifAbsent: { slot: 0, version: 0 }, signal });
  }

  /** Moves the head after the stream from time to time. A head that stays behind costs a look, and nothing else. */
  async follow(stream: StreamId, { slot, version, isClosed }: Tail, before: number): Promise<void> {
    const isDue = isClosed || Math.floor(slot / HEAD_EVERY) > Math.floor(before / HEAD_EVERY);
    if (!isDue) return;
    const forward = (head: { slot: number; version: number; closed?: boolean | undefined }): void => {
      if (head.slot >= slot) return;
      head.slot = slot;
      head.version = version;
      if (isClosed) head.closed = true;
    };
    try {
      await this.#records.heads.mutate(streamRecord(this.#store, stream), forward, {
        ifAbsent: { slot: 0, version: 0 },
      });
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
    }
  }
}

/** The end of a stream that ends with this slot. */
export function tailOf({ slot, from, events, closes }: SlotRecord): Tail {
  return { slot, version: from + events.length, isClosed: closes === true, hasHead: true };
}
