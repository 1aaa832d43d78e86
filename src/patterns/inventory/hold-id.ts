import type { Place } from './cells.ts';

// The id of a hold says where it is: a hold of one SKU in that SKU's record, a cart in a record of its own.

/** A hold of one SKU: under which name its record knows it, and which of that name it is. */
export interface SingleHold {
  readonly place: Place;
  readonly name: string;
  readonly n: number;
}

/** The name of a hold of one SKU in its record. The same key makes the same again, once it is forgotten. */
export function singleName({ sku, bucket }: Place, unique: string): string {
  return `s${unique}.${bucket}.${Buffer.from(sku).toString('base64url')}`;
}

/** Its id, which is never given twice. */
export function singleId(name: string, n: number): string {
  return `${name}.${n}`;
}

/** `attempt` counts those that came to nothing before they were held. */
export function cartId(unique: string, attempt: number): string {
  return `c${unique}.${attempt}`;
}

export function isCart(id: string): boolean {
  return /^c[\w-]{16}\.\d+$/.test(id);
}

/** Where a hold of one SKU is. */
export function singleOf(id: string): SingleHold | undefined {
  const [, name, bucket, sku, n] = /^(s[\w-]{16}\.(\d{1,2})\.([\w-]+))\.(\d{1,16})$/.exec(id) ?? [];
  if (name === undefined || bucket === undefined || sku === undefined) return undefined;
  return { place: { sku: Buffer.from(sku, 'base64url').toString(), bucket: Number(bucket) }, name, n: Number(n) };
}
