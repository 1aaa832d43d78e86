import { statSync } from 'node:fs';
import type { TableStats } from './lmdb.ts';
import type { OpenedFolder } from './open-folder.ts';
import type { EmbeddedStats } from './types.ts';

const META_PAGES = 2;

/** Reads counters that LMDB and the namespaces keep; looks at no record and no vector. */
export async function statsOf({ tables, queue, sweeper, vectors }: OpenedFolder): Promise<EmbeddedStats> {
  const { root, free, lastPageNumber, ...meta } = tables.meta.getStats();
  const records = tables.records.getStats();
  const deadlines = tables.deadlines.getStats();
  const changes = tables.changeTables.changes.getStats();
  const others = Object.values(tables.vectorTables).map((table) => table.getStats());
  tables.root.resetReadTxn();
  const trees = [root, free, meta, records, deadlines, changes, ...others];
  const used = META_PAGES + trees.reduce((sum, tree) => sum + pagesOf(tree), 0);
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
    changes: changes.entryCount,
    sweepFailures: failures + vectors.sweepFailures,
    namespaces: await vectors.stats(),
  };
}

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TableStats): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}
