import { refuse } from '../shared/options.ts';
import { checkLocation, checkQuantity, checkText } from './settings.ts';

/** So many pieces of a SKU, from one location or from whichever has them. */
export interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly location?: string | undefined;
}

/** What is wanted of one SKU: the lines that name a location, then the others. */
export interface Want {
  readonly sku: string;
  readonly parts: readonly { readonly location?: string | undefined; readonly quantity: number }[];
}

/** The lines, summed by SKU and location, in the order of SKUs. Errors: `argument.invalid`. */
export function wantsOf(lines: readonly Line[]): [Want, ...Want[]] {
  const sums = new Map<string, Map<string, number>>();
  for (const { sku, quantity, location } of lines) {
    checkText(sku, 'sku');
    const place = location === undefined ? '' : checkLocation(location);
    const places = sums.get(sku) ?? new Map<string, number>();
    places.set(place, (places.get(place) ?? 0) + checkQuantity(quantity));
    sums.set(sku, places);
  }
  const [first, ...rest] = [...sums]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([sku, places]): Want => ({ sku, parts: partsOf(places) }));
  return first === undefined
    ? refuse('lines', 'There is nothing to reserve: give at least one line.')
    : [first, ...rest];
}

function partsOf(places: ReadonlyMap<string, number>): Want['parts'] {
  return [...places]
    .sort(([one], [other]) => (one === '' ? 1 : other === '' ? -1 : one < other ? -1 : 1))
    .map(([location, quantity]) => (location === '' ? { quantity } : { location, quantity }));
}

export function totalOf(parts: Want['parts']): number {
  return parts.reduce((sum, { quantity }) => sum + quantity, 0);
}
