import { fateOf } from '../shared/hold/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { InventoryContext } from './context.ts';
import { sum } from './open-cell.ts';

/** How much there is of a SKU, in all its records. */
export interface StockLevel {
  /** In the house, held or not. */
  readonly onHand: number;
  /** Held by somebody whose time is not over. */
  readonly reserved: number;
  /** What can be reserved: neither held nor safety stock. Below 0 only where it is sold beyond what is there. */
  readonly available: number;
  readonly backorder: boolean;
  readonly safetyStock: number;
  /** On its way between two buckets: part of `onHand`, and available, as whoever needs it delivers it. */
  readonly moving: number;
  /** What ever came in, was corrected and was sold: `onHand` is `stocked + adjusted - sold`. */
  readonly ledger: { readonly stocked: number; readonly adjusted: number; readonly sold: number };
  readonly locations: Readonly<Record<string, { readonly onHand: number; readonly available: number }>>;
}

/** Reads all records of a SKU; not at one instant where there are several. */
export async function levelOf(ctx: InventoryContext, sku: string, options: BlockCallOptions): Promise<StockLevel> {
  const { stock, cells } = await ctx.cells.read(sku, options);
  const ledger = { stocked: 0, adjusted: 0, sold: 0 };
  const onHandAt: Record<string, number> = {};
  const freeAt: Record<string, number> = {};
  let moving = 0;
  for (const cell of cells) {
    const { book, levels } = cell.cell;
    for (const { id } of cell.lateCarts()) {
      const cart = await ctx.carts.get(id, options);
      const fate = fateOf(cart);
      if (fate.do === 'undo' || (fate.do === 'wait' && fate.until <= cell.now)) cell.drop(id, 'expired');
    }
    for (const name of ['stocked', 'adjusted', 'sold'] as const) ledger[name] += book[name];
    for (const [location, quantity] of Object.entries(levels)) add(onHandAt, location, quantity);
    for (const [location, quantity] of Object.entries(cell.freeByLocation)) add(freeAt, location, quantity);
    for (const [to, { n, at }] of Object.entries(book.sent)) {
      // The receiver has them already, and only the note is still there.
      if ((cells[Number(to)]?.cell.book.received[cells.indexOf(cell)] ?? 0) >= n) continue;
      moving += sum(at);
      // Whoever needs them delivers them first.
      for (const [location, quantity] of Object.entries(at)) {
        add(onHandAt, location, quantity);
        add(freeAt, location, quantity);
      }
    }
  }
  const { backorder, safetyStock } = stock;
  const free = sum(freeAt) - safetyStock;
  const available = backorder ? free : Math.max(0, free);
  const names = Object.keys({ ...onHandAt, ...freeAt }).sort();
  const locations = names.map((location): [string, StockLevel['locations'][string]] => {
    const freeHere = Math.min(available, freeAt[location] ?? 0);
    return [location, { onHand: onHandAt[location] ?? 0, available: backorder ? freeHere : Math.max(0, freeHere) }];
  });
  return {
    onHand: sum(onHandAt),
    reserved: sum(onHandAt) - sum(freeAt),
    available,
    backorder,
    safetyStock,
    moving,
    ledger,
    locations: Object.fromEntries(locations),
  };
}

function add(to: Record<string, number>, location: string, quantity: number): void {
  to[location] = (to[location] ?? 0) + quantity;
}
