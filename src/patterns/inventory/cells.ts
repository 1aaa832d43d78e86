import { z } from 'zod';
import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, Repository, RepositoryOf } from '../../repositories/index.ts';
import { Coalescer } from '../shared/coalescer.ts';
import { NothingToWrite } from '../shared/nothing-to-write.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { unknownSku } from './errors.ts';
import { OpenCell } from './open-cell.ts';
import type { InventorySettings } from './settings.ts';
import { blankBook, type Cell, cellFields, type StockFields } from './stock-record.ts';
import type { StockShape, StockSource } from './types.ts';

const StockBucket = defineEntity(
  'norimaki.inventory.bucket',
  z.object({ name: z.string(), sku: z.string(), bucket: z.int().positive(), ...cellFields }),
  // Written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  { id: ['name', 'sku', 'bucket'], ring: 64 },
);

/** One record that holds stock of a SKU; bucket 0 is the SKU's own. */
export interface Place {
  readonly sku: string;
  readonly bucket: number;
}

/** Changes a record of stock, or throws before it changes anything. May run several times. */
export type CellChange<R> = (cell: OpenCell) => R;
type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** All records of one SKU. */
export interface Stocked {
  readonly stock: StockFields;
  readonly cells: readonly [OpenCell, ...OpenCell[]];
}

/** Reads and writes records of stock. Changes of one record that wait at the same time share a write. */
export class Cells {
  readonly stocks: Repository<StockShape>;
  readonly #settings: InventorySettings;
  readonly #buckets: RepositoryOf<typeof StockBucket, Store>;
  readonly #environment: Environment;
  readonly #together: Coalescer<Place, CellChange<unknown>, Outcome>;

  constructor(db: Database, source: StockSource, settings: InventorySettings) {
    // Every source has these fields; its own ones pass through unseen.
    this.stocks = db.repo(source) as unknown as Repository<StockShape>;
    this.#buckets = db.repo(StockBucket);
    this.#settings = settings;
    this.#environment = db.environment;
    this.#together = new Coalescer((place, changes, signal) => this.#write(place, changes, { signal }));
  }

  /** Errors: `inventory.unknownSku` of bucket 0. */
  async change<R>(place: Place, change: CellChange<R>, { signal, retry }: BlockCallOptions): Promise<R> {
    const name = `${place.bucket}/${place.sku}`;
    // With a retry of its own it does not wait for others.
    const outcome =
      retry === undefined
        ? await this.#together.add(name, place, change, signal)
        : (await this.#write(place, [change], { signal, retry }))[0];
    if (outcome !== undefined && 'value' in outcome) return outcome.value as R; // What this very change returned.
    throw outcome?.error;
  }

  /** Errors: `inventory.unknownSku`. */
  async read(sku: string, { signal }: BlockCallOptions): Promise<Stocked> {
    const stock = await this.stocks.get(sku, { signal });
    if (stock === undefined) throw unknownSku(this.#settings.name, sku);
    const { name } = this.#settings;
    const ids = Array.from({ length: stock.buckets - 1 }, (_, i) => ({ name, sku, bucket: i + 1 }));
    const buckets = ids.length === 0 ? [] : await this.#buckets.getMany(ids, { signal });
    const now = this.#environment.clock.now();
    return {
      stock,
      cells: [this.#open(stock, now), ...buckets.map((found) => this.#open(found ?? blankCell(), now))],
    };
  }

  /** All records of a SKU as if they were one. */
  merge({ stock, cells: [first, ...others] }: Stocked): OpenCell {
    const whole = structuredClone({ levels: first.cell.levels, book: first.cell.book });
    for (const { cell } of others) {
      for (const [location, quantity] of Object.entries(cell.levels)) {
        whole.levels[location] = (whole.levels[location] ?? 0) + quantity;
      }
      Object.assign(whole.book.holds, cell.book.holds);
    }
    const { backorder, safetyStock } = stock;
    return this.#open({ ...whole, backorder, safetyStock }, first.now);
  }

  #open(cell: Cell, now: number): OpenCell {
    return new OpenCell(cell, now, this.#settings.allocation);
  }

  async #write(
    { sku, bucket }: Place,
    changes: readonly CellChange<unknown>[],
    { signal, retry }: BlockCallOptions,
  ): Promise<Outcome[]> {
    let outcomes: Outcome[] = [];
    const apply = (draft: Cell): void => {
      const cell = this.#open(draft, this.#environment.clock.now());
      outcomes = changes.map((change) => {
        try {
          return { value: change(cell) };
        } catch (error) {
          return { error };
        }
      });
      if (!cell.hasChanged) throw new NothingToWrite();
    };
    const { name } = this.#settings;
    try {
      // The repository is that of stock: what it hands out has these fields.
      if (bucket === 0) await this.stocks.mutate(sku, apply as (draft: object) => void, { signal, retry });
      else await this.#buckets.mutate({ name, sku, bucket }, apply, { ifAbsent: blankCell, signal, retry });
    } catch (error) {
      if (NorimakiError.is(error, 'not.found')) throw unknownSku(name, sku);
      if (!(error instanceof NothingToWrite)) throw error;
    }
    return outcomes;
  }
}

function blankCell(): Cell {
  return { levels: {}, book: blankBook() };
}
