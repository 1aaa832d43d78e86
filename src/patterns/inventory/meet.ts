import type { Fate, StoredHold } from '../shared/hold/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { Place } from './cells.ts';
import type { InventoryContext } from './context.ts';
import type { Want } from './lines.ts';
import type { Ending } from './open-cell.ts';

/** One SKU of a cart, as it is noted in the record of the cart: the bucket, and what is wanted. */
export interface CartPart {
  readonly place: Place;
  readonly want: Want;
}

export function noteOf({ place: { bucket }, want: { sku, parts } }: CartPart): string {
  return JSON.stringify([bucket, sku, parts.map(({ quantity, location }) => [quantity, location ?? null])]);
}

function partOf(note: string): CartPart {
  // As noteOf wrote it.
  const [bucket, sku, parts] = JSON.parse(note) as [number, string, [number, string | null][]];
  const lines = parts.map(([quantity, location]) => (location === null ? { quantity } : { quantity, location }));
  return { place: { sku, bucket }, want: { sku, parts: lines } };
}

/** Sees what has become of carts whose time is over at a place. Resolves to how many of them no longer hold anything there. */
export async function meetCarts(
  ctx: InventoryContext,
  place: Place,
  ids: readonly string[],
  options: BlockCallOptions,
): Promise<number> {
  let over = 0;
  for (const id of ids) {
    const fate = await ctx.carts.meet(id, options);
    if (fate.do === 'apply') await finishCommit(ctx, id, options);
    else await settle(ctx, place, id, fate, options);
    if (fate.do !== 'wait') over++;
  }
  return over;
}

async function settle(
  ctx: InventoryContext,
  place: Place,
  id: string,
  fate: Exclude<Fate, { do: 'apply' }>,
  options: BlockCallOptions,
): Promise<void> {
  await ctx.cells.change(
    place,
    (cell) => {
      if (fate.do === 'wait') cell.extend(id, fate.until);
      else cell.drop(id, 'expired');
    },
    options,
  );
}

/** Sells every SKU of a cart that was decided on, and closes it. Anybody may, any number of times. */
export async function finishCommit(ctx: InventoryContext, id: string, options: BlockCallOptions): Promise<void> {
  const cart = await ctx.carts.get(id, options);
  if (cart?.state !== 'committing') return;
  for (const { place } of partsOf(cart)) await ctx.cells.change(place, (cell) => cell.sell(id), options);
  await ctx.carts.decide(id, 'settle', options);
}

/** Gives every SKU of a cart back that came to nothing. */
export async function undo(
  ctx: InventoryContext,
  cart: StoredHold,
  ending: Exclude<Ending, 'committed'>,
  options: BlockCallOptions,
): Promise<void> {
  for (const { place } of partsOf(cart)) await ctx.cells.change(place, (cell) => cell.drop(cart.id, ending), options);
}

export function partsOf({ participants }: StoredHold): CartPart[] {
  return participants.map(partOf);
}
