import { randomId } from '../../core/random-id.ts';
import type { StoredHold } from '../shared/hold/index.ts';
import { keyHash } from '../shared/key-ring.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import type { InventoryContext } from './context.ts';
import { holdClosed, holdExpired, type Shortfall } from './errors.ts';
import { type Request, soldHold, type TryReserve } from './held.ts';
import { cartId } from './hold-id.ts';
import type { Line } from './lines.ts';
import { type CartPart, finishCommit, noteOf, partsOf, undo } from './meet.ts';
import type { Pieces } from './stock-record.ts';
import { meetAll, shortfallsOf, take } from './take.ts';

/** Reserves several SKUs, all or nothing. */
export async function reserveCart(
  ctx: InventoryContext,
  request: Request,
  options: BlockCallOptions,
): Promise<TryReserve> {
  const { hash } = request;
  const unique = hash ?? randomId(ctx.environment.random, 12);
  const patience = new Patience(`The carts of '${ctx.settings.name}'`, ctx.environment, options);
  for (let attempt = 0, isNew = hash === undefined; ; isNew = false) {
    const id = cartId(unique, attempt);
    const found = isNew ? undefined : await ctx.carts.get(id, options);
    if (found?.state === 'abandoned') {
      attempt++;
      continue;
    }
    // Most that are refused leave no record behind.
    const shortfalls = found === undefined ? await shortfallsOfAll(ctx, request, options) : undefined;
    if (shortfalls !== undefined) return { ok: false, shortfalls };
    const reserved = await reserveAs(ctx, id, request, options);
    if (reserved !== undefined) return reserved;
    await patience.next();
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
  const isPending = cart.state === 'pending';
  const taken = isPending ? await takeAll(ctx, cart, options) : { held: [] };
  const after = await decideOn(ctx, cart, taken, options);
  if (after?.state === 'held') {
    const lines = isPending && taken.held !== undefined ? linesOf(taken.held) : await linesHeld(ctx, after, options);
    return {
      ok: true,
      hold: { id, state: 'held', lines, expiresAt: new Date(after.expiresAt), replayed: !cart.isNew },
    };
  }
  // What was taken here came too late, and is nobody's.
  if (after?.state === 'committing') {
    if (isPending) await finishCommit(ctx, id, options);
  } else if (isPending || after?.state !== 'committed') {
    // What is pending now is another one, begun anew.
    await undo(ctx, after === undefined || after.state === 'pending' ? cart : after, options);
  }
  switch (after?.state) {
    case 'committing':
    case 'committed':
      return { ok: true, hold: soldHold(id, wants, after.expiresAt) };
    case 'released':
      throw holdClosed(ctx.settings.name, id, 'released');
    case 'expired':
      throw holdExpired(ctx.settings.name, id);
    default:
      if (taken.shortfalls === undefined) return undefined;
      return { ok: false, shortfalls: (await shortfallsOfAll(ctx, { wants }, options)) ?? taken.shortfalls };
  }
}

/** One SKU of a cart, and where its pieces are. */
interface HeldPart extends CartPart {
  readonly n: number;
  readonly at: Readonly<Pieces>;
}

/** `held`: all SKUs of a cart; without it, not all could be had: too few pieces, or too late. */
interface TakenParts {
  readonly held?: readonly HeldPart[] | undefined;
  readonly shortfalls?: readonly Shortfall[] | undefined;
}

async function takeAll(ctx: InventoryContext, cart: StoredHold, options: BlockCallOptions): Promise<TakenParts> {
  const { id, expiresAt } = cart;
  const held: HeldPart[] = [];
  for (const { place, want } of partsOf(cart)) {
    const taken = await take(ctx, { place, id, want, expiresAt, cart: true }, options).catch(async (error: unknown) => {
      // It cannot be had. What was taken goes back now, or when its time is over.
      await giveUp(ctx, cart, options).catch(() => undefined);
      throw error;
    });
    if (taken.kind === 'short') return { shortfalls: taken.shortfalls };
    if (taken.kind === 'closed') return {};
    held.push({ place, want, n: taken.hold.n, at: taken.hold.at });
  }
  return { held };
}

/** What is decided of a cart, after all or not all of it was taken. */
function decideOn(
  { carts }: InventoryContext,
  cart: StoredHold,
  { held, shortfalls }: TakenParts,
  options: BlockCallOptions,
): Promise<StoredHold | undefined> {
  if (shortfalls !== undefined) return carts.decideBegun(cart, 'abandon', options);
  if (cart.state !== 'pending' || held === undefined) return carts.decide(cart.id, 'expire', options);
  return carts.decideBegun(cart, 'hold', { ...options, participants: held.map(noteOf) });
}

async function giveUp(ctx: InventoryContext, cart: StoredHold, options: BlockCallOptions): Promise<void> {
  const after = await ctx.carts.decideBegun(cart, 'abandon', options);
  // Somebody else who has the key may have had better luck.
  if (after?.state === 'abandoned') await undo(ctx, cart, options);
}

function linesOf(held: readonly HeldPart[]): Line[] {
  return held.flatMap(({ want: { sku }, at }) =>
    Object.entries(at).map(([location, quantity]) => ({ sku, location, quantity })),
  );
}

/** What a cart holds that somebody else has taken. */
async function linesHeld(ctx: InventoryContext, cart: StoredHold, options: BlockCallOptions): Promise<Line[]> {
  const held: HeldPart[] = [];
  for (const { place, want, n = 0 } of partsOf(cart)) {
    const { cells } = await ctx.cells.read(want.sku, options);
    held.push({ place, want, n, at: cells[place.bucket]?.hold(cart.id)?.at ?? {} });
  }
  return linesOf(held);
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
