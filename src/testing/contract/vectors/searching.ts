import assert from 'node:assert/strict';
import type { Metric } from '../../../core/vectors/index.ts';
import { idle } from '../../idle.ts';
import { pickInt, seededRandom } from '../../seeded-random.ts';
import { searchable } from '../assertions.ts';
import type { PromisedGroup } from '../contract-case.ts';
import { assertDistance, assertMatches, nearestOf, trueDistance } from './oracle.ts';
import {
  clusteredVectors,
  fill,
  index,
  METRICS,
  nearby,
  randomVector,
  randomVectors,
  SPACE,
  TYPES,
  vector,
} from './samples.ts';

const RECALL = 0.95;

/** Distances that a person can check, from (3, 4). */
const KNOWN: readonly [Metric, readonly (readonly [Float32Array, number])[]][] = [
  [
    'cosine',
    [
      [vector(6, 8), 0],
      [vector(-4, 3), 1],
      [vector(-3, -4), 2],
      [vector(0, 0), 1],
      [vector(1, 0), 0.4],
    ],
  ],
  [
    'euclidean',
    [
      [vector(3, 4), 0],
      [vector(0, 0), 5],
      [vector(-3, -4), 10],
      [vector(3, 5), 1],
    ],
  ],
  [
    'innerProduct',
    [
      [vector(3, 4), -25],
      [vector(0, 0), 0],
      [vector(-3, -4), 25],
      [vector(30, 40), -250],
    ],
  ],
];

