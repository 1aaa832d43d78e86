import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/core/store.ts';
import { defineEntity, type Embedder, open } from '../../src/index.ts';
import { Deduplicator, type Submitted } from '../../src/patterns/index.ts';
import { faultStore, type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { listed, textOf as textOfWords } from './support/deduplicators.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 300, embedded: 40, norikv: 40 }
  : { memory: 5, embedded: 1, norikv: 1 };
const SEED = 20_261_129;
const PROCESSES = 3;
const DOCUMENTS = 8;
const MEANINGS = 3;

/** No two share a word but the one that says what they mean. */
const textOf = (meaning: number, n: number): string =>
  `meaning${meaning} ${Array.from({ length: 12 }, (_, i) => `word${n}x${i}`).join(' ')}`;
const meaningOf = (text: string): number => Number(/meaning(\d)/.exec(text)?.[1]);

/** Knows what a text means, whatever its words. */
const knowing: Embedder = {
  id: 'knowing@1',
  dimensions: MEANINGS,
  embed: async (texts) =>
    texts.map((text) => Float32Array.from({ length: MEANINGS }, (_, i) => (i === meaningOf(text) ? 1 : 0))),
};

const Sense = defineEntity('sense', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { meaning: { from: 'text', index: 'exact' } },
});

async function start(store: Store, clock: ManualClock, seed: number, name: string, hasFaults: boolean) {
  const faults = hasFaults ? anyFaults(seed) : {};
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, maxDelay: 20 });
  const db = await open(faulty, { clock, random: seededRandom(seed), embedder: knowing });
  const dedup = new Deduplicator(db, Sense, {
    name,
    text: ['text'],
    near: { bands: 4, rows: 4 },
    semantic: { embedding: 'meaning', threshold: 0.99 },
  });
  return { faulty, dedup };
}

/** Texts end with an angle: what they mean is a direction. */
const compass: Embedder = {
  id: 'compass@1',
  dimensions: 2,
  embed: async (texts) =>
    texts.map((text) => {
      const angle = (Number(/(\d+)°/.exec(text)?.[1]) * Math.PI) / 180;
      return Float32Array.of(Math.cos(angle), Math.sin(angle));
    }),
};

/** Whose meanings are within 10 degrees is a duplicate, within 27 nearly one. */
async function startCompass() {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  const db = await open(store, { clock, random: seededRandom(2), embedder: compass });
  const dedup = new Deduplicator(db, Sense, {
    name: 'compass',
    text: ['text'],
    near: { jaccard: 0.9, bands: 64, rows: 1 },
    semantic: { embedding: 'meaning', threshold: Math.cos(Math.PI / 18) },
    review: 0.095,
  });
  return { dedup, docs: db.repo(Sense) };
}

test('all of nearly the same meaning are offered for review, and a sweep can join them', async () => {
  const { dedup } = await startCompass();
  for (const angle of [0, 50, 25])
    await dedup.submit({ id: `${angle}`, text: `word${angle} and more words ${angle}°` });
  const pairs = await listed(dedup.review());
  expect(pairs.map(({ one, other, kind }) => [kind, ...[one, other].sort()])).toEqual([
    ['semantic', '0', '25'],
    ['semantic', '25', '50'],
  ]);
  expect(await dedup.sweep({ threshold: { semantic: 0.9 } })).toMatchObject({ joined: 2 });
  expect((await dedup.cluster('0'))?.members).toHaveLength(3);
});

test('of two ways to be alike the one that makes a duplicate is told', async () => {
  const { dedup } = await startCompass();
  await dedup.submit({ id: 'a', text: `${textOfWords('w')} 0°` });
  // Half of the words are the same, which is not enough.
  const verdict = await dedup.submit({ id: 'b', text: `${textOfWords('w', 10)} 5°` });
  expect(verdict).toMatchObject({ kind: 'semantic', of: 'a' });
});

test('a meaning is compared only with texts that were submitted as they are', async () => {
  const { dedup, docs } = await startCompass();
  await dedup.submit({ id: 'a', text: 'something about the north 90°' });
  await docs.put({ id: 'a', text: 'something about the east 0°' });
  expect(await dedup.check('the east, in other words 1°')).toEqual({ kind: 'unique' });
  await dedup.submit({ id: 'a', text: 'something about the east 0°' });
  expect(await dedup.check('the east, in other words 1°')).toMatchObject({ kind: 'semantic', of: 'a' });
});

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  test('what means the same ends in one cluster that all processes see, and nothing else is in it', async () => {
    const clock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock, random: seededRandom(1) });
    // One index for all runs, so that each has ids of its own.
    let run = 0;
    let found = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        const label = `seed ${seed}`;
        const name = `senses ${run++}`;
        const random = seededRandom(seed);
        const processes = await Promise.all(
          Array.from({ length: PROCESSES }, (_, i) => start(store, clock, seed + i, name, true)),
        );
        const { dedup: calm } = await start(store, clock, 7, name, false);
        const meanings = new Map<string, number>(
          Array.from({ length: DOCUMENTS }, (_, n) => [`${name} ${n}`, pickInt(random, MEANINGS)] as const),
        );
        const inputs = [...meanings].map(([id, meaning], n) => ({ id, text: textOf(meaning, run * DOCUMENTS + n) }));
        const verdicts = await Promise.all(
          inputs.map(async (input, n): Promise<Submitted> => {
            const { dedup } = processes[n % PROCESSES] ?? { dedup: calm };
            return dedup.submit(input).catch((error) => {
              fateOf(error);
              return calm.submit(input);
            });
          }),
        );
        for (const verdict of verdicts) {
          expect(verdict.kind, label).not.toBe('near');
          if (verdict.kind !== 'semantic') continue;
          found++;
          expect(verdict.of, label).not.toBe(verdict.id);
          expect(meanings.get(verdict.of), label).toBe(meanings.get(verdict.id));
        }
        for (const { faulty } of processes) await faulty.heal();
        await calm.sweep({ ids: meanings.keys() });
        expect(await calm.sweep({ ids: meanings.keys() }), label).toMatchObject({ added: 0, joined: 0, dropped: 0 });
        for (const [id, meaning] of meanings) {
          const alike = [...meanings].filter(([, other]) => other === meaning).map(([other]) => other);
          const seen = await Promise.all([...processes, { dedup: calm }].map(({ dedup }) => dedup.cluster(id)));
          for (const cluster of seen) {
            expect([...(cluster?.members ?? [])].sort(), label).toEqual(alike.sort());
            expect(cluster, label).toEqual(seen[0]);
          }
        }
        // The next run looks for its own.
        for (const id of meanings.keys()) await calm.remove(id);
      }),
      { numRuns: RUNS[kind], seed: SEED, endOnFailure: true },
    );
    expectOnAverage(found, RUNS[kind], 0);
  });
});
