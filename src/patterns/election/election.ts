import type { Database } from '../../repositories/index.ts';
import type { BlockOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { Candidacy } from './candidacy.ts';
import { watching } from './observe.ts';
import { type ElectionRecord, electionAccess, electionRecords } from './records.ts';
import { OwnSeat } from './seat.ts';
import { type ElectionOptions, namesOf, timesOf } from './settings.ts';

/**
 * Elects one of many processes. Each leader has a token, higher than all before; records refuse what comes with a lower one
 * than they have seen, so that a leader that does not know yet that it is none does no harm.
 *
 * Each object is one candidate.
 *
 * @example
 * ```ts
 * const election = new Election(db, { name: 'scheduler', candidate: hostname(), ttl: '15s' });
 * await election.lead(async (leadership) => {
 *   await leadership.seal(db.repo(Job), 'shard-3');
 *   await db.repo(Job).mutate(id, (job) => { job.state = 'run' }, { fence: leadership.token, signal: leadership.signal });
 * }, { signal });
 * ```
 */
export class Election<Meta = undefined> extends Candidacy<Meta> {
  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: ElectionOptions<Meta>) {
    const { name, candidate } = namesOf(options);
    const times = timesOf(options);
    requireElectionStore('Election', db, options);
    const { environment } = db;
    const records = electionRecords(db);
    // Meta is JSON, or the first write of the record is refused.
    const meta = options.meta as ElectionRecord['meta'];
    const seat = new OwnSeat(records, environment, { name, candidate, meta, times });
    super({
      name,
      seat,
      record: electionAccess(records, name),
      watch: () => watching(times, environment),
      times,
      environment,
    });
  }
}

export function requireElectionStore(block: string, db: Database, options: Pick<BlockOptions, 'unsafe'>): void {
  requireStore(block, db, options, {
    cas: 'two processes could lead at once',
    ifAbsent: 'two first leaders could have the same token',
  });
}
