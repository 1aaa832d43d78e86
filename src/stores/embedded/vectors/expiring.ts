import type { VectorName } from '../../../core/vectors/index.ts';
import { asBuffer, NOTHING } from '../layout.ts';
import type { Table } from '../lmdb.ts';
import type { PreparedVector } from './vector-batch.ts';

// The vectors that end with a record stand beside its deadline, as JSON: [[namespace, id], …]; nothing if there are none.
// Programs from before there were any read no value there: they leave the vectors of what they sweep.

export function encodeExpiring(names: readonly VectorName[]): Uint8Array {
  if (names.length === 0) return NOTHING;
  return Buffer.from(JSON.stringify(names.map(({ namespace, id }) => [namespace, id])));
}

/** Deletes of the vectors that stand beside a deadline. */
export function expiringVectors(deadlines: Table, deadline: Uint8Array): PreparedVector[] {
  const stored = deadlines.getBinaryFast(deadline);
  if (stored === undefined || deadlines.lastSize === 0) return [];
  // Only `encodeExpiring` writes there.
  const names = JSON.parse(asBuffer(stored).toString('utf8', 0, deadlines.lastSize)) as [string, string][];
  return names.map(([namespace, id]) => ({ type: 'delete', namespace, id: Buffer.from(id) }));
}
