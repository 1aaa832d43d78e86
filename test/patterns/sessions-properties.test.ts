import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Key, PutOptions } from '../../src/core/store.ts';
import type { Version } from '../../src/core/version.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { expectOnAverage } from './support/on-average.ts';
import { type AppSession, type AppSessions, collect, type SessionProcess, startSessions } from './support/sessions.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 2000, embedded: 200, norikv: 200 }
  : { memory: 20, embedded: 2, norikv: 1 };
const PROCESSES = 3;
const ABSOLUTE = 60 * 60_000;
// Each use would extend the life beyond its absolute end, if it could.
const TTL = { idle: ABSOLUTE, absolute: ABSOLUTE };

/** Passes everything on, and keeps what was written. */
class Witness extends StoreWrapper {
  bytes: Uint8Array[] = [];

  override put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    this.bytes.push(key, value);
    return super.put(key, value, options);
  }
}

interface Issued {
  readonly token: string;
  readonly family: string;
  /** When the call that made it was answered. */
  readonly at: number;
}

/** Knows which sessions were revoked for certain, and when. */
class Ledger {
  readonly tokens: Issued[] = [];
  readonly #deaths = new Map<string, number>();
  #ticks = 0;

  now(): number {
    return this.#ticks++;
  }

  issued(token: string, { family }: AppSession): void {
    if (!this.tokens.some((known) => known.token === token)) this.tokens.push({ token, family, at: this.now() });
  }

