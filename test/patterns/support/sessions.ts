import { z } from 'zod';
import type { Store } from '../../../src/core/store.ts';
import { type Database, type Default, Entity, Field, open } from '../../../src/index.ts';
import { SessionRecord, Sessions, type SessionsOptions } from '../../../src/patterns/index.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { SkewedClock } from '../../support/skewed-clock.ts';

export const SECRET = 'a secret of at least thirty-two bytes';

@Entity('session')
export class AppSession extends SessionRecord {
  @Field(z.array(z.string())) roles: Default<string[]> = [];
  @Field(z.record(z.string(), z.number())) cart: Default<Record<string, number>> = {};
  @Field(z.string().optional()) device?: string | undefined;
}

export type AppSessions = Sessions<typeof AppSession>;

export function appSessions(db: Database, options: Partial<SessionsOptions> = {}): AppSessions {
  return new Sessions(db, AppSession, {
    name: 'web',
    secrets: [SECRET],
    ttl: { idle: '30m', absolute: '12h' },
    ...options,
  });
}

/** One process on a store: a database, chance and faults of its own. */
export interface SessionProcess {
  readonly sessions: AppSessions;
  readonly faulty: FaultStore;
}

export interface SessionProcessOptions extends Partial<SessionsOptions> {
  readonly clock: ManualClock;
  readonly seed: number;
  /** How far its clock is ahead, in milliseconds. */
  readonly ahead?: number | undefined;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

export async function startSessions(
  store: Store,
  { seed, clock, ahead, faults, script, ...options }: SessionProcessOptions,
): Promise<SessionProcess> {
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock: new SkewedClock(clock, ahead), random: seededRandom(seed) });
  return { faulty, sessions: appSessions(db, options) };
}

/** All of an asynchronous sequence. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
