import type { Table } from '../lmdb.ts';

/** The LMDB tables of vectors; see layout.ts. */
export interface VectorTables {
  readonly spaces: Table;
  readonly labels: Table;
  readonly vectors: Table;
  readonly removals: Table;
}

/** Their names in the data file. */
export const VECTOR_TABLES = {
  spaces: 'vector-spaces',
  labels: 'vector-labels',
  vectors: 'vectors',
  removals: 'vector-removals',
} as const;
