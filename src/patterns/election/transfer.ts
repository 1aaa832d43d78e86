import type { Environment } from '../../core/clock.ts';
import { isPassing } from './campaign.ts';
import { notLeader } from './errors.ts';
import type { ElectionAccess, ElectionRecord } from './records.ts';

/**
 * Writes down who shall lead next. `false`: it does already. The leader sees it with its next sign of life. Errors:
 * `election.notLeader`.
 */
export async function nameHeir(
  record: ElectionAccess,
  name: string,
  heir: string,
  signal: AbortSignal | undefined,
): Promise<{ isNamed: boolean; token: bigint }> {
  let isNamed = false;
  let token = 0n;
  const fn = (draft: ElectionRecord): void => {
    token = draft.token;
    if (draft.holder === undefined) throw notLeader(name);
    isNamed = draft.candidate !== heir;
    if (isNamed) draft.heir = heir;
  };
  await record.mutate(fn, signal);
  return { isNamed, token };
}

/** Waits for a leader after the one with this token; whether its name is `heir`. Errors: `aborted`. */
export async function isSucceededBy(
  heir: string,
  token: bigint,
  { read }: ElectionAccess,
  { pollEvery, clock, signal }: { pollEvery: number; clock: Environment['clock']; signal: AbortSignal | undefined },
): Promise<boolean> {
  for (;;) {
    try {
      const record = await read(signal);
      // Or was, for a while between two looks.
      if (record !== undefined && record.token > token) return record.candidate === heir;
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error;
    }
    await clock.sleep(pollEvery, { signal });
  }
}
