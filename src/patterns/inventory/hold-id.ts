import type { Place } from './cells.ts';

// The id of a hold says where it is: a hold of one SKU in that SKU's record, a cart in a record of its own.

export function singleId({ sku, bucket }: Place, unique: string): string {
  return `s${unique}.${bucket}.${Buffer.from(sku).toString('base64url')}`;
}

/** `attempt` counts those that came to nothing before they were held. */
export function cartId(unique: string, attempt: number): string {
  return `c${unique}.${attempt}`;
}

export function isCart(id: string): boolean {
  return /^c[\w-]{16}\.\d+$/.test(id);
}

/** Where a hold of one SKU is. */
export function placeOf(id: string): Place | undefined {
  const [, bucket, sku] = /^s[\w-]{16}\.(\d{1,2})\.([\w-]+)$/.exec(id) ?? [];
  if (bucket === undefined || sku === undefined) return undefined;
  return { sku: Buffer.from(sku, 'base64url').toString(), bucket: Number(bucket) };
}
