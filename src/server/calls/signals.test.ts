import { expect, test } from 'vitest';
import { Signals } from './signals.ts';

test('a signal that has not fired serves another call', () => {
  const signals = new Signals();
  const first = signals.take();
  const second = signals.take();
  expect(second).not.toBe(first);
  signals.giveBack(first);
  expect(signals.take()).toBe(first);
});

test('one that has fired serves no other', () => {
  const signals = new Signals();
  const fired = signals.take();
  fired.abort();
  signals.giveBack(fired);
  expect(signals.take()).not.toBe(fired);
});

test('one that somebody still listens to serves no other', () => {
  const signals = new Signals();
  const heard = signals.take();
  heard.signal.addEventListener('abort', () => {});
  signals.giveBack(heard);
  expect(signals.take()).not.toBe(heard);
});

test('so many are kept, and no more', () => {
  const signals = new Signals();
  const taken = Array.from({ length: 1000 }, () => signals.take());
  for (const controller of taken) signals.giveBack(controller);
  const again = new Set(Array.from({ length: 1000 }, () => signals.take()));
  expect(taken.filter((one) => again.has(one)).length).toBe(256);
});
