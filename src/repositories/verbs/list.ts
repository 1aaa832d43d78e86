import type { ScanPage } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { snapshotOf } from '../snapshot.ts';
import { type ListOptions, type Page, readAll, readPage } from './pages.ts';
import { readEntity } from './read.ts';

function readRecords(context: RepositoryContext) {
  return async (entries: ScanPage['entries']): Promise<(object | undefined)[]> =>
    entries.map((entry) => readEntity(context, context.keys.recordId(entry.key), entry));
}

export function listEntities(context: RepositoryContext, options: ListOptions): Promise<Page<object>> {
  return readPage(context, context.keys.allRecords(), options, readRecords(context));
}

export function scanEntities(
  context: RepositoryContext,
  options: ListOptions,
): AsyncGenerator<object, void, undefined> {
  return readAll(context, context.keys.allRecords(), options, readRecords(context));
}

export async function countEntities(context: RepositoryContext, options: ListOptions): Promise<number> {
  // What a store that commits lists has not reached its deadline; others may list tombstones, which stand for an hour.
  const isLive = context.client.store.capabilities.commit
    ? () => true
    : (entry: ScanPage['entries'][number]) =>
        snapshotOf(context, context.keys.recordId(entry.key), entry).live !== undefined;
  let count = 0;
  const tally = async (entries: ScanPage['entries']): Promise<never[]> => {
    for (const entry of entries) if (isLive(entry)) count++;
    return [];
  };
  await readPage(context, context.keys.allRecords(), { ...options, limit: Number.MAX_SAFE_INTEGER }, tally);
  return count;
}
