import assert from 'node:assert/strict';
import type { Store } from '../../../core/store.ts';
import { assertFails, committable, searchable } from '../assertions.ts';
import type { PromisedGroup } from '../contract-case.ts';
import { assertVector, fill, index, METRICS, SPACE, TYPES, vector } from './samples.ts';

/** Every call that needs the namespace to be there. */
function callsIn(store: Store, namespace: string): (() => Promise<unknown>)[] {
  const { vectors } = searchable(store);
  const inCommit = (write: { type: 'insert'; vector: Float32Array } | { type: 'delete' }) => () =>
    committable(store).commit([], { vectors: [{ namespace, id: 'a', ...write }] });
  return [
    () => vectors.insert(namespace, 'a', vector(1, 2)),
    () => vectors.delete(namespace, 'a'),
    () => vectors.get(namespace, 'a'),
    () => vectors.getMany(namespace, ['a', 'b']),
    () => vectors.getMany(namespace, []),
    () => vectors.search(namespace, vector(1, 2), 3),
    ...(store.capabilities.scan ? [() => vectors.list(namespace)] : []),
    ...(store.capabilities.commit
      ? [inCommit({ type: 'insert', vector: vector(1, 2) }), inCommit({ type: 'delete' })]
      : []),
  ];
}

async function assertGone(store: Store, namespace: string): Promise<void> {
  for (const call of callsIn(store, namespace)) {
    const { details } = await assertFails(call(), 'index.missing');
    assert.deepEqual(details, { namespace });
  }
}

