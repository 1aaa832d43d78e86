import { statSync } from 'node:fs';
import type { TableStats } from './lmdb.ts';
import type { Sweeper } from './sweeper.ts';
import type { Tables } from './tables.ts';
import type { EmbeddedStats } from './types.ts';
import type { WriteQueue } from './write-queue.ts';

const META_PAGES = 2;

/** Reads counters that LMDB keeps; looks at no record. */
export function statsOf(tables: Tables, queue: WriteQueue, sweeper: Sweeper | undefined): EmbeddedStats {
  const { root, free, lastPageNumber, ...meta } = tables.meta.getStats();
  const records = tables.records.getStats();
  const deadlines = tables.deadlines.getStats();
  tables.root.resetReadTxn();
  const used = META_PAGES + [root, free, meta, records, deadlines].reduce((sum, tree) => sum + pagesOf(tree), 0);
  const { writes, commits, queued } = queue.counts;
  const { swept, failures } = sweeper?.counts ?? { swept: 0, failures: 0 };
  return {
    records: records.entryCount,
    expiring: deadlines.entryCount,
    bytes: statSync(tables.file).size,
    reclaimable: Math.max(0, lastPageNumber + 1 - used) * root.pageSize,
    writes,
    commits,
    queued,
    swept,
    sweepFailures: failures,
  };
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TableStats): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}
