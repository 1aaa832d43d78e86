import { NorimakiError } from '../../core/errors.ts';

/** Of which there is too little. */
export interface Shortfall {
  readonly sku: string;
  /** Only if the line named one. */
  readonly location?: string | undefined;
  readonly requested: number;
  /** What could be had instead. */
  readonly available: number;
}

/** The codes of an inventory, and what they carry in `details`. */
export interface InventoryErrorDetails {
  'inventory.insufficient': { inventory: string; shortfalls: readonly Shortfall[] };
  'inventory.holdExpired': { inventory: string; hold: string };
  'inventory.holdClosed': { inventory: string; hold: string; state: 'committed' | 'released' };
  /** No hold has this id, or it was closed longer ago than is remembered. */
  'inventory.unknownHold': { inventory: string; hold: string };
  'inventory.unknownSku': { inventory: string; sku: string };
  'inventory.tooManyHolds': { inventory: string; sku: string; limit: number };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends InventoryErrorDetails {}
}

export function insufficient(
  inventory: string,
  shortfalls: readonly Shortfall[],
): NorimakiError<'inventory.insufficient'> {
  return new NorimakiError(
    'inventory.insufficient',
    `The inventory '${inventory}' has too little of ${shortfalls.length === 1 ? 'one SKU' : `${shortfalls.length} SKUs`}; nothing was changed. See details.shortfalls, or use tryReserve.`,
    { inventory, shortfalls },
  );
}

export function holdExpired(inventory: string, hold: string): NorimakiError<'inventory.holdExpired'> {
  return new NorimakiError(
    'inventory.holdExpired',
    `The hold has expired, and its stock is free again in the inventory '${inventory}'. Reserve again, or extend holds in time.`,
    { inventory, hold },
  );
}

export function holdClosed(
  inventory: string,
  hold: string,
  state: 'committed' | 'released',
): NorimakiError<'inventory.holdClosed'> {
  return new NorimakiError(
    'inventory.holdClosed',
    `The hold in the inventory '${inventory}' was ${state} already. For goods that come back there is restock.`,
    { inventory, hold, state },
  );
}

export function unknownHold(inventory: string, hold: string): NorimakiError<'inventory.unknownHold'> {
  return new NorimakiError(
    'inventory.unknownHold',
    `The inventory '${inventory}' knows no such hold: it never was, or was closed too long ago to be remembered.`,
    { inventory, hold },
  );
}

export function unknownSku(inventory: string, sku: string): NorimakiError<'inventory.unknownSku'> {
  return new NorimakiError(
    'inventory.unknownSku',
    `The inventory '${inventory}' has no such SKU. Make it with create.`,
    { inventory, sku },
  );
}

export function tooManyHolds(inventory: string, sku: string, limit: number): NorimakiError<'inventory.tooManyHolds'> {
  return new NorimakiError(
    'inventory.tooManyHolds',
    `One record of the inventory '${inventory}' carries ${limit} live holds already. Spread the SKU over more buckets, or let holds live shorter.`,
    { inventory, sku, limit },
  );
}
