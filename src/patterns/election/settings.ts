import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, refuse } from '../shared/options.ts';

/** How long a leader may be silent, and how often it is not. */
export interface LeaseTimes {
  /** After how long a silence of the leader another one may lead; default `'15s'`. */
  readonly ttl?: Duration | undefined;
  /** How often the leader gives a sign of life; default a quarter of `ttl`, at most half of it. */
  readonly renewEvery?: Duration | undefined;
  /** How often those who wait look, at most; default `renewEvery`. */
  readonly pollEvery?: Duration | undefined;
  /**
   * By how much the clock of a process may run too fast or too slow, at most: 0.01, the default, is 36 seconds in an hour. All
   * who take part may differ in it: each allows for its own.
   */
  readonly maxDriftRate?: number | undefined;
}

/** What an election is told when it is made. */
export interface ElectionOptions<Meta = undefined> extends BlockOptions, LeaseTimes {
  /** Name of this candidate, for people and for `transfer`; default: its incarnation. Need not be unique. */
  readonly candidate?: string | undefined;
  /** What others shall see of this candidate while it leads: JSON, such as its address. */
  readonly meta?: Meta | undefined;
}

/** The times, checked, in milliseconds. */
export interface Times {
  readonly ttl: number;
  readonly renewEvery: number;
  readonly pollEvery: number;
  readonly maxDriftRate: number;
}

const DEFAULT_TTL = '15s';
const DEFAULT_DRIFT_RATE = 0.01;

/** The options, checked. Errors: `argument.invalid`. */
export function timesOf(options: LeaseTimes): Times {
  const { maxDriftRate = DEFAULT_DRIFT_RATE } = options;
  const ttl = milliseconds(options.ttl ?? DEFAULT_TTL, 'ttl');
  const renewEvery = milliseconds(options.renewEvery ?? ttl / 4, 'renewEvery');
  const pollEvery = milliseconds(options.pollEvery ?? renewEvery, 'pollEvery');
  if (ttl < 1) refuse('ttl', 'The ttl of an election is at least a millisecond; some seconds are usual.');
  if (!(maxDriftRate >= 0 && maxDriftRate <= 0.5)) refuse('maxDriftRate', 'maxDriftRate is a number from 0 to 0.5.');
  if (renewEvery <= 0 || renewEvery > (ttl * (1 - maxDriftRate)) / 2) {
    refuse(
      'renewEvery',
      'A leader that gives a sign of life less than twice in its ttl loses it to one slow answer: renewEvery is at most half of ttl, less the drift.',
    );
  }
  if (pollEvery <= 0) refuse('pollEvery', 'pollEvery is longer than nothing.');
  return { ttl, renewEvery, pollEvery, maxDriftRate };
}

/** Name of an election, and of its candidate, checked. Errors: `argument.invalid`. */
export function namesOf({ name, candidate }: Pick<ElectionOptions<unknown>, 'name' | 'candidate'>): {
  name: string;
  candidate: string | undefined;
} {
  return {
    name: checkName('Election', name),
    candidate: candidate === undefined ? undefined : checkName('candidate', candidate),
  };
}
