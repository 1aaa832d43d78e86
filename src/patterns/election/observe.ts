import { throwIfAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { type Observed, observe, patienceLeft } from '../shared/lease/index.ts';
import { isPassing } from './campaign.ts';
import { BLANK, type ElectionAccess, type ElectionRecord } from './records.ts';
import type { Times } from './settings.ts';

/** Who leads, as the store says. */
export interface Leader<Meta = unknown> {
  /** Name of the candidate. */
  readonly candidate: string;
  readonly token: bigint;
  /** What it shows of itself. */
  readonly meta: Meta | undefined;
}

/** What an observer knows of an election. */
export interface ElectionState<Meta = unknown> {
  /** `undefined`: nobody, or one who has been silent for too long. */
  readonly leader: Leader<Meta> | undefined;
  /** Of the last leader. */
  readonly token: bigint;
}

/** Milliseconds until the leader that a record names is silent for too long, as far as it was watched. */
export type PatienceWith = (record: ElectionRecord, signal: AbortSignal | undefined) => Promise<number>;

/** Of an election whose record is the lease of its leader. */
export function watching({ maxDriftRate }: Times, { clock }: Environment): PatienceWith {
  let observed: Observed | undefined;
  return async (record) => {
    const mono = clock.mono();
    observed = observe(observed, record, mono);
    return patienceLeft(observed, record, mono, maxDriftRate);
  };
}

/** The leader that a record names. */
export function leaderOf<Meta>({ holder, candidate, token, meta }: ElectionRecord): Leader<Meta> | undefined {
  // The metadata has the type that the program gave its election; a program that stores another is another program.
  return holder === undefined ? undefined : { candidate: candidate ?? holder, token, meta: meta as Meta | undefined };
}

/** The state of an election each time that it changes, the present one first; until its signal fires. */
export async function* observing<Meta>(
  { read }: Pick<ElectionAccess, 'read'>,
  patienceWith: PatienceWith,
  pollEvery: number,
  { clock }: Environment,
  signal: AbortSignal | undefined,
): AsyncGenerator<ElectionState<Meta>, void> {
  let known: string | undefined;
  for (;;) {
    throwIfAborted(signal);
    let wait = pollEvery;
    try {
      const record = (await read(signal)) ?? BLANK;
      const left = record.holder === undefined ? 0 : await patienceWith(record, signal);
      const leader = left > 0 ? leaderOf<Meta>(record) : undefined;
      if (leader !== undefined) wait = Math.min(wait, Math.ceil(left));
      const state = { leader, token: record.token };
      const now = JSON.stringify([leader?.candidate, leader?.meta, String(record.token)]);
      if (now !== known) {
        known = now;
        yield state;
        // Time has passed since it was read.
        continue;
      }
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error;
    }
    await clock.sleep(wait, { signal });
  }
}
