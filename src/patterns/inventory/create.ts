import { type BlockCallOptions, refuse } from '../shared/options.ts';
import type { InventoryContext } from './context.ts';
import { sum } from './open-cell.ts';
import { checkLocation, checkSafetyStock, checkText } from './settings.ts';
import { blankBook, type StockFields } from './stock-record.ts';

/** The fields of a user's own, and those that a SKU begins with. */
export type Draft = Partial<StockFields> & {
  readonly sku: string;
  readonly onHand?: number | Readonly<Record<string, number>> | undefined;
};

export function createStock(
  { cells, settings }: InventoryContext,
  { onHand = {}, ...input }: Draft,
  { signal, retry, idempotencyKey }: BlockCallOptions & { readonly idempotencyKey?: string | undefined },
): Promise<StockFields> {
  checkText(input.sku, 'sku');
  const levels = typeof onHand === 'number' ? { [settings.location]: onHand } : { ...onHand };
  for (const [location, quantity] of Object.entries(levels)) {
    checkLocation(location, 'onHand');
    if (!Number.isSafeInteger(quantity) || quantity < 0)
      refuse('onHand', 'onHand is a whole number of pieces, or one for each location.');
  }
  const { backorder = false, safetyStock = 0 } = input;
  const stock: StockFields = {
    ...input,
    levels,
    book: { ...blankBook(), stocked: sum(levels) },
    backorder,
    safetyStock: checkSafetyStock(safetyStock),
    buckets: settings.buckets,
  };
  return cells.stocks.create(stock, { signal, retry, idempotencyKey });
}
