import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  applyEvent,
  blankProfile,
  dislikedItems,
  exclusion,
  likedItems,
  type Profile,
  type ProfileEvent,
} from './profile.ts';
import { settingsOf } from './settings.ts';

const signals = { view: 1, buy: 8, dislike: -6, shown: 0 };
const settings = settingsOf({ name: 'p', signals, halfLife: 1000, history: 8 });
const large = settingsOf({ name: 'p', signals, halfLife: 1000, history: 1000 });

const events = fc.array(
  fc
    .record({
      item: fc.constantFrom(...'abcdefghijklmnop'),
      signal: fc.constantFrom('view', 'buy', 'dislike', 'shown'),
      at: fc.integer({ min: 0, max: 4000 }),
      key: fc.constantFrom(undefined, ...'123456'),
    })
    // A key belongs to one event.
    .map(({ item, signal, at, key }): ProfileEvent => {
      const weight = signals[signal as keyof typeof signals];
      return key === undefined
        ? { item, signal, weight, at, key }
        : { item: key, signal: 'view', weight: 1, at: 7, key: key.padEnd(16, '-') };
    }),
  { maxLength: 60 },
);

function fold(all: readonly ProfileEvent[], rules = large): { profile: Profile; gain: number } {
  const profile = blankProfile();
  let gain = 0;
  for (const event of all) {
    const applied = applyEvent(profile, event, rules);
    if (!applied.replayed) gain += applied.effect.gain;
  }
  return { profile, gain };
}

/** Items by name, weights rounded. */
function shapeOf({ items }: Profile): unknown {
  return [...items]
    .sort((a, b) => (a.item < b.item ? -1 : 1))
    .map((one) => ({ ...one, weight: Math.round(one.weight * 1e9) / 1e9 + 0 }));
}

describe('a profile', () => {
  test('is the same in whichever order events come, and however often those with a key do', () => {
    fc.assert(
      fc.property(events, fc.infiniteStream(fc.nat()), (all, chance) => {
        const keyed = all.filter(({ key }) => key !== undefined);
        const shuffled = [...all, ...keyed]
          .map((event) => ({ event, place: chance.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
          .map(({ event }) => event);
        const [one, other] = [fold(all), fold(shuffled)];
        expect(shapeOf(other.profile)).toEqual(shapeOf(one.profile));
        expect(other.gain).toBeCloseTo(one.gain, 9);
      }),
      { seed: 1 },
    );
  });

  test('weighs each item by the sum of what was said of it, decayed', () => {
    fc.assert(
      fc.property(events, (all) => {
        const once = all.filter(({ key }, i) => key === undefined || all.findIndex((other) => other.key === key) === i);
        const { profile } = fold(all);
        for (const { item, weight, at } of profile.items) {
          const own = once.filter((event) => event.item === item);
          expect(at).toBe(Math.max(...own.map((event) => event.at)));
          const sum = own.reduce((total, event) => total + event.weight * 2 ** ((event.at - at) / 1000), 0);
          expect(weight).toBeCloseTo(sum, 9);
        }
      }),
      { seed: 2 },
    );
  });

  test('that is full never forgets that an item was seen, or that it was disliked last', () => {
    fc.assert(
      fc.property(events, (all) => {
        const { profile } = fold(all, settings);
        expect(profile.items.length).toBeLessThanOrEqual(8);
        const isSeen = exclusion(profile, settings, 'seen');
        const isRejected = exclusion(profile, settings, 'rejected');
        for (const { item } of all) expect(isSeen(item)).toBe(true);
        expect(isSeen('never')).toBe(false);
        for (const item of new Set(all.map((event) => event.item))) {
          const own = all.filter((event) => event.item === item);
          if (own.every(({ weight }) => weight < 0)) expect(isRejected(item)).toBe(true);
          if (own.every(({ weight }) => weight >= 0)) expect(isRejected(item)).toBe(false);
        }
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('takes what was disliked last for disliked, whatever else was said of it', () => {
    const event = (signal: keyof typeof signals, at: number): ProfileEvent => ({
      item: 'a',
      signal,
      weight: signals[signal],
      at,
      key: undefined,
    });
    const bought = fold([event('dislike', 2), event('buy', 1), event('buy', 0)]).profile;
    expect(likedItems(bought, large)).toEqual([]);
    expect(dislikedItems(bought, large).map(({ item }) => item)).toEqual(['a']);
    const forgiven = fold([event('dislike', 1), event('buy', 2)]).profile;
    expect(likedItems(forgiven, large).map(({ item }) => item)).toEqual(['a']);
    // At one instant, the dislike.
    for (const order of [['buy', 'dislike'] as const, ['dislike', 'buy'] as const]) {
      const both = fold(order.map((signal) => event(signal, 1))).profile;
      expect(exclusion(both, large, 'rejected')('a')).toBe(true);
    }
  });

  test('that is full of what is heavy still takes in what is new', () => {
    const bought = Array.from(
      'abcdefgh',
      (item): ProfileEvent => ({ item, signal: 'buy', weight: 8, at: 1, key: undefined }),
    );
    const { profile } = fold(bought, settings);
    const view: ProfileEvent = { item: 'new', signal: 'view', weight: 1, at: 2, key: undefined };
    for (let i = 0; i < 3; i++) applyEvent(profile, view, settings);
    expect(profile.items.find(({ item }) => item === 'new')?.weight).toBe(3);
    expect(profile.items).toHaveLength(8);
  });

  test('remembers 256 keys', () => {
    const keyed = (n: number): ProfileEvent => ({
      item: 'a',
      signal: 'view',
      weight: 1,
      at: 0,
      key: `${n}`.padStart(16, '0'),
    });
    const profile = fold(Array.from({ length: 257 }, (_, n) => keyed(n))).profile;
    expect(applyEvent(profile, keyed(1), large)).toEqual({ replayed: true });
    expect(applyEvent(profile, keyed(0), large).replayed).toBe(false);
  });

  test('counts a newly liked item with those liked last', () => {
    const profile = blankProfile();
    const effectOf = (item: string, signal: keyof typeof signals, at: number) => {
      const applied = applyEvent(profile, { item, signal, weight: signals[signal], at, key: undefined }, settings);
      return applied.replayed ? undefined : applied.effect;
    };
    expect(effectOf('a', 'view', 1)).toEqual({ item: 'a', at: 1, gain: 1, beside: [] });
    expect(effectOf('b', 'shown', 2)).toEqual({ item: 'b', at: 2, gain: 0, beside: [] });
    expect(effectOf('c', 'dislike', 3)).toEqual({ item: 'c', at: 3, gain: 0, beside: [] });
    expect(effectOf('d', 'buy', 4)).toEqual({ item: 'd', at: 4, gain: 8, beside: ['a'] });
    expect(effectOf('a', 'buy', 5)).toEqual({ item: 'a', at: 5, gain: 7, beside: [] });
    expect(effectOf('b', 'view', 6)).toEqual({ item: 'b', at: 6, gain: 1, beside: ['a', 'd'] });
    for (const [i, item] of ['e', 'f'].entries()) effectOf(item, 'view', 7 + i);
    expect(effectOf('g', 'view', 9)?.beside).toEqual(['f', 'e', 'b']);
  });
});
