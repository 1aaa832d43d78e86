import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NorimakiError } from '../../src/core/errors.ts';
import type { Capabilities, Key, PutOptions, Store, Stored } from '../../src/core/store.ts';
import { Entity, Field, Id, open, type Repository, type ShapeOf, type Version, Versioned } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { runClient } from '../../src/testing/contract/linearizability.ts';
import {
  type Ability,
  checkLinearizable,
  faultStore,
  limitCapabilities,
  manualClock,
  recordHistory,
  seededRandom,
} from '../../src/testing/index.ts';
import { isLong } from '../support/campaign.ts';

@Entity('register')
class Register {
  @Id() id!: Id<string>;
  @Field(z.string()) value!: string;
  @Versioned() version?: Version;
}

/** A repository as the checker knows it: bytes under keys, with versions. */
class Registers implements Store {
  readonly capabilities: Capabilities;
  readonly #repository: Repository<ShapeOf<typeof Register>>;

  constructor(store: Store, repository: Repository<ShapeOf<typeof Register>>) {
    this.capabilities = { ...store.capabilities, scan: false, commit: false, vectors: false, watch: false };
    this.#repository = repository;
  }

  async get(key: Key): Promise<Stored | undefined> {
    const found = await this.#repository.get(idOf(key));
    if (found?.version === undefined) return undefined;
    return { value: Buffer.from(found.value), version: found.version };
  }

  async getMany(): Promise<never> {
    throw new Error('The clients read one by one.');
  }

  async put(key: Key, value: Uint8Array, { ifMatch, ifAbsent }: PutOptions = {}): Promise<Version> {
    const entity = { id: idOf(key), value: Buffer.from(value).toString() };
    const { version } = await told(
      ifAbsent
        ? this.#repository.create(entity)
        : this.#repository.put(entity, ifMatch === undefined ? {} : { ifMatch }),
    );
    // Others moved on from it in the same write, or before it was known to be applied.
    if (version === undefined) throw unknown();
    return version;
  }

  async delete(key: Key, { ifMatch }: { ifMatch?: Version | undefined } = {}): Promise<boolean> {
    return told(this.#repository.delete(idOf(key), ifMatch === undefined ? {} : { ifMatch }));
  }

  async close(): Promise<void> {}
}

function idOf(key: Key): string {
  return Buffer.from(key).toString();
}

function unknown(): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', 'Its version is not known.', { applied: 'unknown' });
}

async function told<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw NorimakiError.is(error, 'outcome.unknown') ? unknown() : error;
  }
}

const FAULTS = { errorBefore: 0.02, lostRequest: 0.02, errorAfter: 0.03, delay: 0.3, duplicate: 0.05, zombie: 0.02 };
const PROCESSES = 3;

/** Clients in pairs: two that share a process, and its memory of what it wrote, with others elsewhere. */
async function run(seed: number, without: readonly Ability[]): Promise<void> {
  const clock = manualClock(0, { autoAdvance: true });
  const inner = limitCapabilities(await memory().openStore({ clock, random: seededRandom(seed) }), without);
  const history = recordHistory();
  const processes = Array.from({ length: PROCESSES }, async (_, p) => {
    const random = seededRandom(seed * 100 + p);
    const store = faultStore(inner, { clock, random, faults: FAULTS, maxDelay: 10 });
    const db = await open(store, { clock, random: seededRandom(seed * 100 + 10 + p) });
    const registers = new Registers(inner, db.repo(Register));
    await Promise.all(
      [0, 1].map((c) => {
        const name = `client ${p}.${c}`;
        return runClient(history.wrap(registers, name), name, seededRandom(seed * 100 + 20 + p * 2 + c), 80);
      }),
    );
    await store.heal();
  });
  await Promise.all(processes);
  const result = checkLinearizable(history.operations());
  expect(result.ok ? '' : `Seed ${seed}. ${result.explanation}`).toBe('');
}

describe('the writes of repositories that remember what they wrote are linearizable', () => {
  const seeds = Array.from({ length: isLong ? 500 : 8 }, (_, i) => i + 1);

  test.each(seeds)('in one commit, seed %i', (seed) => run(seed, []));
  test.each(seeds)('on a store that forgets idempotency keys, seed %i', (seed) => run(seed, ['idempotency']));
  test.each(seeds)('and commits one record at a time, seed %i', (seed) => run(seed, ['commit', 'scan']));
});
