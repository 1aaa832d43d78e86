/** What a scan found, nearest first: the distances of the metric to the last bit. */
export interface Candidates {
  readonly labels: Float64Array;
  readonly distances: Float64Array;
}

/** Keeps the `k` nearest of what it is offered; of equal distances those with the lower label. */
export class Nearest {
  readonly #k: number;
  // A heap with the farthest on top, in two arrays side by side.
  readonly #labels: number[] = [];
  readonly #distances: number[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  offer(label: number, distance: number): void {
    const labels = this.#labels;
    const distances = this.#distances;
    if (labels.length < this.#k) {
      let i = labels.length;
      while (i > 0) {
        const parent = (i - 1) >> 1;
        if (!this.#isFarther(distance, label, parent)) break;
        this.#move(parent, i);
        i = parent;
      }
      labels[i] = label;
      distances[i] = distance;
    } else if (this.#k > 0 && !this.#isFarther(distance, label, 0)) {
      this.#sink(label, distance, labels.length);
    }
  }

  /** What was kept, nearest first. It can be called once: it takes the heap apart. */
  take(): Candidates {
    const count = this.#labels.length;
    const labels = new Float64Array(count);
    const distances = new Float64Array(count);
    for (let i = count - 1; i >= 0; i--) {
      // The heap has `i + 1` entries here.
      labels[i] = this.#labels[0] as number;
      distances[i] = this.#distances[0] as number;
      this.#sink(this.#labels[i] as number, this.#distances[i] as number, i);
    }
    return { labels, distances };
  }

  /** Puts an entry in place of the one on top, in a heap of `size` entries. */
  #sink(label: number, distance: number, size: number): void {
    if (size === 0) return;
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      const right = child + 1;
      // Both are below `size`.
      if (right < size && this.#isFarther(this.#distances[right] as number, this.#labels[right] as number, child)) {
        child = right;
      }
      if (this.#isFarther(distance, label, child)) break;
      this.#move(child, i);
      i = child;
    }
    this.#labels[i] = label;
    this.#distances[i] = distance;
  }

  #move(from: number, to: number): void {
    this.#labels[to] = this.#labels[from] as number;
    this.#distances[to] = this.#distances[from] as number;
  }

  #isFarther(distance: number, label: number, than: number): boolean {
    const other = this.#distances[than] as number;
    return distance > other || (distance === other && label > (this.#labels[than] as number));
  }
}
