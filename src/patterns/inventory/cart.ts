import { randomId } from '../../core/random-id.ts';
import type { StoredHold } from '../shared/hold/index.ts';
import { keyHash } from '../shared/key-ring.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { InventoryContext } from './context.ts';
import { holdClosed, holdExpired, type Shortfall } from './errors.ts';
import { type Request, soldHold, type TryReserve } from './held.ts';
import { cartId } from './hold-id.ts';
import type { Line } from './lines.ts';
import { noteOf, partsOf, undo } from './meet.ts';
import { refuse } from './settings.ts';
import { meetAll, shortfallsOf, take } from './take.ts';

/** Reserves several SKUs, all or nothing. */
export async function reserveCart(
  ctx: InventoryContext,
  request: Request,
  options: BlockCallOptions,
): Promise<TryReserve> {
  const { hash } = request;
  const unique = hash ?? randomId(ctx.environment.random, 12);
  for (let attempt = 0; ; attempt++) {
    const id = cartId(unique, attempt);
    const found = hash === undefined ? undefined : await ctx.carts.get(id, options);
    if (found?.state === 'abandoned') continue;
    // Most that are refused leave no record behind.
    const shortfalls = found === undefined ? await shortfallsOfAll(ctx, request, options) : undefined;
    if (shortfalls !== undefined) return { ok: false, shortfalls };
    const reserved = await reserveAs(ctx, id, request, options);
    if (reserved !== undefined) return reserved;
  }
}

/** `undefined` if somebody ended it before it was held. */
async function reserveAs(
  ctx: InventoryContext,
  id: string,
  { wants, ttl }: Request,
  options: BlockCallOptions,
): Promise<TryReserve | undefined> {
  const home = keyHash(id);
  const places = await Promise.all(wants.map(({ sku }) => ctx.spread.homeOf(sku, home, options)));
  const participants = wants.map((want, i) => noteOf({ place: places[i] ?? { sku: want.sku, bucket: 0 }, want }));
  const until = Math.ceil(ctx.environment.clock.now()) + ttl;
  const cart = await ctx.carts.begin({ id, expiresAt: until, participants }, options);
  if (
    JSON.stringify(partsOf(cart).map(({ want }) => want)) !==
    JSON.stringify(partsOf({ ...cart, participants }).map(({ want }) => want))
  ) {
    refuse('idempotencyKey', 'Another call with other lines had this idempotencyKey. Take a key for each order.');
  }
  const { expiresAt } = cart;
  if (cart.state === 'pending') {
    for (const { place, want } of partsOf(cart)) {
      const taken = await take(ctx, { place, id, want, expiresAt, cart: true }, options).catch(
        async (error: unknown) => {
          // It cannot be had. What was taken goes back now, or when its time is over.
          await giveUp(ctx, cart, options).catch(() => undefined);
          throw error;
        },
      );
      if (taken.kind === 'closed') break;
      if (taken.kind === 'short') {
        await giveUp(ctx, cart, options);
        return { ok: false, shortfalls: (await shortfallsOfAll(ctx, { wants }, options)) ?? taken.shortfalls };
      }
    }
  }
  const after =
    cart.state === 'pending'
      ? await ctx.carts.decide(id, 'hold', options)
      : await ctx.carts.decide(id, 'expire', options);
  switch (after?.state) {
    case 'held':
      return { ok: true, hold: await heldCart(ctx, after, !cart.isNew, options) };
    case 'committing':
    case 'committed':
      return { ok: true, hold: soldHold(id, wants, after.expiresAt) };
    case 'released':
      throw holdClosed(ctx.settings.name, id, 'released');
    case 'expired':
      await undo(ctx, after, 'expired', options);
      throw holdExpired(ctx.settings.name, id);
    default:
      await undo(ctx, cart, 'expired', options);
      return undefined;
  }
}

async function giveUp(ctx: InventoryContext, cart: StoredHold, options: BlockCallOptions): Promise<void> {
  const after = await ctx.carts.decide(cart.id, 'release', options);
  // Somebody else who has the key may have had better luck.
  if (after?.state === 'abandoned') await undo(ctx, cart, 'released', options);
}

async function heldCart(
  ctx: InventoryContext,
  cart: StoredHold,
  replayed: boolean,
  options: BlockCallOptions,
): Promise<Extract<TryReserve, { ok: true }>['hold']> {
  const lines: Line[] = [];
  for (const { place, want } of partsOf(cart)) {
    const { cells } = await ctx.cells.read(want.sku, options);
    const at = cells[place.bucket]?.hold(cart.id)?.at ?? {};
    for (const [location, quantity] of Object.entries(at)) lines.push({ sku: want.sku, location, quantity });
  }
  return { id: cart.id, state: 'held', lines, expiresAt: new Date(cart.expiresAt), replayed };
}

/** What a cart lacks, of all its SKUs; `undefined` if nothing. */
async function shortfallsOfAll(
  ctx: InventoryContext,
  { wants }: Pick<Request, 'wants'>,
  options: BlockCallOptions,
): Promise<Shortfall[] | undefined> {
  const all: Shortfall[] = [];
  for (const want of wants) {
    const stocked = await ctx.cells.read(want.sku, options);
    if (stocked.stock.backorder) continue;
    let short = shortfallsOf(ctx, stocked, want);
    if (short !== undefined && (await meetAll(ctx, stocked, options)) > 0) {
      short = shortfallsOf(ctx, await ctx.cells.read(want.sku, options), want);
    }
    if (short !== undefined && (await ctx.spread.finish(stocked, options)) > 0) continue;
    all.push(...(short ?? []));
  }
  return all.length === 0 ? undefined : all;
}
