import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, checkWhole, refuse } from '../shared/options.ts';

/**
 * In which order locations are asked for a line that names none: the fullest first, in an order of yours (others follow, the fullest
 * first), or as a function of what each has says.
 */
export type Allocation =
  | 'mostStock'
  | readonly string[]
  | ((available: Readonly<Record<string, number>>, quantity: number) => readonly string[]);

/** What `Inventory` is told when it is made. */
export interface InventoryOptions extends BlockOptions {
  /** How long a hold lives unless it says otherwise; default `'15m'`. */
  readonly ttl?: Duration | undefined;
  /** Records that share the stock of a new SKU, 1 to 64; default 1. More for one that very many want at once. */
  readonly buckets?: number | undefined;
  readonly allocation?: Allocation | undefined;
  /** The location of who names none when stock comes in; default `'default'`. */
  readonly location?: string | undefined;
  /** Live holds that one record carries, 1 to 5,000; default 5,000. */
  readonly maxHolds?: number | undefined;
  /** How long the end of a cart is remembered, and so its idempotency key; default `'7d'`. */
  readonly remember?: Duration | undefined;
}

/** The options, checked; times in milliseconds. */
export interface InventorySettings {
  readonly name: string;
  readonly ttl: number;
  readonly buckets: number;
  readonly allocation: Allocation;
  readonly location: string;
  readonly maxHolds: number;
  readonly remember: number;
}

const MAX_BUCKETS = 64;
const MAX_HOLDS = 5000;

export function settingsOf(options: InventoryOptions): InventorySettings {
  const { allocation = 'mostStock', location = 'default' } = options;
  const isAllocation = allocation === 'mostStock' || Array.isArray(allocation) || typeof allocation === 'function';
  if (!isAllocation) refuse('allocation', "allocation is 'mostStock', a list of locations, or a function.");
  return {
    name: checkName('Inventory', options.name),
    ttl: checkTtl(options.ttl ?? '15m'),
    buckets: checkWhole(options.buckets ?? 1, 'buckets', 1, MAX_BUCKETS),
    allocation,
    location: checkLocation(location),
    maxHolds: checkWhole(options.maxHolds ?? MAX_HOLDS, 'maxHolds', 1, MAX_HOLDS),
    remember: milliseconds(options.remember ?? '7d', 'remember'),
  };
}

/** How long a hold lives. Errors: `argument.invalid`. */
export function checkTtl(ttl: Duration): number {
  const ms = Math.floor(milliseconds(ttl, 'ttl'));
  return ms > 0 ? ms : refuse('ttl', 'A hold lives for some time: ttl is longer than nothing.');
}

export function checkBuckets(buckets: number): number {
  return checkWhole(buckets, 'buckets', 1, MAX_BUCKETS);
}

export function checkSafetyStock(pieces: number): number {
  if (Number.isSafeInteger(pieces) && pieces >= 0) return pieces;
  return refuse('safetyStock', 'safetyStock is a whole number of pieces, or 0.');
}

/** A number of pieces. Errors: `argument.invalid`. */
export function checkQuantity(quantity: number): number {
  return checkWhole(quantity, 'quantity', 1, 1e12);
}

export function checkText(value: string, argument: string): string {
  if (typeof value === 'string' && value !== '' && value !== '__proto__' && value.isWellFormed()) return value;
  return refuse(argument, `${argument} is a string of well-formed Unicode, not empty.`);
}

/** A location is a field of a record. */
export function checkLocation(value: string, argument = 'location'): string {
  const name = checkText(value, argument);
  return name in {} ? refuse(argument, `${argument} cannot be a name that every object of JavaScript has.`) : name;
}

/** The empty one is that of everybody who forgot to fill it in. */
export function checkKey(value: string | undefined): string | undefined {
  return value === undefined ? undefined : checkText(value, 'idempotencyKey');
}
