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

/** Of a stored state, what tells whose it is. */
function idOf(text: string): string {
  return text.slice(0, text.lastIndexOf('='));
}

function numbersOf(text: string): MeterState {
  return text
    .slice(text.lastIndexOf('=') + 1)
    .split(' ')
    .map(Number);
}

/** What is stored of the limit with this id. */
export function readState(states: readonly string[], id: string): MeterState | undefined {
  const stored = states.find((text) => text.startsWith(id) && text.lastIndexOf('=') === id.length);
  return stored === undefined ? undefined : numbersOf(stored);
}

/** What is stored of limits with other ids and still says something: as it is, and until when it does. */
export function otherStates(
  states: readonly string[],
  ids: readonly string[],
  now: number,
): { readonly text: string; readonly until: number }[] {
  return states
    .filter((text) => !ids.includes(idOf(text)))
    .map((text) => ({ text, until: numbersOf(text)[0] ?? 0 }))
    .filter(({ until }) => until > now);
}

export function writeState(id: string, state: MeterState): string {
  return `${id}=${state.join(' ')}`;
}
