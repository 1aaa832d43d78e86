import { NorimakiError } from '../../../core/errors.ts';
import type { CommitStore, ScanStore } from '../../../core/store.ts';
import type { Database } from '../../../repositories/index.ts';

/** A store on which streams can be found. */
export type FeedStore = ScanStore & CommitStore;

/** The database, if its store can find streams. Errors: `capability.missing`. */
export function feedDatabase(db: Database, neededBy: string): Database<FeedStore> {
  const { scan, commit } = db.store.capabilities;
  if (scan && commit) return db as Database<FeedStore>; // Its store was just seen to be one.
  throw new NorimakiError(
    'capability.missing',
    `${neededBy} needs a store with scan and commit, to find the streams that there are: use the memory or the embedded store, or a NoriKV server with our extension. Appending and reading need neither.`,
    { capability: scan ? 'commit' : 'scan', neededBy },
  );
}
