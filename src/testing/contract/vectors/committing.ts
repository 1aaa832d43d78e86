import assert from 'node:assert/strict';
import type { Store } from '../../../core/store.ts';
import type { VectorWrite } from '../../../core/vectors/index.ts';
import { assertFails, assertMissing, assertRecord, bytes, committable, searchable } from '../assertions.ts';
import type { PromisedGroup } from '../contract-case.ts';
import { FOREIGN } from '../preconditions.ts';
import { assertVector, fill, index, SPACE, vector } from './samples.ts';

const [A, B] = [bytes('a'), bytes('b')];
const ROUNDS = 40;

const insert = (id: string, one: Float32Array, namespace = SPACE): VectorWrite => ({
  type: 'insert',
  namespace,
  id,
  vector: one,
});
const remove = (id: string, namespace = SPACE): VectorWrite => ({ type: 'delete', namespace, id });

/** A namespace with `old` in it, and `two` of three dimensions. */
async function prepare(store: Store): Promise<void> {
  await fill(store, SPACE, index(2), new Map([['old', vector(1, 2)]]));
  await fill(store, 'two', index(3), new Map());
}

async function assertUntouched(store: Store): Promise<void> {
  const { vectors } = searchable(store);
  assertMissing(await store.get(A), 'a refused commit wrote a record');
  assert.deepEqual(await vectors.search(SPACE, vector(1, 2), 10), [{ id: 'old', distance: 0 }]);
  assert.deepEqual(await vectors.search('two', vector(1, 2, 3), 10), []);
  assert.equal(await vectors.get(SPACE, 'new'), undefined);
}