/** Making and dropping indexes. */
export const vectorIndexesGroup: PromisedGroup = {
  name: 'vector indexes',
  needs: ['vectors'],
  promises: [
    {
      name: 'an index is made once, of every metric and type',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const metric of METRICS) {
          for (const type of TYPES) {
            const options = index(2, { metric, type });
            assert.equal(await vectors.createIndex(`${metric} ${type}`, options), true, 'it is new');
            assert.equal(await vectors.createIndex(`${metric} ${type}`, { ...options }), false, 'it exists');
          }
        }
      },
    },
    {
      name: 'an index that exists keeps its vectors when it is made again, and refuses other options',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(2), new Map([['a', vector(1, 2)]]));
        for (const [argument, other] of [
          ['dimensions', index(3)],
          ['metric', index(2, { metric: 'cosine' })],
          ['type', index(2, { type: 'hnsw' })],
        ] as const) {
          const { details } = await assertFails(vectors.createIndex(SPACE, other), 'argument.invalid');
          assert.deepEqual(details, { argument });
        }
        assert.equal(await vectors.createIndex(SPACE, index(2)), false);
        assertVector(await vectors.get(SPACE, 'a'), vector(1, 2));
        await assertFails(vectors.insert(SPACE, 'b', vector(1, 2, 3)), 'argument.invalid');
      },
    },
    {
      name: 'of many that make one index at once, one makes it',
      async check({ store }) {
        const { vectors } = searchable(store);
        const made = await Promise.all(Array.from({ length: 16 }, () => vectors.createIndex(SPACE, index(2))));
        assert.equal(made.filter(Boolean).length, 1);
      },
    },
    {
      name: 'later changes to the options do not reach the store',
      async check({ store }) {
        const { vectors } = searchable(store);
        const options: { dimensions: number; metric: 'cosine' | 'euclidean'; type: 'exact' } = {
          dimensions: 2,
          metric: 'cosine',
          type: 'exact',
        };
        const made = vectors.createIndex(SPACE, options);
        Object.assign(options, { dimensions: 3, metric: 'euclidean' });
        assert.equal(await made, true);
        assert.equal(await vectors.createIndex(SPACE, index(2, { metric: 'cosine' })), false);
      },
    },
    {
      name: 'nothing can be done with an index that is not there',
      async check({ store }) {
        await assertGone(store, 'nowhere');
        assert.equal(await searchable(store).vectors.dropIndex('nowhere'), false);
      },
    },
    {
      name: 'a dropped index is gone with its vectors, and made again it is empty and may be of another kind',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(2), new Map([['a', vector(1, 2)]]));
        assert.equal(await vectors.dropIndex(SPACE), true, 'there was one to drop');
        await assertGone(store, SPACE);
        assert.equal(await vectors.dropIndex(SPACE), false, 'it was dropped already');
        for (const options of [index(2), index(3, { metric: 'cosine', type: 'hnsw' })]) {
          assert.equal(await vectors.createIndex(SPACE, options), true);
          const query = new Float32Array(options.dimensions).fill(1);
          assert.equal(await vectors.get(SPACE, 'a'), undefined);
          assert.deepEqual(await vectors.search(SPACE, query, 10), []);
          if (store.capabilities.scan) assert.deepEqual(await vectors.list(SPACE), []);
          await vectors.insert(SPACE, 'b', query);
          assert.deepEqual(
            (await vectors.search(SPACE, query, 10)).map(({ id }) => id),
            ['b'],
          );
          await vectors.dropIndex(SPACE);
        }
      },
    },
    {
      name: 'namespaces do not see each other, however close their names',
      async check({ store }) {
        const { vectors } = searchable(store);
        const names = ['s', 's\0', 's\0a', 'S', 'sa', 's/a', '"s"', 'ś', 's ', '\u{10000}', '\uffee'];
        for (const [i, name] of names.entries()) await fill(store, name, index(1), new Map([['a', vector(i)]]));
        for (const [i, name] of names.entries()) {
          assertVector(await vectors.get(name, 'a'), vector(i), `in ${JSON.stringify(name)}`);
          assert.deepEqual(await vectors.search(name, vector(i), 5), [{ id: 'a', distance: 0 }]);
          if (store.capabilities.scan) assert.deepEqual(await vectors.list(name), ['a']);
        }
        await vectors.delete('s', 'a');
        await vectors.dropIndex('s\0');
        for (const [i, name] of names.entries()) {
          if (i >= 2) assertVector(await vectors.get(name, 'a'), vector(i), `in ${JSON.stringify(name)}`);
        }
      },
    },
    {
      name: 'vectors and records do not see each other',
      async check({ store }) {
        const key = Uint8Array.from(Buffer.from('a'));
        await fill(store, 'a', index(1), new Map([['a', vector(1)]]));
        assert.equal(await store.get(key), undefined);
        const version = await store.put(key, key);
        await searchable(store).vectors.delete('a', 'a');
        await searchable(store).vectors.dropIndex('a');
        assert.equal((await store.get(key))?.version, version);
      },
    },
    {
      name: 'indexes and their vectors outlast a reopening, and what was dropped or deleted stays so',
      needs: ['reopen'],
      async check(world) {
        for (const type of TYPES) {
          const entries = new Map(Array.from({ length: 30 }, (_, i) => [`id ${i}`, vector(i, 1)]));
          await fill(world.store, `kept ${type}`, index(2, { type }), entries);
          await fill(world.store, `dropped ${type}`, index(2, { type }), entries);
          const { vectors } = searchable(world.store);
          await vectors.delete(`kept ${type}`, 'id 3');
          await vectors.insert(`kept ${type}`, 'id 4', vector(400, 1));
          await vectors.dropIndex(`dropped ${type}`);
        }
        await world.reopen();
        const { vectors } = searchable(world.store);
        for (const type of TYPES) {
          assert.equal(await vectors.createIndex(`kept ${type}`, index(2, { type })), false);
          await assertGone(world.store, `dropped ${type}`);
          assert.equal(await vectors.get(`kept ${type}`, 'id 3'), undefined);
          assertVector(await vectors.get(`kept ${type}`, 'id 4'), vector(400, 1));
          const found = await vectors.search(`kept ${type}`, vector(0, 1), 1000);
          assert.equal(found.length, 29);
          assert.deepEqual(
            [found[0], found.at(-1)],
            [
              { id: 'id 0', distance: 0 },
              { id: 'id 4', distance: 400 },
            ],
          );
          await vectors.createIndex(`dropped ${type}`, index(2, { type }));
          assert.deepEqual(await vectors.search(`dropped ${type}`, vector(0, 1), 10), []);
        }
      },
    },
  ],
};
