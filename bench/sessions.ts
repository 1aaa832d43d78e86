import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import session, { type SessionData } from 'express-session';
import { z } from 'zod';
import type { Store } from '../src/core/store.ts';
import { defineEntity, open, systemEnvironment } from '../src/index.ts';
import { Sessions, sessionFields } from '../src/patterns/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

const USERS = 2000;
const REQUESTS = 10_000;
const ROUNDS = 5;

const AppSession = defineEntity(
  'session',
  z.object({ ...sessionFields, roles: z.array(z.string()), cart: z.record(z.string(), z.number()) }),
  { id: 'id', deadline: 'expiresAt' },
);

/**
 * What each request of a logged-in user pays: one session found by its token. No peer has published figures; beside it for scale
 * stands the memory store of express-session, which checks neither revocation nor shape.
 */
export async function sessionsBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const stores: readonly [string, Store][] = [
    ['memory', await memory().openStore(systemEnvironment)],
    ['embedded', await embedded({ path: folder, durability: 'committed' }).openStore(systemEnvironment)],
  ];
  try {
    const rows: BenchRow[] = [];
    for (const [kind, store] of stores) rows.push(...(await beside(kind, store)));
    return rows;
  } finally {
    for (const [, store] of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

async function beside(kind: string, inner: Store): Promise<BenchRow[]> {
  const store = new CountingStore(inner);
  const sessions = new Sessions(await open(store), AppSession, {
    name: 'web',
    secrets: ['a secret of at least thirty-two bytes'],
    touchEvery: '1m',
  });
  const theirs = new session.MemoryStore();
  const tokens: string[] = [];
  for (let i = 0; i < USERS; i++) {
    const data = { roles: ['cook'], cart: { nori: i } };
    tokens.push((await sessions.create({ userId: `user ${i}`, ...data })).token);
    const cookie = { originalMaxAge: null, path: '/' };
    await new Promise((done) => theirs.set(`${i}`, { cookie, userId: i, ...data } as unknown as SessionData, done));
  }
  const ours: number[] = [];
  const others: number[] = [];
  store.reset();
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < REQUESTS / ROUNDS; i++) {
      const user = (i * 7919) % USERS;
      const started = process.hrtime.bigint();
      const found = await sessions.validate(tokens[user] as string);
      ours.push(Number(process.hrtime.bigint() - started));
      if (found === undefined) throw new Error('A session is lost.');
    }
    for (let i = 0; i < REQUESTS / ROUNDS; i++) {
      const user = (i * 7919) % USERS;
      const started = process.hrtime.bigint();
      await new Promise((done) => theirs.get(`${user}`, done));
      others.push(Number(process.hrtime.bigint() - started));
    }
  }
  const time = (part: number): BenchRow => {
    const [one, other] = [quantile(ours, part), quantile(others, part)];
    return {
      name: `${kind}: validate p${part * 100}`,
      ours: one,
      theirs: other,
      ratio: other / one,
      target: 0,
      unit: 'ns',
    };
  };
  const calls = (what: string, count: number, most: number): BenchRow => {
    const each = count / ours.length;
    const ratio = each === 0 ? most : most / each;
    return { name: `${kind}: ${what} / request`, ours: each, theirs: most, ratio, target: 1, unit: 'calls' };
  };
  return [time(0.5), time(0.99), calls('reads', store.reads, 2), calls('writes', store.writes, 1)];
}

function quantile(times: readonly number[], part: number): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * part)] ?? Number.NaN;
}
