import fc from 'fast-check';
import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { fakeEmbedder, faultStore, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { openStore, STORE_KINDS, type StoreKind } from '../patterns/support/stores.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { CHUNK, Long, words } from './support/long-docs.ts';
import { disagreements } from './support/oracle.ts';
import type { Docs } from './support/world.ts';

const RUNS: Record<StoreKind, number> = isLong
  ? { memory: 400, embedded: 60, norikv: 60 }
  : { memory: 25, embedded: 3, norikv: 2 };

const IDS = ['a', 'b', 'c'];
const id = fc.constantFrom(...IDS);
const text = fc.option(
  fc.array(fc.constantFrom('one', 'two', 'three', 'four', 'five'), { maxLength: 6 }).map((names) => words(...names)),
  { freq: 8 },
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), id, text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('star' as const), id, text }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id, text }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('race' as const), id, text }) },
);

/** Whoever lost a reply may not know; the store tells what is there. */
const UNSURE = new Set(['outcome.unknown', 'not.found', 'store.unavailable', 'conflict.exhausted']);

const worlds = STORE_KINDS.flatMap((kind) => [[kind, 'commits'] as const, [kind, 'does not commit'] as const]);

test.each(worlds)('on %s that %s, after any history a search is what an oracle says', async (kind, way) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat(), async (steps, seed) => {
      const clock = manualClock(START, { autoAdvance: true });
      const whole = await openStore(kind, { clock, random: seededRandom(seed) });
      const inner = way === 'commits' ? whole : limitCapabilities(whole, ['commit', 'scan']);
      let faults = 0;
      const script = ({ number }: { number: number }) =>
        number % 7 === seed % 7 && ++faults < 10 ? 'errorAfter' : 'none';
      const store = faultStore(inner, { random: seededRandom(seed), clock, script });
      const embedder = fakeEmbedder();
      const [one, two] = await Promise.all(
        [1, 2].map(async (n) => {
          const db = await open(store, { clock, embedder, random: seededRandom(seed + n) });
          return db.repo(Long) as unknown as Docs; // Every way leaves the vectors.
        }),
      );
      const [first, second] = [one as Docs, two as Docs];
      for (const { kind: what, id: at, text: to } of steps) {
        const calls =
          what === 'put'
            ? [first.put({ id: at, text: to })]
            : what === 'delete'
              ? [second.delete(at)]
              : what === 'star'
                ? [
                    second.mutate(at, (doc) => {
                      doc.stars += 1;
                    }),
                  ]
                : [first.put({ id: at, text: to }), second.put({ id: at, text: words('other') })];
        for (const result of await Promise.allSettled(calls as Promise<unknown>[])) {
          if (result.status === 'rejected' && !UNSURE.has(result.reason.code)) throw result.reason;
        }
      }
      const options = { queries: ['a query', words('one')], chunk: CHUNK };
      expect(await disagreements(first, embedder, IDS, options)).toEqual([]);
    }),
    { numRuns: RUNS[kind], seed: 20_260_101, endOnFailure: true },
  );
});
