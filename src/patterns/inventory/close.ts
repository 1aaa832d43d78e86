import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { InventoryContext } from './context.ts';
import { holdClosed, holdExpired, unknownHold } from './errors.ts';
import { isCart, singleOf } from './hold-id.ts';
import { finishCommit, undo } from './meet.ts';
import type { Ending, OpenCell } from './open-cell.ts';

/** Sells what is held. `true`: it was sold before. */
export async function commit(ctx: InventoryContext, id: string, options: BlockCallOptions): Promise<boolean> {
  const { name } = ctx.settings;
  if (isCart(id)) {
    const before = await ctx.carts.get(id, options);
    const cart = await ctx.carts.decide(id, 'commit', options);
    switch (cart?.state) {
      case 'committing':
        await finishCommit(ctx, id, options);
        return before?.state === 'committing';
      case 'committed':
        return true;
      case 'expired':
        await undo(ctx, cart, options);
        throw holdExpired(name, id);
      case 'released':
        throw holdClosed(name, id, 'released');
      default:
        throw unknownHold(name, id);
    }
  }
  const ending = await single(ctx, id, (cell, name) => cell.sell(name), options);
  if (ending === 'released') throw holdClosed(name, id, 'released');
  if (ending === 'expired') throw holdExpired(name, id);
  return ending === 'committed';
}

/** Gives back what is held. `false`: it was given back or has expired before. */
export async function release(ctx: InventoryContext, id: string, options: BlockCallOptions): Promise<boolean> {
  const { name } = ctx.settings;
  if (isCart(id)) {
    const before = await ctx.carts.get(id, options);
    const cart = await ctx.carts.decide(id, 'release', options);
    switch (cart?.state) {
      case 'released':
      case 'expired':
      case 'abandoned':
        await undo(ctx, cart, options);
        return before?.state === 'held';
      case 'committing':
      case 'committed':
        throw holdClosed(name, id, 'committed');
      default:
        throw unknownHold(name, id);
    }
  }
  const ending = await single(ctx, id, (cell, name) => cell.drop(name, 'released'), options);
  if (ending === 'committed') throw holdClosed(name, id, 'committed');
  return ending === undefined;
}

/** Lets a hold live until then, or longer if it does anyway. Resolves to when it ends. */
export async function extend(
  ctx: InventoryContext,
  id: string,
  until: number,
  options: BlockCallOptions,
): Promise<number> {
  const { name } = ctx.settings;
  if (isCart(id)) {
    // What stands in the records of the SKUs is brought up to date by whoever needs it.
    const cart = await ctx.carts.extend(id, until, options);
    if (cart?.state === 'held') return cart.expiresAt;
    if (cart?.state === 'expired') throw holdExpired(name, id);
    if (cart?.state === 'released') throw holdClosed(name, id, 'released');
    if (cart?.state === 'committing' || cart?.state === 'committed') throw holdClosed(name, id, 'committed');
    throw unknownHold(name, id);
  }
  let expiresAt = until;
  const prolong = (cell: OpenCell, holdName: string): void => {
    cell.extend(holdName, until);
    expiresAt = cell.hold(holdName)?.expiresAt ?? until;
  };
  const ending = await single(ctx, id, prolong, options);
  if (ending === 'expired') throw holdExpired(name, id);
  if (ending !== undefined) throw holdClosed(name, id, ending);
  return expiresAt;
}

/** Changes a hold of one SKU that is still there; else resolves to how it ended. Errors: `inventory.unknownHold`. */
async function single(
  ctx: InventoryContext,
  id: string,
  change: (cell: OpenCell, name: string) => void,
  options: BlockCallOptions,
): Promise<Ending | undefined> {
  const asked = singleOf(id);
  const { name } = ctx.settings;
  if (asked === undefined) throw unknownHold(name, id);
  const apply = (cell: OpenCell): Ending | undefined => {
    const found = cell.hold(asked.name);
    const ended = found === undefined ? cell.ending(asked.name) : undefined;
    // Another one under the same key: the one that is meant was forgotten before.
    if ((found ?? ended)?.n !== asked.n) throw unknownHold(name, id);
    if (found !== undefined) change(cell, asked.name);
    return ended?.ending;
  };
  try {
    return await ctx.cells.change(asked.place, apply, options);
  } catch (error) {
    throw NorimakiError.is(error, 'inventory.unknownSku') ? unknownHold(name, id) : error;
  }
}
