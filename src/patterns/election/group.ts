import type { Environment } from '../../core/clock.ts';
import { randomId } from '../../core/random-id.ts';
import type { Database } from '../../repositories/index.ts';
import { checkName } from '../shared/options.ts';
import { Candidacy } from './candidacy.ts';
import { requireElectionStore } from './election.ts';
import { GroupSeat, type GroupTenure } from './group-seat.ts';
import { Membership } from './membership.ts';
import {
  type ElectionRecord,
  type GroupElectionRecord,
  type GroupElections,
  groupAccess,
  groupRecords,
} from './records.ts';
import { type ElectionOptions, namesOf, type Times, timesOf } from './settings.ts';

/** Records that one call looks at. */
const MAX_LOOKS = 250;

/**
 * Many elections that one process takes part in, with one sign of life for all that it leads: one write each `renewEvery`,
 * whether it leads one or a thousand. When the process dies, all that it led is free at once.
 *
 * @example
 * ```ts
 * await using group = new ElectionGroup(db, { name: 'partitions', candidate: hostname() });
 * await Promise.all(partitions.map((id) => group.election(id).lead((leadership) => consume(id, leadership), { signal })));
 * ```
 */
export class ElectionGroup<Meta = undefined> implements AsyncDisposable {
  readonly name: string;
  readonly #elections = new Map<string, Candidacy<Meta>>();
  readonly #tenures = new Set<GroupTenure>();
  readonly #membership: Membership;
  readonly #records: GroupElections;
  readonly #environment: Environment;
  readonly #times: Times;
  readonly #word: { readonly candidate: string; readonly meta: ElectionRecord['meta'] };
  readonly #closing = new AbortController();
  #isLooking = false;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: ElectionOptions<Meta>) {
    const { name, candidate } = namesOf(options);
    requireElectionStore('ElectionGroup', db, options);
    const { elections, members } = groupRecords(db);
    const { environment } = db;
    this.name = name;
    this.#times = timesOf(options);
    this.#environment = environment;
    this.#records = elections;
    this.#membership = new Membership(members, name, environment, this.#times);
    this.#word = {
      candidate: candidate ?? randomId(environment.random, 16),
      // Meta is JSON, or the first write of the record is refused.
      meta: options.meta as ElectionRecord['meta'],
    };
  }

  /** Name of this candidate, in all elections of the group. */
  get candidate(): string {
    return this.#word.candidate;
  }

  /** One of the elections; the same object each time. Errors: `argument.invalid`. */
  election(name: string): Candidacy<Meta> {
    let election = this.#elections.get(name);
    if (election === undefined) {
      const record = groupAccess(this.#records, { group: this.name, name: checkName('Election', name) });
      const seat = new GroupSeat(
        {
          name,
          access: record,
          membership: this.#membership,
          environment: this.#environment,
          times: this.#times,
          onTenure: (tenure) => this.#onTenure(tenure),
        },
        this.#word.candidate,
        this.#word.meta,
      );
      election = new Candidacy<Meta>({
        name,
        seat,
        record,
        watch:
          () =>
          ({ holder, membership }: GroupElectionRecord, signal) =>
            this.#membership.patienceWith({ id: holder ?? '', token: membership ?? 0n }, signal),
        times: this.#times,
        environment: this.#environment,
      });
      this.#elections.set(name, election);
    }
    return election;
  }

  /** The elections that this process leads now. */
  get leading(): readonly string[] {
    return [...this.#tenures].filter((tenure) => tenure.valid()).map(({ name }) => name);
  }

  /** Leads nothing any more: all its leaderships are over at once. End the work first. Harmless twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#membership.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onTenure(tenure: GroupTenure): void {
    this.#tenures.add(tenure);
    if (!this.#isLooking) void this.#look();
  }

  /** Looks at what is led, all in one call, as often as signs of life are given: somebody may be asking for it. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    const { signal } = this.#closing;
    const { renewEvery } = this.#times;
    for (;;) {
      await this.#environment.clock.sleep(renewEvery, { signal, background: true }).catch(() => {});
      for (const tenure of this.#tenures) if (!tenure.valid()) this.#tenures.delete(tenure);
      if (this.#tenures.size === 0 || signal.aborted) break;
      const held = [...this.#tenures];
      for (let from = 0; from < held.length; from += MAX_LOOKS) {
        // A failure teaches nothing; the membership tells whether it leads.
        await this.#learn(held.slice(from, from + MAX_LOOKS), signal).catch(() => {});
      }
    }
    this.#isLooking = false;
  }

  async #learn(held: readonly GroupTenure[], signal: AbortSignal): Promise<void> {
    const ids = held.map(({ name }) => ({ group: this.name, name }));
    const records = await this.#records.getMany(ids, { signal });
    for (const [i, tenure] of held.entries()) tenure.learn(records[i]);
  }
}
