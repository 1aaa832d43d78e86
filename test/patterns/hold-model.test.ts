import { describe, expect, test } from 'vitest';
import { decide, fateOf } from '../../src/patterns/shared/hold/index.ts';
import { isBad, next, RULES, type Rules, START } from './support/hold-model.ts';
import { type Visit, visitAll } from './support/visit-all.ts';

function search(mutant: Partial<Rules> = {}): Visit {
  const rules = { ...RULES, ...mutant };
  return visitAll(START, {
    next: (world) => next(world, rules),
    key: JSON.stringify,
    isBad,
    maxStates: 200_000,
  });
}

test('a hold is sold whole or not at all, and nobody is told the opposite, in every order of steps and with any of them dead', () => {
  const visit = search();
  expect(visit.way).toBeUndefined();
  expect(visit.isComplete).toBe(true);
  expect(visit.states).toBeGreaterThan(700);
});

describe('a guard less, and it is', () => {
  const mutants: [string, Partial<Rules>][] = [
    [
      'a commit before all are held',
      { decide: (hold, step, now) => decide(hold, step === 'commit' ? 'commitPending' : step, now) },
    ],
    [
      'a commit of what was released or has expired',
      {
        decide: (hold, step, now) =>
          step === 'commit' && hold.state !== 'pending' ? 'committing' : decide(hold, step, now),
      },
    ],
    [
      'a release of what is decided',
      {
        decide: (hold, step, now) => (step === 'release' ? 'released' : decide(hold, step, now)),
      },
    ],
    [
      'expiry of what is decided',
      {
        decide: (hold, step, now) => (step === 'expire' && now >= hold.expiresAt ? 'expired' : decide(hold, step, now)),
      },
    ],
    [
      'a word of holding after the end',
      {
        decide: (hold, step, now) => (step === 'hold' ? 'held' : decide(hold, step, now)),
      },
    ],
    [
      'settled before it was decided',
      {
        decide: (hold, step, now) => (step === 'hold' ? 'committed' : decide(hold, step, now)),
      },
    ],
    ['who meets a participant takes it back because of the time alone', { endsFirst: false }],
    [
      'who meets one of a decided hold takes it back',
      {
        fateOf: (hold) => (hold?.state === 'committing' ? { do: 'undo' } : fateOf(hold)),
      },
    ],
    [
      'who meets one that is held applies it',
      {
        fateOf: (hold) => (hold?.state === 'held' ? { do: 'apply' } : fateOf(hold)),
      },
    ],
    ['all are said to be held before they are', { takesAllFirst: false }],
    ['who sells takes whatever is there under the name of the hold', { appliesNoted: false }],
    [
      'who finds too little gives back what another has got',
      {
        decide: (hold, step, now) => decide(hold, step === 'abandon' ? 'release' : step, now),
      },
    ],
  ];
  test.each(mutants)('%s', (_, mutant) => {
    expect(search(mutant).way).toBeDefined();
  });
});

test('a hold that nobody decides on ends in time, and one that is forgotten was applied nowhere', () => {
  for (const state of ['pending', 'held'] as const) {
    expect(decide({ state, expiresAt: 5 }, 'expire', 4)).toBe(state);
    for (const step of ['hold', 'commit', 'commitPending', 'settle', 'expire'] as const) {
      expect(decide({ state, expiresAt: 5 }, step, 5)).toBe(state === 'held' ? 'expired' : 'abandoned');
    }
  }
  expect(fateOf({ state: 'held', expiresAt: 5 })).toEqual({ do: 'wait', until: 5 });
  expect(fateOf(undefined)).toEqual({ do: 'undo' });
  // All that were to be applied are; what is there still came too late.
  expect(fateOf({ state: 'committed', expiresAt: 5 })).toEqual({ do: 'undo' });
  // Who cannot have the participants ends what nobody had, and nothing else.
  expect(decide({ state: 'pending', expiresAt: 5 }, 'abandon', 4)).toBe('abandoned');
  expect(decide({ state: 'held', expiresAt: 5 }, 'abandon', 4)).toBe('held');
});