/** Finding the nearest. */
export const vectorSearchGroup: PromisedGroup = {
  name: 'vector search',
  needs: ['vectors'],
  promises: [
    ...KNOWN.map(([metric, distances]) => ({
      name: `the distance is that of the metric: ${metric}`,
      async check({ store }: Parameters<PromisedGroup['promises'][number]['check']>[0]) {
        const { vectors } = searchable(store);
        for (const type of TYPES) {
          for (const [i, [one, expected]] of distances.entries()) {
            const namespace = `${type} ${i}`;
            await fill(store, namespace, index(2, { metric, type }), new Map([['a', one]]));
            const [match] = await vectors.search(namespace, vector(3, 4), 1);
            assertDistance(match?.distance, expected, `${type}, of (3, 4) and (${one.join(', ')})`);
          }
        }
      },
    })),
    {
      name: 'every distance from a zero vector by cosine is 1, its own too',
      async check({ store }) {
        const { vectors } = searchable(store);
        const entries = new Map([
          ['a', vector(0, 0)],
          ['b', vector(1, 0)],
          ['c', vector(-1, 5)],
        ]);
        for (const type of TYPES) {
          await fill(store, type, index(2, { metric: 'cosine', type }), entries);
          assertMatches(
            await vectors.search(type, vector(0, 0), 5),
            ['a', 'b', 'c'].map((id) => ({ id, distance: 1 })),
          );
        }
      },
    },
    {
      name: 'an exact search finds what comparing with every vector finds, in every metric',
      async check({ store }) {
        const { vectors } = searchable(store);
        const entries = randomVectors(400, 8);
        const random = seededRandom(8);
        for (const metric of METRICS) {
          await fill(store, metric, index(8, { metric }), entries);
          for (let round = 0; round < 20; round++) {
            const query = randomVector(random, 8);
            const expected = nearestOf(entries, metric, query, 1000);
            for (const k of [1, 2, 10, 399, 400, 1000]) {
              const found = await vectors.search(metric, query, k);
              assertMatches(found, expected.slice(0, k), `${metric}, k = ${k}`);
            }
          }
        }
      },
    },
    {
      name: `an hnsw search finds ${RECALL * 100} % of the 10 nearest of 2,000 clustered vectors, itself first`,
      async check({ store }) {
        const { vectors } = searchable(store);
        const entries = clusteredVectors(2000, 64);
        const all = [...entries];
        const random = seededRandom(9);
        for (const metric of METRICS) {
          await fill(store, metric, index(64, { metric, type: 'hnsw' }), entries);
          let right = 0;
          for (let round = 0; round < 50; round++) {
            const [id, stored] = all[pickInt(random, all.length)] as [string, Float32Array];
            const query = nearby(random, stored, 0.1);
            const found = await vectors.search(metric, query, 10);
            const expected = nearestOf(entries, metric, query, 10);
            assert.equal(found.length, 10);
            for (const match of found) {
              const distance = trueDistance(metric, query, entries.get(match.id) ?? new Float32Array());
              assertDistance(match.distance, distance, `${metric}, ${match.id}`);
            }
            right += expected.filter((match) => found.some((one) => one.id === match.id)).length;
            // By inner product a longer vector may be nearer than the vector itself.
            if (metric !== 'innerProduct') {
              const [first] = await vectors.search(metric, stored, 1);
              assert.equal(first?.id, id, `${metric}: a vector does not find itself`);
            }
          }
          assert.ok(right / 500 >= RECALL, `${metric}: recall is ${right / 500}`);
        }
      },
    },
    {
      name: 'equal distances come in the order of the bytes of their ids',
      async check({ store }) {
        const { vectors } = searchable(store);
        const ids = ['a', 'a\0', 'aa', 'b', '\uffee', '\u{10000}'];
        for (const type of TYPES) {
          const entries = new Map(ids.toReversed().map((id) => [id, vector(1, 1)]));
          await fill(store, type, index(2, { type }), new Map([...entries, ['0 is farther', vector(5, 5)]]));
          await vectors.insert(type, 'a', vector(1, 1));
          for (const k of [1, 3, 6]) {
            const found = (await vectors.search(type, vector(1, 1), k)).map(({ id }) => id);
            assert.deepEqual(found, ids.slice(0, k), `${type}, k = ${k}`);
          }
        }
      },
    },
    {
      name: 'a search for more than there are finds them all; in an empty namespace it finds nothing',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const type of TYPES) {
          await vectors.createIndex(type, index(2, { type }));
          assert.deepEqual(await vectors.search(type, vector(1, 2), 10), []);
          await fill(store, type, index(2, { type }), randomVectors(20, 2));
          for (const k of [19, 20, 21, 1000]) {
            assert.equal((await vectors.search(type, vector(1, 2), k)).length, Math.min(k, 20));
          }
        }
      },
    },
    {
      name: 'an overwritten vector is found where it is now, a deleted one nowhere',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const type of TYPES) {
          const entries = randomVectors(100, 4);
          await fill(store, type, index(4, { type }), entries);
          for (const [i, id] of [...entries.keys()].entries()) {
            if (i % 3 === 0) {
              await vectors.delete(type, id);
              entries.delete(id);
            }
            if (i % 3 === 1) {
              const moved = vector(i, 10, 10, 10);
              await vectors.insert(type, id, moved);
              entries.set(id, moved);
            }
          }
          for (const query of [vector(0, 0, 0, 0), vector(50, 10, 10, 10)]) {
            const expected = nearestOf(entries, 'euclidean', query, 1000);
            assertMatches(await vectors.search(type, query, 1000), expected, type);
          }
        }
      },
    },
    {
      name: 'a search finds every vector that was acknowledged before it: 200 inserts, each followed by a search',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const type of TYPES) {
          await vectors.createIndex(type, index(8, { type }));
          for (const [id, one] of randomVectors(200, 8)) {
            await vectors.insert(type, id, one);
            assert.deepEqual(await vectors.search(type, one, 1), [{ id, distance: 0 }]);
          }
        }
      },
    },
    {
      name: 'a query may be changed as soon as it was asked',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(
          store,
          SPACE,
          index(2),
          new Map([
            ['a', vector(1, 2)],
            ['b', vector(9, 9)],
          ]),
        );
        const query = vector(1, 2);
        const search = vectors.search(SPACE, query, 1);
        query.fill(9);
        assert.deepEqual(await search, [{ id: 'a', distance: 0 }]);
      },
    },
    {
      name: 'searches amid inserts and deletes find what they must and nothing that never was',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const type of TYPES) {
          await vectors.createIndex(type, index(4, { type }));
          const entries = [...randomVectors(160, 4)];
          const acknowledged = new Set<string>();
          const touched = new Set<string>();
          const doomed = new Set(entries.filter((_, i) => i % 5 === 0).map(([id]) => id));
          const write = async (client: number): Promise<void> => {
            for (const [id, one] of entries.filter((_, i) => i % 8 === client)) {
              touched.add(id);
              await vectors.insert(type, id, one);
              if (doomed.has(id)) await vectors.delete(type, id);
              else acknowledged.add(id);
              await idle();
            }
          };
          const all = new Map(entries);
          const read = async (): Promise<void> => {
            while (acknowledged.size < entries.length - doomed.size) {
              const before = new Set(acknowledged);
              const query = vector(0.1, 0.2, 0.3, 0.4);
              const found = await vectors.search(type, query, 1000);
              const ids = new Set(found.map(({ id }) => id));
              assert.equal(ids.size, found.length, 'a search found a vector twice');
              for (const id of before) assert.ok(ids.has(id), `a search missed ${id}, which was acknowledged before`);
              for (const { id, distance } of found) {
                assert.ok(touched.has(id), `a search found ${id} before it was written`);
                assertDistance(distance, trueDistance('euclidean', query, all.get(id) ?? vector()), id);
              }
              await idle();
            }
          };
          await Promise.all([...[0, 1, 2, 3, 4, 5, 6, 7].map(write), read(), read()]);
          for (const id of doomed) all.delete(id);
          const query = vector(0.1, 0.2, 0.3, 0.4);
          assertMatches(await vectors.search(type, query, 1000), nearestOf(all, 'euclidean', query, 1000));
        }
      },
    },
  ],
};
