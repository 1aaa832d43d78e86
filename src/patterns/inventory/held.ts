import type { Shortfall } from './errors.ts';
import type { Line, Want } from './lines.ts';

/** Stock that is kept for somebody. */
export interface StockHeld {
  readonly id: string;
  /** `committed`: of a repeated call whose hold was sold meanwhile. */
  readonly state: 'held' | 'committed';
  /** What is held, and where; of one that was sold, what was asked for. */
  readonly lines: readonly Line[];
  /** When it ends unless it is committed before. */
  readonly expiresAt: Date;
  /** An earlier call with the same key had made it. */
  readonly replayed: boolean;
}

export type TryReserve =
  | { readonly ok: true; readonly hold: StockHeld }
  | { readonly ok: false; readonly shortfalls: readonly Shortfall[] };

/** What is to be kept, how long, and under which name. */
export interface Request {
  readonly wants: readonly [Want, ...Want[]];
  readonly ttl: number;
  /** Of the idempotency key, if there is one. */
  readonly hash: string | undefined;
}

/** One that was sold before the call that asks for it again. */
export function soldHold(id: string, wants: readonly Want[], expiresAt: number): StockHeld {
  const lines = wants.flatMap(({ sku, parts }) => parts.map((part) => ({ sku, ...part })));
  return { id, state: 'committed', lines, expiresAt: new Date(expiresAt), replayed: true };
}
