import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import { ringForm } from '../shared/key-ring.ts';
import type { MeterState } from './limits/limit.ts';

/** Idempotency keys that one key of a limiter remembers. */
export const REMEMBERED_KEYS = 64;

const instant = z.int().nonnegative();

const record = z.object({
  name: z.string(),
  key: z.string(),
  /** The latest instant that whoever wrote it has seen: time does not go back. */
  now: instant,
  blockedUntil: instant,
  /** Of each limit that has something to say: `gcra:100-per-1m=` and numbers. */
  states: z.array(z.string().regex(/^\w+:.+=-?\d+(?: -?\d+)*$/)),
  /** The newest idempotency keys. */
  keys: z.string().regex(ringForm(REMEMBERED_KEYS)),
  /** When it says nothing any more. */
  expiresAt: z.date(),
});

const RateLimitEntity = defineEntity('norimaki.rate-limit', record, {
  id: ['name', 'key'],
  deadline: 'expiresAt',
  // It is written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  ring: 64,
});

export type RateRecord = z.output<typeof record>;
/** All of a record but what names it. */
export type RateState = Omit<RateRecord, 'name' | 'key'>;
export type RateRecords = RepositoryOf<typeof RateLimitEntity, Store>;

export function rateRecords(db: Database): RateRecords {
  return db.repo(RateLimitEntity);
}

/** A key that nobody has used. */
export function blankState(): RateState {
  return { now: 0, blockedUntil: 0, states: [], keys: '', expiresAt: new Date(0) };
}

export function readStates(states: readonly string[]): Map<string, MeterState> {
  const read = new Map<string, MeterState>();
  for (const text of states) {
    const at = text.lastIndexOf('=');
    read.set(
      text.slice(0, at),
      text
        .slice(at + 1)
        .split(' ')
        .map(Number),
    );
  }
  return read;
}

export function writeState(id: string, state: MeterState): string {
  return `${id}=${state.join(' ')}`;
}
