import type { Environment } from '../../core/clock.ts';
import type { Database } from '../../repositories/index.ts';
import { IndexDocument } from '../shared/index-document/index-document.ts';
import type { Documents } from './documents.ts';
import type { DedupRecords } from './records.ts';
import type { DedupSettings } from './settings.ts';

/** What every verb works with. */
export interface DedupContext {
  readonly settings: DedupSettings;
  readonly documents: Documents;
  readonly records: DedupRecords;
  readonly sets: DedupSets;
  readonly environment: Environment;
}

/** The sets of ids of a deduplicator. All are derived: what they name is verified. */
export class DedupSets {
  readonly #db: Database;
  readonly #name: string;
  /** The first group of each cluster that ever had more than one document. */
  readonly clusters: IndexDocument;
  /** Pairs of texts to be looked at by somebody. */
  readonly review: IndexDocument;
  /** Pairs of texts that somebody said are not the same. */
  readonly different: IndexDocument;

  constructor(db: Database, name: string) {
    this.#db = db;
    this.#name = name;
    this.clusters = this.#set('clusters', '');
    this.review = this.#set('review', '');
    this.different = this.#set('different', '');
  }

  /** The documents that have the text of a group, but for its holder. */
  copies(key: string): IndexDocument {
    return this.#set('copies', key);
  }

  /** The groups that joined a group, by age. */
  members(key: string): IndexDocument {
    return this.#set('members', key);
  }

  #set(kind: string, key: string): IndexDocument {
    return new IndexDocument(this.#db, { name: JSON.stringify(['dedup', this.#name, kind, key]) });
  }
}
