import { openRecord } from '../../core/codec/index.ts';
import type { Sealer } from '../../repositories/internal.ts';
import { usageOf } from '../../repositories/tenancy/metering.ts';
import type { PartEntry } from '../../repositories/tenancy/part.ts';
import { type Amounts, amountsOf, NOTHING } from './usage.ts';

/** What one key of a tenant counts. A record that cannot be read counts all the same. */
export function countOf({ kind, key, value, entity }: PartEntry, sealer: Sealer | undefined): Amounts {
  if (kind !== 'r') return NOTHING;
  const amounts = { keys: 1, bytes: value.length, vectors: 0 };
  const plain = sealer === undefined ? value : sealer.open(key, value);
  if (plain === undefined) return amounts;
  try {
    const { envelope } = openRecord(plain, () => entity, entity);
    return amountsOf(usageOf(envelope, value.length));
  } catch {
    return amounts;
  }
}
