import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import type { Submitted } from '../../src/patterns/index.ts';
import { type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { components, DocumentHistory, similarity } from './support/dedup-model.ts';
import { type DedupProcess, startDedup } from './support/deduplicators.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 500, embedded: 60, norikv: 60 }
  : { memory: 6, embedded: 1, norikv: 1 };
const PROCESSES = 3;
/** Of pairs at the threshold one in a million is missed. */
const NEAR = { jaccard: 0.6, bands: 15, rows: 1 };
const SEED = 20_260_101;

/** A text of twenty words; two variants with a distance of 1 or 2 are similar, others are not. */
function textOf(topic: number, variant: number): string {
  const words = Array.from({ length: 20 }, (_, i) => `t${topic}w${i + 2 * variant}`);
  return words.join(' ');
}

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  let clock: ManualClock;
  let store: Store;
  let runs = 0;

  beforeEach(async () => {
    clock = manualClock(START, { autoAdvance: true });
    store = await openStore(kind, { clock, random: seededRandom(1) });
  });

  const startAll = (seed: number, name: string, hasFaults = true): Promise<DedupProcess[]> =>
    Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        startDedup(store, { clock, seed: seed + i, name, near: NEAR, faults: hasFaults ? anyFaults(seed + i) : {} }),
      ),
    );
  const check = (property: (seed: number) => Promise<void>): Promise<void> =>
    fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
      numRuns: RUNS[kind],
      seed: SEED,
      endOnFailure: true,
    });

  test('of all who submit one text at once exactly one is unique, and the others name it', async () => {
    await check(async (seed) => {
      const name = `exact ${runs++}`;
      const processes = await startAll(seed, name);
      const { dedup: calm } = await startDedup(store, { clock, seed: 7, name, near: NEAR });
      const ids = Array.from({ length: 8 }, (_, i) => `${name} ${i}`);
      const text = textOf(seed, 0);
      const verdicts = await Promise.all(
        ids.map(async (id, i): Promise<Submitted> => {
          const { dedup } = processes[i % PROCESSES] as DedupProcess;
          const ask = () => dedup.submit({ id, text });
          // Whoever does not know what became of it asks again.
          return ask().catch(async (error) => {
            fateOf(error);
            return calm.submit({ id, text });
          });
        }),
      );
      for (const { faulty } of processes) await faulty.heal();
      const label = `seed ${seed}`;
      const unique = verdicts.filter(({ kind }) => kind === 'unique');
      expect(unique.length, label).toBe(1);
      const of = unique[0]?.id;
      const others = verdicts.filter(({ id }) => id !== of);
      for (const other of others) expect(other, label).toMatchObject({ kind: 'exact', of, canonical: of });
      const cluster = await calm.cluster(ids[0] as string);
      expect([cluster?.canonical, [...(cluster?.members ?? [])].sort()], label).toEqual([of, ids]);
    });
  });

  test('submitted, edited and removed by all at once: clusters are what is similar, the same for everybody, and nothing gone is named', async () => {
    let duplicates = 0;
    await check(async (seed) => {
      const name = `near ${runs++}`;
      const random = seededRandom(seed);
      const processes = await startAll(seed, name);
      const { dedup: calm, docs } = await startDedup(store, { clock, seed: 7, name, near: NEAR });
      const ids = Array.from({ length: 7 }, (_, i) => `${name} ${i}`);
      const history = new DocumentHistory();
      const ever = new Set<string>();
      const doubtful = new Map<string, string | undefined>();
      const busy = new Set<string>();
      const label = `seed ${seed}`;
      const step = async (): Promise<void> => {
        const { dedup } = processes[pickInt(random, PROCESSES)] as DedupProcess;
        const id = ids[pickInt(random, ids.length)] as string;
        // Who edits one document at the same time as others cannot know what stays; that is another test.
        if (random.float() < 0.2) {
          const begun = history.now();
          // A read that failed says nothing.
          const verdict = await dedup.check(textOf(seed, pickInt(random, 6))).catch(fateOf);
          if (typeof verdict === 'object') verify({ ...verdict, id: '', stored: false, replayed: false }, begun);
          return;
        }
        if (busy.has(id)) return;
        busy.add(id);
        const isRemoval = random.float() < 0.25;
        const text = textOf(seed, pickInt(random, 6));
        doubtful.set(id, isRemoval ? undefined : text);
        try {
          if (isRemoval) await history.run('remove', id, () => dedup.remove(id));
          else {
            ever.add(text);
            const { begun, result } = await history.run('submit', id, () => dedup.submit({ id, text }));
            verify(result, begun);
          }
          doubtful.delete(id);
        } catch (error) {
          fateOf(error);
        } finally {
          busy.delete(id);
        }
      };
      const verify = (verdict: Submitted, begun: number): void => {
        if (verdict.kind === 'unique' || verdict.kind === 'tooShort') return;
        duplicates++;
        expect(verdict.of, label).not.toBe(verdict.id);
        for (const named of [verdict.of, verdict.canonical]) {
          if (named === verdict.id) continue;
          expect(history.wasGone(named, begun), `${label}: ${named} was gone`).toBe(false);
        }
      };
      for (let round = 0; round < 8; round++) await Promise.all([step(), step(), step(), step()]);
      for (const { faulty } of processes) await faulty.heal();
      for (const [id, text] of doubtful) {
        if (text === undefined) await calm.remove(id);
        else await calm.submit({ id, text });
      }

      const texts = new Map<string, string>();
      for (const id of ids) {
        const found = await docs.get(id);
        if (found !== undefined) texts.set(id, found.text);
      }
      // What was similar to something that is gone by now may still be in one cluster with it.
      const possible = components([...ever], NEAR.jaccard);
      const clusters = new Map<string, string>();
      for (const { dedup } of processes) {
        for (const [id] of texts) {
          const cluster = await dedup.cluster(id);
          expect(cluster, label).toBeDefined();
          if (cluster === undefined) continue;
          expect(cluster.members, label).toContain(id);
          expect(clusters.get(id) ?? cluster.id, `${label}: another process says otherwise`).toBe(cluster.id);
          clusters.set(id, cluster.id);
          for (const other of cluster.members) {
            expect(texts.has(other), `${label}: ${other} is gone`).toBe(true);
            expect(await dedup.cluster(other), label).toMatchObject({ id: cluster.id, canonical: cluster.canonical });
          }
        }
      }
      for (const [id, text] of texts) {
        for (const [other, otherText] of texts) {
          if (similarity(text, otherText) >= NEAR.jaccard) {
            expect(clusters.get(id), `${label}: ${id} and ${other} are similar`).toBe(clusters.get(other));
          } else if (possible.get(text) !== possible.get(otherText)) {
            expect(clusters.get(id), `${label}: ${id} and ${other} are not similar`).not.toBe(clusters.get(other));
          }
        }
      }
      for (let variant = 0; variant < 6; variant++) {
        const text = textOf(seed, variant);
        const verdict = await calm.check(text);
        const best = Math.max(0, ...[...texts.values()].map((other) => similarity(text, other)));
        if (verdict.kind === 'unique') expect(best, label).toBeLessThan(NEAR.jaccard);
        else if (verdict.kind !== 'tooShort') {
          expect([verdict.score, similarity(text, texts.get(verdict.of) ?? '')], label).toEqual([best, best]);
        }
      }
    });
    expectOnAverage(duplicates, RUNS[kind], 0);
  });

  test('of racing duplicates that are to be rejected one stays, and no two that are similar', async () => {
    await check(async (seed) => {
      const name = `reject ${runs++}`;
      const random = seededRandom(seed);
      const processes = await startAll(seed, name, false);
      const ids = Array.from({ length: 6 }, (_, i) => `${name} ${i}`);
      const { docs } = processes[0] as DedupProcess;
      const texts = ids.map(() => textOf(seed, pickInt(random, 4)));
      const verdicts = await Promise.all(
        ids.map((id, i) =>
          (processes[i % PROCESSES] as DedupProcess).dedup.submit(
            { id, text: texts[i] as string },
            { onDuplicate: 'reject' },
          ),
        ),
      );
      const label = `seed ${seed}`;
      const stored = verdicts.filter((verdict) => verdict.stored).map(({ id }) => id);
      expect(stored.length, label).toBeGreaterThan(0);
      for (const id of ids) expect((await docs.get(id)) !== undefined, label).toBe(stored.includes(id));
      for (const one of stored) {
        for (const other of stored) {
          if (one === other) continue;
          const both = [texts[ids.indexOf(one)], texts[ids.indexOf(other)]] as [string, string];
          expect(similarity(...both), label).toBeLessThan(NEAR.jaccard);
        }
      }
    });
  });

  test('whoever edits one document at the same time, it is known by the text that it has in the end', async () => {
    await check(async (seed) => {
      const name = `edits ${runs++}`;
      const random = seededRandom(seed);
      const processes = await startAll(seed, name);
      const { dedup: calm, docs } = await startDedup(store, { clock, seed: 7, name, near: NEAR });
      const ids = [`${name} a`, `${name} b`];
      const label = `seed ${seed}`;
      let failed = 0;
      for (let round = 0; round < 3; round++) {
        await Promise.all(
          processes.map(({ dedup }) => {
            const id = ids[pickInt(random, 2)] as string;
            const call =
              random.float() < 0.8
                ? () => dedup.submit({ id, text: textOf(seed, 3 * pickInt(random, 3)) })
                : () => dedup.remove(id);
            return call().catch((error) => {
              fateOf(error);
              failed++;
            });
          }),
        );
      }
      for (const { faulty } of processes) await faulty.heal();
      // What was cut off half-way is finished by a sweep.
      if (failed > 0) await calm.sweep({ ids });
      for (const id of ids) {
        const found = await docs.get(id);
        const cluster = await calm.cluster(id);
        expect(cluster !== undefined, label).toBe(found !== undefined);
        if (found === undefined) continue;
        const verdict = await calm.check(found.text);
        expect(verdict.kind, label).toBe('exact');
      }
      const [one, other] = await Promise.all(ids.map((id) => docs.get(id)));
      const areOne = one !== undefined && one.text === other?.text;
      const clusters = await Promise.all(ids.map((id) => calm.cluster(id)));
      if (one !== undefined && other !== undefined) expect(clusters[0]?.id === clusters[1]?.id, label).toBe(areOne);
      for (let variant = 0; variant < 3; variant++) {
        const text = textOf(seed, 3 * variant);
        const isThere = one?.text === text || other?.text === text;
        expect((await calm.check(text)).kind, label).toBe(isThere ? 'exact' : 'unique');
      }
    });
  });
});
