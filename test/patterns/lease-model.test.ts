import { describe, expect, test } from 'vitest';
import { deadlineOf, observe, patienceLeft } from '../../src/patterns/shared/lease/index.ts';
import { isLong } from '../support/campaign.ts';
import {
  DRIFT,
  type Events,
  isValid,
  keyOf,
  next,
  RATES,
  RULES,
  type Rules,
  START,
  TTL,
} from './support/lease-model.ts';
import { type Visit, visitAll } from './support/visit-all.ts';

/** Visits what can happen to two processes until both believe at one instant that they hold the lease. */
function search(events: Events, maxStates: number, mutant: Partial<Rules> = {}): Visit {
  const rules = { ...RULES, ...mutant };
  return visitAll(START, {
    next: (world) => next(world, rules, events),
    key: (world) => keyOf(world, events),
    isBad: ({ processes }) => processes.every((process) => isValid(process, rules)),
    maxStates,
  });
}

const [apart, slow, fast] = RATES as [Events['rates'], Events['rates'], Events['rates']];

describe('no two processes hold the lease at one instant', () => {
  test('in any state there can be, with clocks that drift and messages that take any time', () => {
    const visit = search({ rates: isLong ? apart : fast }, 200_000);
    expect(visit.way).toBeUndefined();
    expect(visit.isComplete).toBe(true);
    expect(visit.states).toBeGreaterThan(30_000);
  });

  test.each<[string, Omit<Events, 'rates'>]>([
    ['clocks that drift apart', {}],
    ['requests that arrive after they were given up', { zombies: true }],
    ['reads that are slow on the way', { slowReads: true }],
    ['machines that sleep', { sleeps: true }],
    ['wall clocks that are turned back', { jumps: 'back' }],
    ['machines that sleep, and wall clocks that jump forward', { sleeps: true, jumps: 'forward' }],
  ])('whatever order things happen in, to a bound: %s', (_, events) => {
    for (const rates of isLong ? RATES : [apart]) {
      const { way, depth } = search({ rates, ...events }, isLong ? 1_000_000 : 9000);
      expect(way).toBeUndefined();
      expect(depth).toBeGreaterThanOrEqual(7);
    }
  });
});

describe('a guard less, and two of them do', () => {
  const mutants: [string, Omit<Events, 'rates'> & Partial<Events>, Partial<Rules>][] = [
    [
      'the deadline counts from the answer, not from the request',
      {},
      { deadlineOf: (_sent, answered) => deadlineOf(answered, TTL, DRIFT) },
    ],
    ['the holder allows for no drift', {}, { deadlineOf: (sent) => deadlineOf(sent, TTL, 0) }],
    ['the follower allows for no drift', {}, { patience: (seen, now, { mono }) => patienceLeft(seen, now, mono, 0) }],
    [
      'the wall clock is not asked, and a machine sleeps',
      { sleeps: true },
      { isAhead: (deadline, at) => at.mono < deadline.mono },
    ],
    [
      'the follower trusts the time that the holder wrote',
      { jumps: 'forward' },
      {
        patience: (_seen, now, at, stamp) => (now.holder === undefined ? 0 : stamp + now.ttl * (1 + DRIFT) - at.wall),
      },
    ],
    [
      'the follower counts from its question, not from the answer',
      { slowReads: true },
      { observe: (before, now, asked) => observe(before, now, asked) },
    ],
    [
      'the follower does not look at the beat',
      {},
      {
        observe: (before, now, _asked, answered) =>
          before?.token === now.token ? { ...before, beat: now.beat } : observe(before, now, answered),
      },
    ],
    ['the holder stops only after it has given the lease back', {}, { stopsFirst: false }],
    ['a take-over is an unconditional write', {}, { comparesAndSwaps: false }],
    // Not promised, and this is why.
    ['a machine sleeps, and its wall clock is turned back', { sleeps: true, jumps: 'back', rates: fast }, {}],
  ];
  if (isLong) {
    mutants.push(
      [
        'a wall clock before its deadline is believed though it was turned back',
        { sleeps: true, jumps: 'back' },
        { isAhead: (deadline, at) => at.mono < deadline.mono && at.wall < deadline.wall.until },
      ],
      [
        'the wall clock alone is asked',
        { jumps: 'back' },
        { isAhead: ({ wall }, at) => at.wall >= wall.from && at.wall < wall.until },
      ],
    );
  }
  test.each(mutants)('%s', (_, events, mutant) => {
    const { way } = search({ rates: apart, ...events }, isLong ? 1_000_000 : 40_000, mutant);
    expect(way).toBeDefined();
    expect(way?.length).toBeLessThan(25);
  });
});

test('clocks that are both slow, or both fast, change nothing', () => {
  for (const rates of [slow, fast]) {
    expect(search({ rates, zombies: true }, isLong ? 1_000_000 : 4000).way).toBeUndefined();
  }
});
