import { endOf, withEnd } from './end-ring.ts';
import type { Want } from './lines.ts';
import type { Allocation } from './settings.ts';
import { type Cell, type Pieces, REMEMBERED, type StockHold } from './stock-record.ts';

/** A hold of a cart that is late at a record. */
export interface LateCart {
  readonly id: string;
  readonly n: number;
}

/** How a hold ended. */
export type Ending = 'committed' | 'released' | 'expired';
const ENDINGS: readonly Ending[] = ['committed', 'released', 'expired'];

/** One record of stock, with what follows from it: what is free at each location. Opened at an instant: what is late is let go. */
export class OpenCell {
  readonly #cell: Cell;
  readonly #now: number;
  readonly #allocation: Allocation;
  /** Pieces on hand and not held. */
  readonly #free: Record<string, number>;
  #holds = 0;
  /** Whether it is another than was read. */
  hasChanged = false;

  constructor(cell: Cell, now: number, allocation: Allocation) {
    this.#cell = cell;
    this.#now = now;
    this.#allocation = allocation;
    this.#free = { ...cell.levels };
    for (const [id, hold] of Object.entries(cell.book.holds)) {
      this.#move(hold.at, -1);
      this.#holds++;
      // A cart is decided on by its own record.
      if (hold.cart !== true && hold.expiresAt <= now) this.drop(id, 'expired');
    }
  }

  get now(): number {
    return this.#now;
  }

  get cell(): Cell {
    return this.#cell;
  }

  get holds(): number {
    return this.#holds;
  }

  get onHand(): number {
    return sum(this.#cell.levels);
  }

  /** What can be reserved, at one location or in all. */
  free(location?: string): number {
    const total = sum(this.#free) - (this.#cell.safetyStock ?? 0);
    return location === undefined ? total : Math.min(total, this.#free[location] ?? 0);
  }

  /** What is on hand and not held, by location. */
  get freeByLocation(): Readonly<Record<string, number>> {
    return this.#free;
  }

  hold(id: string): StockHold | undefined {
    return this.#cell.book.holds[id];
  }

  /** How a hold that is no longer here ended, if it is remembered. */
  ending(id: string): { readonly ending: Ending; readonly n: number } | undefined {
    for (const ending of ENDINGS) {
      const n = endOf(this.#cell.book[ending], id);
      if (n !== undefined) return { ending, n };
    }
    return undefined;
  }

  /** Carts whose time is over here: their own records say what becomes of them. */
  lateCarts(): LateCart[] {
    return Object.entries(this.#cell.book.holds)
      .filter(([, { cart, expiresAt }]) => cart === true && expiresAt <= this.#now)
      .map(([id, { n }]) => ({ id, n }));
  }

  /** Where the pieces would come from; `undefined` if there are too few. With `force` the rest is backordered. */
  allocate(parts: Want['parts'], force: boolean): Pieces | undefined {
    const isOpen = force || this.#cell.backorder === true;
    const wanted = parts.reduce((total, { quantity }) => total + quantity, 0);
    if (!isOpen && wanted > this.free()) return undefined;
    const left = { ...this.#free };
    const at: Pieces = {};
    for (const { location, quantity } of parts) {
      let missing = quantity;
      const order = location === undefined ? this.#order(left, quantity) : [location];
      for (const place of order) {
        const taken = Math.min(missing, Math.max(0, left[place] ?? 0));
        if (taken === 0) continue;
        left[place] = (left[place] ?? 0) - taken;
        at[place] = (at[place] ?? 0) + taken;
        missing -= taken;
      }
      if (missing === 0) continue;
      const [rest = 'default'] = order;
      if (!isOpen) return undefined;
      at[rest] = (at[rest] ?? 0) + missing;
    }
    return at;
  }

  put(id: string, pieces: Omit<StockHold, 'n'>): StockHold {
    const { book } = this.#cell;
    book.taken++;
    const hold = { ...pieces, n: book.taken };
    book.holds[id] = hold;
    this.#holds++;
    this.#move(hold.at, -1);
    this.hasChanged = true;
    return hold;
  }

  extend(id: string, until: number): void {
    const hold = this.hold(id);
    if (hold === undefined || hold.expiresAt >= until) return;
    hold.expiresAt = until;
    this.hasChanged = true;
  }

  /** Sells what is held. Once: then there is no such hold. */
  sell(id: string): void {
    const hold = this.hold(id);
    if (hold === undefined) return;
    this.drop(id, 'committed');
    this.change(hold.at, -1);
    this.#cell.book.sold += sum(hold.at);
  }

  /** Lets go of what is held. */
  drop(id: string, ending: Ending): void {
    const hold = this.hold(id);
    if (hold === undefined) return;
    const { book } = this.#cell;
    delete book.holds[id];
    this.#holds--;
    this.#move(hold.at, 1);
    if (hold.cart !== true) book[ending] = withEnd(book[ending], id, hold.n, REMEMBERED);
    this.hasChanged = true;
  }

  /** Pieces come to be on hand, or with -1 no longer are. The ledger is the caller's. */
  change(at: Readonly<Pieces>, sign: 1 | -1): void {
    const { levels } = this.#cell;
    for (const [location, quantity] of Object.entries(at)) levels[location] = (levels[location] ?? 0) + sign * quantity;
    this.#move(at, sign);
    this.hasChanged = true;
  }

  #move(at: Readonly<Pieces>, sign: 1 | -1): void {
    for (const [location, quantity] of Object.entries(at)) {
      this.#free[location] = (this.#free[location] ?? 0) + sign * quantity;
    }
  }

  #order(left: Readonly<Record<string, number>>, quantity: number): readonly string[] {
    const fullest = Object.keys(left).sort(
      (one, other) => (left[other] ?? 0) - (left[one] ?? 0) || (one < other ? -1 : 1),
    );
    if (this.#allocation === 'mostStock') return fullest;
    const first = typeof this.#allocation === 'function' ? this.#allocation(left, quantity) : this.#allocation;
    const wanted = first.filter((location) => location in left);
    return [...wanted, ...fullest.filter((location) => !wanted.includes(location))];
  }
}

export function sum(pieces: Readonly<Record<string, number>>): number {
  return Object.values(pieces).reduce((total, quantity) => total + quantity, 0);
}
