import type { Key, PutOptions, Store, Stored } from '../../../src/core/store.ts';
import { nextTurn } from '../../../src/core/turn.ts';
import { type Version, versionParts } from '../../../src/core/version.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';

interface Write {
  readonly record: CounterRecord;
  /** Counts of writes begun and answered, as clocks. */
  readonly begun: number;
  readonly answered: number;
  readonly index: bigint;
}

/** What both kinds of records of a counter hold, as JSON. */
interface CounterRecord {
  readonly name: string;
  readonly generation: number;
  readonly shard?: number;
  readonly counts?: readonly string[];
  readonly carried?: readonly string[];
}

/** Passes everything on, and knows from what was written the value of a counter at every instant. */
export class CounterHistory extends StoreWrapper {
  #ticks = 0;
  readonly #writes: Write[] = [];

  constructor(inner: Store) {
    super(inner);
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    const { json } = JSON.parse(Buffer.from(value).toString()) as { json: CounterRecord };
    const begun = this.#ticks++;
    const version = await this.inner.put(key, value, options);
    this.#writes.push({ record: json, begun, answered: this.#ticks++, index: versionParts(version).index });
    return version;
  }

  /** One key after the other, with writes in between: no more is promised. */
  override async getMany(
    keys: readonly Key[],
    options?: Parameters<Store['getMany']>[1],
  ): Promise<(Stored | undefined)[]> {
    const found: (Stored | undefined)[] = [];
    for (const key of keys) {
      found.push(await this.inner.get(key, options));
      await nextTurn();
    }
    return found;
  }

  /** An instant, to be handed to {@link valuesBetween}. */
  now(): number {
    return this.#ticks++;
  }

  /** Every value that the counter had, in order. */
  values(name: string): bigint[] {
    return this.#replay(name).map(({ value }) => value);
  }

  /** The values that the counter had from an instant to another. */
  valuesBetween(name: string, from: number, to: number): bigint[] {
    const states = this.#replay(name);
    // What was answered before had happened; what was begun before may have.
    let first = 0;
    let last = 0;
    for (const [i, { write }] of states.entries()) {
      if (write !== undefined && write.answered < from) first = i;
      if (write !== undefined && write.begun < to) last = i;
    }
    return states.slice(first, last + 1).map(({ value }) => value);
  }

  #replay(name: string): { readonly value: bigint; readonly write: Write | undefined }[] {
    const once = new Map<bigint, Write>();
    // A write that was repeated under its idempotency key happened at its first delivery.
    for (const write of this.#writes) {
      const first = once.get(write.index) ?? write;
      const begun = Math.min(first.begun, write.begun);
      if (write.record.name === name) once.set(write.index, { ...first, begun });
    }
    const inOrder = [...once.values()].sort((a, b) => Number(a.index - b.index));
    const shards = new Map<string, bigint>();
    let head = { generation: 0, carried: 0n };
    const states: { value: bigint; write: Write | undefined }[] = [{ value: 0n, write: undefined }];
    for (const write of inOrder) {
      const { generation, shard, counts, carried } = write.record;
      if (carried !== undefined) head = { generation, carried: sum(carried) };
      else shards.set(`${generation}/${shard}`, sum(counts ?? []));
      let value = head.carried;
      for (const [id, count] of shards) if (id.startsWith(`${head.generation}/`)) value += count;
      states.push({ value, write });
    }
    return states;
  }
}

function sum(counts: readonly string[]): bigint {
  return counts.reduce((total, text) => {
    const [, up = '0', down = '0'] = /\+(\d+)-(\d+)$/.exec(text) ?? [];
    return total + BigInt(up) - BigInt(down);
  }, 0n);
}
