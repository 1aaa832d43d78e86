/** How good some lists were, at one length. */
export interface Quality {
  /** In what part of the lists the item that was left out is. */
  readonly recall: number;
  /** The same, where an item counts the more the higher it stands: 1 at the top, 0.63 below it, 0.5 below that. */
  readonly ndcg: number;
  /** What part of all items that occur in the history is in any list. */
  readonly coverage: number;
}

/** Judges lists, each with the one item that belongs in it. */
export class Judge {
  readonly #catalog: ReadonlySet<string>;
  readonly #sums: { readonly k: number; hits: number; gain: number; readonly shown: Set<string> }[];
  #lists = 0;

  constructor(lengths: readonly number[], catalog: ReadonlySet<string>) {
    this.#catalog = catalog;
    this.#sums = lengths.map((k) => ({ k, hits: 0, gain: 0, shown: new Set() }));
  }

  add(list: readonly string[], wanted: string): void {
    this.#lists++;
    const place = list.indexOf(wanted);
    for (const sum of this.#sums) {
      for (const item of list.slice(0, sum.k)) if (this.#catalog.has(item)) sum.shown.add(item);
      if (place === -1 || place >= sum.k) continue;
      sum.hits++;
      // Of one relevant item the best possible gain is 1.
      sum.gain += 1 / Math.log2(place + 2);
    }
  }

  /** By length. */
  get result(): ReadonlyMap<number, Quality> {
    const lists = Math.max(1, this.#lists);
    return new Map(
      this.#sums.map(({ k, hits, gain, shown }) => [
        k,
        { recall: hits / lists, ndcg: gain / lists, coverage: shown.size / Math.max(1, this.#catalog.size) },
      ]),
    );
  }
}
