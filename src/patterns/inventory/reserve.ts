import { randomId } from '../../core/random-id.ts';
import { keyHash } from '../shared/key-ring.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { reserveCart } from './cart.ts';
import type { InventoryContext } from './context.ts';
import { holdClosed, holdExpired } from './errors.ts';
import { soldHold, type TryReserve } from './held.ts';
import { singleId, singleName } from './hold-id.ts';
import { type Line, wantsOf } from './lines.ts';
import { take } from './take.ts';

export interface HowToReserve {
  /** In milliseconds. */
  readonly ttl: number;
  readonly idempotencyKey: string | undefined;
  /** Whether one SKU gets a record of its own, too. */
  readonly asCart: boolean;
}

export async function reserve(
  ctx: InventoryContext,
  lines: readonly Line[],
  { ttl, idempotencyKey, asCart }: HowToReserve,
  options: BlockCallOptions,
): Promise<TryReserve> {
  const wants = wantsOf(lines);
  const hash = idempotencyKey === undefined ? undefined : keyHash(idempotencyKey);
  if (wants.length > 1 || asCart) return reserveCart(ctx, { wants, ttl, hash }, options);
  const [want] = wants;
  const place = await ctx.spread.homeOf(want.sku, hash, options);
  const name = singleName(place, hash ?? randomId(ctx.environment.random, 12));
  const expiresAt = Math.ceil(ctx.environment.clock.now()) + ttl;
  const taken = await take(ctx, { place, id: name, want, expiresAt, cart: false }, options);
  switch (taken.kind) {
    case 'short':
      return { ok: false, shortfalls: taken.shortfalls };
    case 'closed': {
      const id = singleId(name, taken.n);
      if (taken.ending === 'expired') throw holdExpired(ctx.settings.name, id);
      if (taken.ending === 'released') throw holdClosed(ctx.settings.name, id, 'released');
      return { ok: true, hold: soldHold(id, wants, expiresAt) };
    }
    default: {
      const { hold, replayed } = taken;
      const id = singleId(name, hold.n);
      const held = Object.entries(hold.at).map(([location, quantity]) => ({ sku: want.sku, location, quantity }));
      return { ok: true, hold: { id, state: 'held', lines: held, expiresAt: new Date(hold.expiresAt), replayed } };
    }
  }
}
