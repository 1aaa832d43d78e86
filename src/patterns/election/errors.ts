import { NorimakiError } from '../../core/errors.ts';

/** The codes of an election, and what they carry in `details`. */
export interface ElectionErrorDetails {
  /** Somebody else leads, or may lead by now. */
  'election.lost': { election: string; token: bigint };
  'election.notLeader': { election: string };
  'election.closed': { group: string };
  /** `waited` milliseconds were not enough for the work to end. */
  'election.drainExceeded': { election: string; token: bigint; waited: number };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends ElectionErrorDetails {}
}

export function lost(election: string, token: bigint, cause?: unknown): NorimakiError<'election.lost'> {
  return new NorimakiError(
    'election.lost',
    `The leadership of '${election}' with token ${token} is over; somebody else may lead. Stop what is done in its name.`,
    { election, token },
    { cause },
  );
}

export function notLeader(election: string): NorimakiError<'election.notLeader'> {
  return new NorimakiError(
    'election.notLeader',
    `Nobody leads '${election}', so there is nothing to hand over. Wait for a leader: observe() shows when there is one.`,
    { election },
  );
}

export function drainExceeded(
  election: string,
  token: bigint,
  waited: number,
): NorimakiError<'election.drainExceeded'> {
  return new NorimakiError(
    'election.drainExceeded',
    `The work of the leader of '${election}' had not ended ${Math.round(waited)} ms after it was asked to, and is still running. The leadership was not given back; it runs out. Let the work listen to leadership.signal, or allow it more with drain.`,
    { election, token, waited },
  );
}

export function groupClosed(group: string): NorimakiError<'election.closed'> {
  return new NorimakiError(
    'election.closed',
    `The group '${group}' was closed by this process, which leads nothing in it any more. Make another ElectionGroup.`,
    { group },
  );
}