  died(family: string): void {
    if (!this.#deaths.has(family)) this.#deaths.set(family, this.now());
  }

  /** All that were handed out before an instant. */
  diedBefore(begun: number, spared: string | undefined): void {
    for (const { family, at } of this.tokens) if (at < begun && family !== spared) this.died(family);
  }

  /** Whether a call that began at that instant must fail. */
  isDead({ family }: Issued, at: number): boolean {
    return (this.#deaths.get(family) ?? Number.POSITIVE_INFINITY) < at;
  }
}

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let store: Witness;
  let runs = 0;
  /** A seed that comes twice makes the same tokens: those of another run are of other sessions. */
  let name = '';

  beforeEach(async () => {
    store = new Witness(await openStore(kind, { clock, random: seededRandom(1) }));
  });

  /** Runs a property from seeds; each run has a user of its own. */
  const holds = (property: (seed: number, userId: string) => Promise<void>): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), (seed) => {
        name = `run ${runs++}`;
        return property(seed, `user of ${name}`);
      }),
      { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
    );

  const start = (seed: number, options: { maxPerUser?: number } = {}): Promise<SessionProcess[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        startSessions(store, {
          clock,
          name,
          seed: seed * 31 + i * 7,
          // The clocks of every other run differ.
          ahead: seed % 2 === 0 ? 0 : (i - 1) * 20_000,
          faults: anyFaults(seed + i),
          ttl: TTL,
          touchEvery: '1s',
          ...options,
        }),
      ),
    );

  /** A process without faults, once everything has arrived. */
  const atRest = async (processes: readonly SessionProcess[], options: { maxPerUser?: number } = {}) => {
    for (const { faulty } of processes) await faulty.heal();
    return (await startSessions(store, { clock, name, seed: 5, ttl: TTL, ...options })).sessions;
  };

  test('what was revoked stays revoked, whatever is under way; no lifetime exceeds the absolute; no token is stored', async () => {
    let dead = 0;
    let alive = 0;
    await holds(async (seed, userId) => {
      const random = seededRandom(seed);
      const processes = await start(seed);
      const ledger = new Ledger();
      const problems: string[] = [];
      store.bytes = [];
      let keys = 0;
      const any = (): AppSessions => (processes[pickInt(random, PROCESSES)] as SessionProcess).sessions;
      const login = async (idempotencyKey?: string): Promise<void> => {
        const { token, session } = await any().create({ userId }, { idempotencyKey });
        ledger.issued(token, session);
      };
      const step = async (): Promise<void> => {
        const dice = random.float();
        if (ledger.tokens.length === 0 || dice < 0.12) return login();
        // Logins with a key are repeated, also after what they made was revoked.
        if (dice < 0.22) return login(`${userId}/${random.float() < 0.5 ? keys++ : pickInt(random, keys + 1)}`);
        const target = ledger.tokens[pickInt(random, ledger.tokens.length)] as Issued;
        const { token, family } = target;
        const begun = ledger.now();
        const isDead = ledger.isDead(target, begun);
        const verb = random.float();
        if (verb < 0.12) {
          await any().revoke(token);
          return ledger.died(family);
        }
        if (verb < 0.2) {
          const spares = random.float() < 0.5;
          await any().revokeAll(userId, spares ? { except: token } : {});
          return ledger.diedBefore(begun, spares ? family : undefined);
        }
        const outcome = await use(any(), token, verb, ledger, random);
        if (outcome === 'alive' && isDead) problems.push(`a session that was revoked could be used (${verb})`);
        if (outcome === 'alive') alive++;
        if (isDead) dead++;
      };
      for (let round = 0; round < 14; round++) {
        await Promise.all([step(), step(), step(), step()].map((done) => done.catch(fateOf)));
        if (random.float() < 0.3) await clock.advance(pickInt(random, 3000));
      }
      const sessions = await atRest(processes);
      const now = ledger.now();
      for (const issued of ledger.tokens) {
        const session = await sessions.validate(issued.token);
        if (session !== undefined && ledger.isDead(issued, now)) problems.push('a session came back');
      }
      for await (const { createdAt, absoluteAt, expiresAt } of sessions.list(userId)) {
        if (absoluteAt.getTime() - createdAt.getTime() !== ABSOLUTE) problems.push('the absolute end has moved');
        if (expiresAt > absoluteAt) problems.push('it would outlive its absolute end');
      }
      const stored = Buffer.concat(store.bytes);
      const parts = ledger.tokens.flatMap(({ token }) => token.split('.'));
      if (parts.some((part) => stored.includes(part))) problems.push('a token is in the store');
      expect(problems, `seed ${seed}`).toEqual([]);
    });
    // Enough was revoked and asked again, and enough succeeded, or nothing was tested.
    expectOnAverage(dead, RUNS[kind], 3);
    expectOnAverage(alive, RUNS[kind], 3);
  });

  test('every acknowledged change of distinct fields is there, also by the former token of a rotation', async () => {
    let changes = 0;
    await holds(async (seed, userId) => {
      const random = seededRandom(seed);
      const processes = await start(seed);
      const clean = await startSessions(store, { clock, name, seed, ttl: TTL });
      const first = await clean.sessions.create({ userId });
      let { token } = first;
      const acked = new Set<string>();
      const refused = new Set<string>();
      const change = async (i: number): Promise<void> => {
        const { sessions } = processes[i % PROCESSES] as SessionProcess;
        const fate = await sessions
          .mutate(token, (session) => void Object.assign(session.cart, { [`item ${i}`]: i }))
          .then(() => 'acked', fateOf);
        if (fate === 'acked') acked.add(`item ${i}`);
        if (fate === 'refused') refused.add(`item ${i}`);
      };
      for (let round = 0; round < 4; round++) {
        const rotation =
          random.float() < 0.5
            ? (processes[0] as SessionProcess).sessions.rotate(token, { grace: '10m' }).catch(fateOf)
            : undefined;
        await Promise.all(Array.from({ length: 6 }, (_, i) => change(round * 6 + i)));
        const rotated = await rotation;
        if (typeof rotated === 'object') ({ token } = rotated);
      }
      changes += acked.size;
      const session = await (await atRest(processes)).validate(token);
      const present = Object.keys(session?.cart ?? {});
      expect(present, `seed ${seed}`).toEqual(expect.arrayContaining([...acked]));
      expect(
        present.filter((item) => refused.has(item)),
        `seed ${seed}`,
      ).toEqual([]);
    });
    expectOnAverage(changes, RUNS[kind], 10);
  });

  test('a user never has more sessions than maxPerUser, and lists those that there are', async () => {
    let logins = 0;
    await holds(async (seed, userId) => {
      const random = seededRandom(seed);
      const options = { maxPerUser: 3 };
      const processes = await start(seed, options);
      const tokens = new Set<string>();
      const step = async (): Promise<void> => {
        const { sessions } = processes[pickInt(random, PROCESSES)] as SessionProcess;
        const known = [...tokens];
        const token = known[pickInt(random, known.length)];
        const dice = random.float();
        if (token === undefined || dice < 0.6) tokens.add((await sessions.create({ userId })).token);
        else if (dice < 0.8) await sessions.revoke(token);
        else tokens.add((await sessions.rotate(token)).token);
      };
      for (let round = 0; round < 8; round++) await Promise.all([step(), step(), step()].map((it) => it.catch(fateOf)));
      logins += tokens.size;
      const sessions = await atRest(processes, options);
      const valid = new Set<string>();
      for (const token of tokens) {
        const session = await sessions.validate(token);
        if (session !== undefined) valid.add(session.id);
      }
      const listed = (await collect(sessions.list(userId))).map(({ id }) => id);
      expect(listed.length, `seed ${seed}`).toBeLessThanOrEqual(3);
      // A login whose answer was lost is on the list, too.
      expect(listed, `seed ${seed}`).toEqual(expect.arrayContaining([...valid]));
    });
    expectOnAverage(logins, RUNS[kind], 3);
  });
});

/** One use of a token, of a random kind. */
async function use(
  sessions: AppSessions,
  token: string,
  dice: number,
  ledger: Ledger,
  random: ReturnType<typeof seededRandom>,
): Promise<'alive' | 'ended'> {
  if (dice < 0.45) return (await sessions.validate(token)) === undefined ? 'ended' : 'alive';
  const verb = async (): Promise<unknown> => {
    if (dice < 0.65) return sessions.mutate(token, (session) => void session.roles.push('x'));
    if (dice < 0.75) return sessions.touch(token);
    const grace = random.float() < 0.5 ? '5s' : 0;
    const rotated = await sessions.rotate(token, { grace });
    ledger.issued(rotated.token, rotated.session);
    return rotated;
  };
  return verb().then(
    () => 'alive' as const,
    (error: unknown) => {
      fateOf(error);
      return 'ended' as const;
    },
  );
}
