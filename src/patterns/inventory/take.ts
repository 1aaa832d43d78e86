import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import type { Place, Stocked } from './cells.ts';
import type { InventoryContext } from './context.ts';
import { type Shortfall, tooManyHolds } from './errors.ts';
import { totalOf, type Want } from './lines.ts';
import { meetCarts } from './meet.ts';
import { type Ending, type LateCart, type OpenCell, sum } from './open-cell.ts';
import type { StockHold } from './stock-record.ts';

/** One SKU of a hold. */
export interface Taking {
  readonly place: Place;
  readonly id: string;
  readonly want: Want;
  readonly expiresAt: number;
  readonly cart: boolean;
}

export type Taken =
  | { readonly kind: 'held'; readonly hold: StockHold; readonly replayed: boolean }
  | { readonly kind: 'closed'; readonly ending: Ending; readonly n: number }
  | { readonly kind: 'short'; readonly shortfalls: readonly Shortfall[] };

/** Takes what is wanted of one SKU, by one compare-and-swap; moves stock there first if its bucket has too little. */
export async function take(ctx: InventoryContext, taking: Taking, options: BlockCallOptions): Promise<Taken> {
  const { place, want } = taking;
  const { name, maxHolds } = ctx.settings;
  let patience: Patience | undefined;
  for (let force = false; ; ) {
    const tried = await ctx.cells.change(place, (cell) => tryTake(cell, taking, force, maxHolds), options);
    if (tried.kind === 'held' || tried.kind === 'closed') return tried;
    if (tried.kind === 'other') {
      refuse('idempotencyKey', 'Another call with other lines had this idempotencyKey. Take a key for each order.');
    }
    // What only seems to be held is given back first.
    if ((await meetCarts(ctx, place, tried.late, options)) > 0) continue;
    if (tried.kind === 'full') throw tooManyHolds(name, want.sku, maxHolds);
    if (tried.shortfalls !== undefined) return { kind: 'short', shortfalls: tried.shortfalls };
    const stocked = await ctx.cells.read(want.sku, options);
    if ((await ctx.spread.finish(stocked, options)) > 0) continue;
    if (stocked.stock.backorder) {
      force = true;
      continue;
    }
    const shortfalls = shortfallsOf(ctx, stocked, want);
    if (shortfalls === undefined) {
      await ctx.spread.gather(place, want, stocked, options);
    } else if ((await meetAll(ctx, stocked, options)) === 0) {
      return { kind: 'short', shortfalls };
    }
    patience ??= new Patience(`The stock of '${name}'`, ctx.environment, options);
    await patience.next();
  }
}

/** What there is too little of, in all records of a SKU; `undefined` if there is enough. */
export function shortfallsOf(ctx: InventoryContext, stocked: Stocked, want: Want): Shortfall[] | undefined {
  const whole = ctx.cells.merge(stocked);
  return whole.allocate(want.parts, false) === undefined ? lacking(whole, want) : undefined;
}

/** Ends the late carts of all records of a SKU. Resolves to how many gave something back. */
export async function meetAll(
  ctx: InventoryContext,
  { stock: { sku }, cells }: Stocked,
  options: BlockCallOptions,
): Promise<number> {
  let met = 0;
  for (const [bucket, cell] of cells.entries()) met += await meetCarts(ctx, { sku, bucket }, cell.lateCarts(), options);
  return met;
}

type Tried =
  | Exclude<Taken, { kind: 'short' }>
  | { readonly kind: 'other' }
  | { readonly kind: 'full'; readonly late: readonly LateCart[] }
  /** `shortfalls` only where this record is all there is. */
  | {
      readonly kind: 'lacking';
      readonly late: readonly LateCart[];
      readonly shortfalls: readonly Shortfall[] | undefined;
    };

function tryTake(cell: OpenCell, { id, want, expiresAt, cart }: Taking, force: boolean, maxHolds: number): Tried {
  if (cart) {
    // Its own record says what has become of it; who is late learns there that it is over.
    if (expiresAt <= cell.now) return { kind: 'closed', ending: 'expired', n: 0 };
    // Of a cart that was forgotten before this one was begun under its name.
    if ((cell.hold(id)?.expiresAt ?? expiresAt) < expiresAt) cell.drop(id, 'expired');
  }
  const found = cell.hold(id);
  if (found !== undefined) {
    const isSame = sum(found.at) === totalOf(want.parts);
    return isSame ? { kind: 'held', hold: structuredClone(found), replayed: true } : { kind: 'other' };
  }
  const ended = cart ? undefined : cell.ending(id);
  if (ended !== undefined) return { kind: 'closed', ...ended };
  if (cell.holds >= maxHolds) return { kind: 'full', late: cell.lateCarts() };
  const at = cell.allocate(want.parts, force);
  if (at === undefined) {
    const isAll = 'buckets' in cell.cell && cell.cell.buckets === 1;
    return { kind: 'lacking', late: cell.lateCarts(), shortfalls: isAll ? lacking(cell, want) : undefined };
  }
  const hold = cell.put(id, cart ? { at, expiresAt, cart } : { at, expiresAt });
  return { kind: 'held', hold: structuredClone(hold), replayed: false };
}

function lacking(cell: OpenCell, { sku, parts }: Want): Shortfall[] {
  const available = (location?: string): number => Math.max(0, cell.free(location));
  const short = parts
    .filter(({ location, quantity }) => location !== undefined && quantity > cell.free(location))
    .map(({ location, quantity }) => ({ sku, location, requested: quantity, available: available(location) }));
  return short.length > 0 ? short : [{ sku, requested: totalOf(parts), available: available() }];
}
