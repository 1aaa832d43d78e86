import type { Random } from '../../../core/clock.ts';
import { type Item, Segment } from './segment.ts';
import { FrequencySketch, hashOf } from './sketch.ts';

/** What a {@link TinyLfu} may hold. */
export interface Bounds {
  readonly max: number;
  readonly maxBytes: number;
}

/** Of the whole, for what has just come. */
const WINDOW = 0.01;
/** Of the rest, for what was asked for again. */
const PROTECTED = 0.8;
/** So often asked for, a key that is refused is let in now and then: its rival may only look as popular. */
const WARM = 6;
const LET_IN = 1 / 128;
/** Keys that are not held count too. A few bytes for each. */
const MAX_SKETCHED = 2 ** 22;

/**
 * A map that is bounded in items and in bytes, and keeps what is asked for often over what was asked for last:
 * W-TinyLFU (https://arxiv.org/abs/1512.00727). A scan of many keys that nobody asks for twice pushes out nothing.
 */
export class TinyLfu<V> {
  readonly #items = new Map<string, Item<V>>();
  readonly #bounds: Bounds;
  readonly #random: Random;
  readonly #seed: number;
  readonly #sketch: FrequencySketch;
  readonly #window: Segment<V>;
  readonly #probation: Segment<V>;
  readonly #protected: Segment<V>;
  readonly #onEvict: (key: string, value: V) => void;

  /** `onEvict` hears of what had to make room, and of nothing else. */
  constructor(bounds: Bounds, random: Random, onEvict: (key: string, value: V) => void) {
    const { max, maxBytes } = bounds;
    this.#bounds = bounds;
    this.#random = random;
    this.#onEvict = onEvict;
    this.#seed = Math.floor(random.float() * 2 ** 32);
    this.#sketch = new FrequencySketch(Math.min(max, MAX_SKETCHED));
    const window = Math.max(1, Math.round(max * WINDOW));
    this.#window = new Segment(window, maxBytes * WINDOW);
    this.#probation = new Segment(max, maxBytes);
    this.#protected = new Segment(Math.floor((max - window) * PROTECTED), maxBytes * (1 - WINDOW) * PROTECTED);
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#window.bytes + this.#probation.bytes + this.#protected.bytes;
  }

  /** What is held, and that it was asked for. */
  get(key: string): V | undefined {
    const item = this.#items.get(key);
    if (item === undefined) {
      this.#sketch.add(hashOf(key, this.#seed));
      return undefined;
    }
    this.#sketch.add(item.hash);
    const { segment } = item;
    if (segment === this.#probation) {
      segment.remove(item);
      this.#protected.push(item);
      this.#shrinkProtected();
    } else if (segment.newest !== item) {
      segment.remove(item);
      segment.push(item);
    }
    return item.value;
  }

  /** What is held; does not count as a use. */
  peek(key: string): V | undefined {
    return this.#items.get(key)?.value;
  }

  /** Takes the place of what is held under this key. What is over `maxBytes` by itself is not held. */
  set(key: string, value: V, bytes: number): boolean {
    const former = this.#items.get(key);
    former?.segment.remove(former);
    this.#items.delete(key);
    if (bytes > this.#bounds.maxBytes) return false;
    const segment = former?.segment ?? this.#window;
    const hash = former?.hash ?? hashOf(key, this.#seed);
    const item: Item<V> = { key, hash, value, bytes, segment, previous: undefined, next: undefined };
    this.#items.set(key, item);
    segment.push(item);
    this.#shrinkProtected();
    this.#makeRoom();
    return this.#items.has(key);
  }

  delete(key: string): V | undefined {
    const item = this.#items.get(key);
    if (item === undefined) return undefined;
    this.#items.delete(key);
    item.segment.remove(item);
    return item.value;
  }

  clear(): void {
    for (const key of [...this.#items.keys()]) this.delete(key);
  }

  /** All keys, in no order. */
  keys(): IterableIterator<string> {
    return this.#items.keys();
  }

  #shrinkProtected(): void {
    const segment = this.#protected;
    for (let item = segment.oldest; item !== undefined && segment.isOver; item = segment.oldest) {
      segment.remove(item);
      this.#probation.push(item);
    }
  }

  #makeRoom(): void {
    const { max, maxBytes } = this.#bounds;
    let candidate: Item<V> | undefined;
    for (let item = this.#window.oldest; item !== undefined && this.#window.isOver; item = this.#window.oldest) {
      this.#window.remove(item);
      this.#probation.push(item);
      candidate ??= item;
    }
    while (this.#items.size > max || this.bytes > maxBytes) {
      const after: Item<V> | undefined = candidate?.next;
      const loser = this.#loser(candidate);
      if (loser === undefined) return;
      if (loser === candidate) candidate = after;
      this.#evict(loser);
    }
  }

  /** Which of the newcomer and the oldest on probation is asked for less. */
  #loser(candidate: Item<V> | undefined): Item<V> | undefined {
    const victim = this.#probation.oldest ?? this.#protected.oldest ?? this.#window.oldest;
    if (candidate === undefined || victim === undefined || victim === candidate) return victim;
    const [wanted, held] = [this.#sketch.estimate(candidate.hash), this.#sketch.estimate(victim.hash)];
    if (wanted > held || (wanted >= WARM && this.#random.float() < LET_IN)) return victim;
    return candidate;
  }

  #evict(item: Item<V>): void {
    this.#items.delete(item.key);
    item.segment.remove(item);
    this.#onEvict(item.key, item.value);
  }
}
