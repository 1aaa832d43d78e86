import type { Duration } from '../../core/duration.ts';
import type { Database } from '../../repositories/index.ts';
import { Holds } from '../shared/hold/index.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type AuditOptions, type AuditReport, audit } from './audit.ts';
import { Cells } from './cells.ts';
import { commit, extend, release } from './close.ts';
import type { InventoryContext } from './context.ts';
import { createStock, type Draft } from './create.ts';
import { insufficient } from './errors.ts';
import type { StockHeld, TryReserve } from './held.ts';
import { levelOf, type StockLevel } from './level.ts';
import type { Line } from './lines.ts';
import { reserve } from './reserve.ts';
import {
  checkBuckets,
  checkKey,
  checkLocation,
  checkQuantity,
  checkSafetyStock,
  checkTtl,
  type InventoryOptions,
  settingsOf,
} from './settings.ts';
import { Spread } from './spread.ts';
import { changeStock } from './stocktake.ts';
import type { StockInput, StockOf, StockSource } from './types.ts';

export interface InventoryCallOptions extends BlockCallOptions {
  /**
   * Repeating the call with the same key, in any process, does it once. A SKU remembers its last 128 keys and its last 128 closed
   * holds of each kind; a cart is remembered for `remember`. After that a repeated call does it again.
   */
  readonly idempotencyKey?: string | undefined;
}

export interface ReserveOptions extends InventoryCallOptions {
  /** How long the hold lives; default: that of the inventory. */
  readonly ttl?: Duration | undefined;
  /**
   * Gives a hold of one SKU a record of its own, as a cart of several has: two writes more to reserve and two to commit, and its
   * key is remembered for `remember` after its end, however much else is sold meanwhile. Default `false`. Repeat it with the key.
   */
  readonly asCart?: boolean | undefined;
}

export interface StockOptions extends InventoryCallOptions {
  /** Where; default: that of the inventory. */
  readonly location?: string | undefined;
}

/** What {@link Inventory.configure} changes of a SKU. */
export interface StockRules {
  /** Whether it is sold beyond what is there. */
  readonly backorder?: boolean | undefined;
  /** Pieces that are never reserved. */
  readonly safetyStock?: number | undefined;
  /** Records that share its stock, 1 to 64; never fewer than before. */
  readonly buckets?: number | undefined;
}

/**
 * Stock that is reserved, then sold or given back. However many buy at once, in however many processes, no more is sold than there
 * is; a hold that nobody commits ends by itself.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `store.unavailable`, `store.closed`, `aborted`. Of every call that
 * writes: `conflict.exhausted`, `outcome.unknown`, `size.exceeded`, `record.newer`. Of every call about a SKU: `inventory.unknownSku`.
 *
 * @example
 * ```ts
 * const inventory = new Inventory(db, Stock, { name: 'main', ttl: '15m' });
 * await inventory.create({ sku: 'SKU-1', title: 'Toasted nori' });
 * await inventory.restock('SKU-1', 100, { idempotencyKey: shipmentId });
 * const hold = await inventory.reserve([{ sku: 'SKU-1', quantity: 2 }], { idempotencyKey: cartId });
 * await inventory.commit(hold.id);
 * ```
 */
export class Inventory<Source extends StockSource> {
  readonly name: string;
  readonly #ctx: InventoryContext;
  readonly #canScan: boolean;

  /**
   * `source` is a class that extends `StockRecord`, or what `defineEntity` made with `stockFields`.
   * Errors: `argument.invalid`, `capability.missing`, `model.invalid`.
   */
  constructor(db: Database, source: Source, options: InventoryOptions) {
    const settings = settingsOf(options);
    requireStore('Inventory', db, options, {
      cas: 'two buyers can be sold the same piece',
      ifAbsent: 'two carts under one key can both be reserved',
    });
    const { name, remember } = settings;
    const { environment } = db;
    const cells = new Cells(db, source, settings);
    const spread = new Spread(cells, environment);
    this.name = name;
    this.#canScan = db.store.capabilities.scan;
    const carts = new Holds(db, { block: JSON.stringify(['inventory', name]), remember });
    this.#ctx = { settings, cells, spread, carts, environment };
  }