/** Records and vectors together. */
export const vectorCommitsGroup: PromisedGroup = {
  name: 'vectors in a commit',
  needs: ['vectors', 'commit'],
  promises: [
    {
      name: 'a commit writes its records and its vectors, in several namespaces',
      async check({ store }) {
        const { vectors } = searchable(store);
        await prepare(store);
        const version = await committable(store).commit([{ type: 'put', key: A, value: bytes('one') }], {
          vectors: [
            insert('new', vector(3, 4)),
            remove('old'),
            insert('new', vector(1, 2, 3), 'two'),
            remove('nobody'),
          ],
        });
        assertRecord(await store.get(A), { value: bytes('one'), version });
        assertVector(await vectors.get(SPACE, 'new'), vector(3, 4));
        assert.equal(await vectors.get(SPACE, 'old'), undefined);
        assert.deepEqual(await vectors.search(SPACE, vector(3, 4), 10), [{ id: 'new', distance: 0 }]);
        assert.deepEqual(await vectors.search('two', vector(1, 2, 3), 10), [{ id: 'new', distance: 0 }]);
      },
    },
    {
      name: 'a commit may be of vectors alone, and may replace what is there',
      async check({ store }) {
        await prepare(store);
        await committable(store).commit([], { vectors: [insert('old', vector(5, 6))] });
        await committable(store).commit([{ type: 'put', key: A, value: bytes('one') }], { vectors: [] });
        assertVector(await searchable(store).vectors.get(SPACE, 'old'), vector(5, 6));
        assertRecord(await store.get(A), { value: bytes('one') });
      },
    },
    {
      name: 'a refused precondition writes no vector and deletes none',
      async check({ store }) {
        await prepare(store);
        const ofB = await store.put(B, bytes('one'));
        const writes = { vectors: [insert('new', vector(3, 4)), remove('old'), insert('new', vector(1, 2, 3), 'two')] };
        const put = { type: 'put', key: A, value: bytes('one') } as const;
        for (const refused of [
          { type: 'check', key: B, ifMatch: FOREIGN },
          { type: 'put', key: B, value: bytes('two'), ifMatch: FOREIGN },
        ] as const) {
          const { details } = await assertFails(committable(store).commit([put, refused], writes), 'version.mismatch');
          assert.equal(details.operation, 1);
          await assertUntouched(store);
        }
        assertRecord(await store.get(B), { value: bytes('one'), version: ofB });
      },
    },
    {
      name: 'a vector for an index that is not there, or of another length, writes no record and no vector',
      async check({ store }) {
        await prepare(store);
        for (const [bad, code] of [
          [insert('new', vector(1, 2), 'nowhere'), 'index.missing'],
          [remove('new', 'nowhere'), 'index.missing'],
          [insert('new', vector(1, 2), 'two'), 'argument.invalid'],
        ] as const) {
          for (const vectors of [
            [bad, insert('new', vector(3, 4)), remove('old')],
            [insert('new', vector(3, 4)), remove('old'), bad],
          ]) {
            const put = { type: 'put', key: A, value: bytes('one') } as const;
            await assertFails(committable(store).commit([put], { vectors }), code);
            await assertUntouched(store);
          }
        }
      },
    },
    {
      name: 'a commit names each vector at most once',
      async check({ store }) {
        await prepare(store);
        for (const vectors of [
          [insert('new', vector(1, 2)), insert('new', vector(3, 4))],
          [insert('new', vector(1, 2)), insert('other', vector(1, 2)), remove('new')],
          [remove('old'), remove('old')],
        ]) {
          const put = { type: 'put', key: A, value: bytes('one') } as const;
          await assertFails(committable(store).commit([put], { vectors }), 'argument.invalid');
          await assertUntouched(store);
        }
      },
    },
    {
      name: 'later changes to the vectors of a commit do not reach the store',
      async check({ store }) {
        const { vectors } = searchable(store);
        await prepare(store);
        const one = vector(3, 4);
        const commit = committable(store).commit([], { vectors: [insert('new', one)] });
        one.fill(9);
        await commit;
        one.fill(8);
        assertVector(await vectors.get(SPACE, 'new'), vector(3, 4));
        assert.deepEqual(await vectors.search(SPACE, vector(3, 4), 1), [{ id: 'new', distance: 0 }]);
      },
    },
    {
      name: 'of commits that race for a record, the vector that stays is that of the winner',
      needs: ['atomicCas', 'ifAbsent'],
      async check({ store }) {
        const { vectors } = searchable(store);
        await prepare(store);
        for (let round = 0; round < ROUNDS; round++) {
          const id = `round ${round}`;
          const compete = (client: number): Promise<unknown> =>
            committable(store).commit([{ type: 'put', key: bytes(id), value: bytes(String(client)), ifAbsent: true }], {
              vectors: [insert(id, vector(client, 100 + round))],
            });
          const outcomes = await Promise.allSettled([1, 2, 3, 4].map(compete));
          assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
          const winner = Number(Buffer.from((await store.get(bytes(id)))?.value ?? []).toString());
          assertVector(await vectors.get(SPACE, id), vector(winner, 100 + round));
          assert.deepEqual(await vectors.search(SPACE, vector(winner, 100 + round), 1), [{ id, distance: 0 }]);
        }
      },
    },
    {
      name: 'a commit of many vectors is found whole',
      async check({ store }) {
        await prepare(store);
        const writes = Array.from({ length: 300 }, (_, i) => insert(`id ${i}`, vector(i, -i)));
        await committable(store).commit([], { vectors: writes });
        const found = await searchable(store).vectors.search(SPACE, vector(0, 0), 1000);
        assert.equal(found.length, 301);
      },
    },
    {
      name: 'the vectors of a commit outlast a reopening, and those of a refused one do not appear',
      needs: ['reopen'],
      async check(world) {
        await prepare(world.store);
        await committable(world.store).commit([], { vectors: [insert('kept', vector(3, 4)), remove('old')] });
        const refused = { type: 'check', key: A, ifMatch: FOREIGN } as const;
        const writes = { vectors: [insert('lost', vector(3, 4))] };
        await assertFails(committable(world.store).commit([refused], writes), 'version.mismatch');
        await world.reopen();
        assert.deepEqual(await searchable(world.store).vectors.search(SPACE, vector(3, 4), 10), [
          { id: 'kept', distance: 0 },
        ]);
      },
    },
  ],
};
