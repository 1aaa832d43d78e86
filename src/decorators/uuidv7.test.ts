import { expect, test } from 'vitest';
import type { Environment } from '../core/clock.ts';
import { systemEnvironment } from '../core/system.ts';
import { uuidv7 } from './uuidv7.ts';

function at(now: number): Environment {
  const { clock, random } = systemEnvironment;
  return {
    clock: { ...clock, now: () => now },
    random: { ...random, bytes: (length) => new Uint8Array(length).fill(7) },
  };
}

test('makes ids of the injected time and chance, in order of time', () => {
  expect(uuidv7(at(1_700_000_000_000))).toMatchInlineSnapshot(`"018bcfe5-6800-7790-9c1c-1f0707070707"`);
  expect(uuidv7(at(1_700_000_000_000))).toBe(uuidv7(at(1_700_000_000_000)));
  expect(uuidv7(at(1_700_000_000_001)) > uuidv7(at(1_700_000_000_000))).toBe(true);
});

test('makes ids that differ', () => {
  const ids = Array.from({ length: 1000 }, () => uuidv7(systemEnvironment));
  expect(new Set(ids).size).toBe(ids.length);
});
