/** An item of a {@link TinyLfu}, in the list of the segment that it is in. */
export interface Item<V> {
  readonly key: string;
  readonly hash: number;
  readonly value: V;
  readonly bytes: number;
  segment: Segment<V>;
  previous: Item<V> | undefined;
  next: Item<V> | undefined;
}

/** Items in the order of their last use. */
export class Segment<V> {
  /** The least recently used. */
  oldest: Item<V> | undefined;
  newest: Item<V> | undefined;
  count = 0;
  bytes = 0;
  readonly #maxCount: number;
  readonly #maxBytes: number;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get isOver(): boolean {
    return this.count > this.#maxCount || (this.bytes > this.#maxBytes && this.count > 1);
  }

  /** As the most recently used. */
  push(item: Item<V>): void {
    item.segment = this;
    item.previous = this.newest;
    item.next = undefined;
    if (this.newest === undefined) this.oldest = item;
    else this.newest.next = item;
    this.newest = item;
    this.count += 1;
    this.bytes += item.bytes;
  }

  remove(item: Item<V>): void {
    if (item.previous === undefined) this.oldest = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.newest = item.previous;
    else item.next.previous = item.previous;
    this.count -= 1;
    this.bytes -= item.bytes;
  }
}
