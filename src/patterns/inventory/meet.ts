import type { Fate, StoredHold } from '../shared/hold/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { Place } from './cells.ts';
import type { InventoryContext } from './context.ts';
import type { Want } from './lines.ts';
import type { LateCart } from './open-cell.ts';

/** One SKU of a cart, as it is noted in the record of the cart: the bucket, and what is wanted. */
export interface CartPart {
  readonly place: Place;
  readonly want: Want;
  /** Once it is held: which hold of the bucket it is. Any other under the name of the cart came too late, and is never sold. */
  readonly n?: number | undefined;
}

export function noteOf({ place: { bucket }, want: { sku, parts }, n = 0 }: CartPart): string {
  return JSON.stringify([bucket, sku, parts.map(({ quantity, location }) => [quantity, location ?? null]), n]);
}

function partOf(note: string): CartPart {
  // As noteOf wrote it.
  const [bucket, sku, parts, n] = JSON.parse(note) as [number, string, [number, string | null][], number];
  const lines = parts.map(([quantity, location]) => (location === null ? { quantity } : { quantity, location }));
  return { place: { sku, bucket }, want: { sku, parts: lines }, n };
}

/** Sees what has become of carts whose time is over at a place. Resolves to how many of them no longer hold anything there. */
export async function meetCarts(
  ctx: InventoryContext,
  place: Place,
  late: readonly LateCart[],
  options: BlockCallOptions,
): Promise<number> {
  let over = 0;
  for (const one of late) {
    const fate = await ctx.carts.meet(one.id, options);
    if (fate.do === 'apply') await finishCommit(ctx, one.id, options);
    else await settle(ctx, place, one, fate, options);
    if (fate.do !== 'wait') over++;
  }
  return over;
}

async function settle(
  ctx: InventoryContext,
  place: Place,
  { id, n }: LateCart,
  fate: Exclude<Fate, { do: 'apply' }>,
  options: BlockCallOptions,
): Promise<void> {
  await ctx.cells.change(
    place,
    (cell) => {
      if (fate.do === 'wait') cell.extend(id, fate.until);
      // The fate is that of what was met, not of what somebody may have put there since.
      else if (cell.hold(id)?.n === n) cell.drop(id, 'expired');
    },
    options,
  );
}

/** Sells every SKU of a cart that was decided on, and closes it. Anybody may, any number of times. */
export async function finishCommit(ctx: InventoryContext, id: string, options: BlockCallOptions): Promise<void> {
  const cart = await ctx.carts.get(id, options);
  if (cart?.state !== 'committing') return;
  for (const { place, n } of partsOf(cart)) {
    await ctx.cells.change(
      place,
      (cell) => {
        if (cell.hold(id)?.n === n) cell.sell(id);
        else cell.drop(id, 'expired');
      },
      options,
    );
  }
  await ctx.carts.decide(id, 'settle', options);
}

/** Gives every SKU back that a cart still holds though it is closed: it came to nothing, or was sold and somebody took more. */
export async function undo(ctx: InventoryContext, cart: StoredHold, options: BlockCallOptions): Promise<void> {
  for (const { place } of partsOf(cart)) {
    await ctx.cells.change(
      place,
      (cell) => {
        // One that lives longer is of a cart that was begun anew under this name.
        if ((cell.hold(cart.id)?.expiresAt ?? 0) <= cart.expiresAt) cell.drop(cart.id, 'expired');
      },
      options,
    );
  }
}

export function partsOf({ participants }: StoredHold): CartPart[] {
  return participants.map(partOf);
}