  /** Makes a SKU. Errors: `already.exists`, `validation.failed`. */
  async create(input: StockInput<Source>, options: InventoryCallOptions = {}): Promise<StockOf<Source>> {
    return (await createStock(this.#ctx, input as Draft, options)) as StockOf<Source>;
  }

  /** Pieces come in. Exactly once under a key, also if answers of the store are lost. `replayed`: an earlier call did it. */
  async restock(sku: string, quantity: number, options: StockOptions = {}): Promise<{ readonly replayed: boolean }> {
    checkQuantity(quantity);
    return this.#change('stocked', sku, quantity, options);
  }

  /**
   * Corrects what is on hand, up or down: after counting, or for breakage. Takes off nothing that is held or safety stock.
   * Errors: `inventory.insufficient`.
   */
  async adjust(sku: string, by: number, options: StockOptions = {}): Promise<{ readonly replayed: boolean }> {
    if (!Number.isSafeInteger(by) || by === 0) refuse('by', 'by is a whole number of pieces, and not 0.');
    return this.#change('adjusted', sku, by, options);
  }

  /**
   * Keeps stock for somebody: all lines or none. Lines of the same SKU are summed first. Errors: `inventory.insufficient` with
   * every shortfall, `inventory.tooManyHolds`; with a key also `inventory.holdExpired` and `inventory.holdClosed`.
   */
  async reserve(lines: readonly Line[], options: ReserveOptions = {}): Promise<StockHeld> {
    const tried = await this.tryReserve(lines, options);
    if (!tried.ok) throw insufficient(this.name, tried.shortfalls);
    return tried.hold;
  }

  /**
   * The same, where too little stock is a result, not an error.
   *
   * @example
   * ```ts
   * const tried = await inventory.tryReserve([{ sku: 'SKU-1', quantity: 2 }]);
   * if (!tried.ok) for (const { sku, available } of tried.shortfalls) console.log(`only ${available} of ${sku}`);
   * ```
   */
  async tryReserve(
    lines: readonly Line[],
    { ttl, idempotencyKey, asCart = false, ...options }: ReserveOptions = {},
  ): Promise<TryReserve> {
    const lives = ttl === undefined ? this.#ctx.settings.ttl : checkTtl(ttl);
    const how = { ttl: lives, idempotencyKey: checkKey(idempotencyKey), asCart };
    return reserve(this.#ctx, lines, how, options);
  }

  /**
   * Sells what is held. A second time does nothing: `replayed`.
   * Errors: `inventory.holdExpired`, `inventory.holdClosed`, `inventory.unknownHold`.
   */
  async commit(hold: string, options: BlockCallOptions = {}): Promise<{ readonly replayed: boolean }> {
    return { replayed: await commit(this.#ctx, hold, options) };
  }

  /**
   * Gives back what is held. `false`: it was given back before, or has expired.
   * Errors: `inventory.holdClosed` once it is sold, `inventory.unknownHold`.
   */
  release(hold: string, options: BlockCallOptions = {}): Promise<boolean> {
    return release(this.#ctx, hold, options);
  }

  /**
   * Lets a hold live for so long from now, never shorter than before. Resolves to when it ends.
   * Errors: `inventory.holdExpired`, `inventory.holdClosed`, `inventory.unknownHold`.
   */
  async extend(hold: string, ttl: Duration, options: BlockCallOptions = {}): Promise<Date> {
    const until = Math.ceil(this.#ctx.environment.clock.now()) + checkTtl(ttl);
    return new Date(await extend(this.#ctx, hold, until, options));
  }

  /** How many pieces can be reserved, of all or at one location. Below 0 only with backorder. */
  async available(
    sku: string,
    { location, ...options }: BlockCallOptions & { readonly location?: string } = {},
  ): Promise<number> {
    const level = await levelOf(this.#ctx, sku, options);
    return location === undefined ? level.available : (level.locations[location]?.available ?? 0);
  }

  /** All there is to know of the stock of a SKU, its ledger too. */
  level(sku: string, options: BlockCallOptions = {}): Promise<StockLevel> {
    return levelOf(this.#ctx, sku, options);
  }

  /** Changes the rules of a SKU. */
  async configure(
    sku: string,
    { backorder, safetyStock, buckets }: StockRules,
    options: BlockCallOptions = {},
  ): Promise<void> {
    if (buckets !== undefined) checkBuckets(buckets);
    if (safetyStock !== undefined) checkSafetyStock(safetyStock);
    await this.#ctx.cells.change(
      { sku, bucket: 0 },
      (cell) => {
        Object.assign(
          cell.cell,
          backorder === undefined ? {} : { backorder },
          safetyStock === undefined ? {} : { safetyStock },
        );
        const before = 'buckets' in cell.cell && typeof cell.cell.buckets === 'number' ? cell.cell.buckets : 1;
        if (buckets !== undefined) Object.assign(cell.cell, { buckets: Math.max(before, buckets) });
        cell.hasChanged = true;
      },
      options,
    );
    this.#ctx.spread.forget(sku);
    if (safetyStock !== undefined) await this.#ctx.spread.keepSafe(sku, options);
  }

  /**
   * Compares every SKU with its ledger and its holds, and with `fix` mends what it finds. Others may buy meanwhile.
   * Errors: `capability.missing` without `skus` where the store cannot scan.
   */
  audit(options: AuditOptions = {}): Promise<AuditReport> {
    return audit(this.#ctx, options, this.#canScan);
  }

  async #change(
    kind: 'stocked' | 'adjusted',
    sku: string,
    quantity: number,
    { location = this.#ctx.settings.location, idempotencyKey, ...options }: StockOptions,
  ): Promise<{ readonly replayed: boolean }> {
    checkLocation(location);
    checkKey(idempotencyKey);
    const replayed = await changeStock(this.#ctx, { sku, location, quantity, kind, idempotencyKey }, options);
    return { replayed };
  }
}
