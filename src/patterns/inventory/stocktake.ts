import { keyHash, remembersKey, withKey } from '../shared/key-ring.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import type { InventoryContext } from './context.ts';
import { insufficient } from './errors.ts';
import { REMEMBERED } from './stock-record.ts';
import { meetAll, shortfallsOf } from './take.ts';

/** What comes in or is corrected. */
export interface StockChange {
  readonly sku: string;
  readonly location: string;
  readonly quantity: number;
  readonly kind: 'stocked' | 'adjusted';
  readonly idempotencyKey: string | undefined;
}

/** Adds pieces to the stock, or takes some off that nobody holds. `true`: an earlier call with the same key did. */
export async function changeStock(
  ctx: InventoryContext,
  { sku, location, quantity, kind, idempotencyKey }: StockChange,
  options: BlockCallOptions,
): Promise<boolean> {
  const hash = idempotencyKey === undefined ? undefined : keyHash(`${kind} ${idempotencyKey}`);
  const place = { sku, bucket: 0 };
  const want = { sku, parts: [{ location, quantity: -quantity }] };
  let patience: Patience | undefined;
  for (;;) {
    const done = await ctx.cells.change(
      place,
      (cell) => {
        const { book } = cell.cell;
        if (hash !== undefined && remembersKey(book.keys, hash)) return 'replayed';
        if (quantity < 0 && cell.cell.backorder !== true && cell.free(location) < -quantity) return 'short';
        cell.change({ [location]: quantity }, 1);
        book[kind] += quantity;
        if (hash !== undefined) book.keys = withKey(book.keys, hash, REMEMBERED);
        return 'done';
      },
      options,
    );
    if (done !== 'short') return done === 'replayed';
    const stocked = await ctx.cells.read(sku, options);
    const isFreed = (await ctx.spread.finish(stocked, options)) + (await meetAll(ctx, stocked, options)) > 0;
    const shortfalls = isFreed ? undefined : shortfallsOf(ctx, stocked, want);
    if (shortfalls !== undefined) throw insufficient(ctx.settings.name, shortfalls);
    if (!isFreed) await ctx.spread.gather(place, want, stocked, options);
    patience ??= new Patience(`The stock of '${ctx.settings.name}'`, ctx.environment, options);
    await patience.next();
  }
}
