import assert from 'node:assert/strict';
import { assertRecord, bytes, committable, searchable } from '../assertions.ts';
import type { PromisedGroup } from '../contract-case.ts';
import { assertVector, fill, index, SPACE, vector } from './samples.ts';

const ONCE = { idempotencyKey: 'operation 1' };

/** A call to the vectors that was repeated is applied once, and answered as the first was. */
export const vectorIdempotencyGroup: PromisedGroup = {
  name: 'vector idempotency',
  needs: ['vectors', 'idempotency'],
  promises: [
    {
      name: 'a repeated insert does not undo what came after it',
      async check({ store }) {
        const { vectors } = searchable(store);
        await vectors.createIndex(SPACE, index(1));
        await vectors.insert(SPACE, 'a', vector(1), ONCE);
        await vectors.insert(SPACE, 'a', vector(2));
        await vectors.insert(SPACE, 'a', vector(1), ONCE);
        assertVector(await vectors.get(SPACE, 'a'), vector(2));
        await vectors.delete(SPACE, 'a');
        await vectors.insert(SPACE, 'a', vector(1), ONCE);
        assert.equal(await vectors.get(SPACE, 'a'), undefined, 'a repeated insert brought a vector back');
      },
    },
    {
      name: 'a repeated delete is answered as the first was, and deletes nothing more',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(1), new Map([['a', vector(1)]]));
        assert.equal(await vectors.delete(SPACE, 'a', ONCE), true);
        assert.equal(await vectors.delete(SPACE, 'a', ONCE), true);
        await vectors.insert(SPACE, 'a', vector(2));
        assert.equal(await vectors.delete(SPACE, 'a', ONCE), true);
        assertVector(await vectors.get(SPACE, 'a'), vector(2));
      },
    },
    {
      name: 'a repeated createIndex or dropIndex is answered as the first was',
      async check({ store }) {
        const { vectors } = searchable(store);
        assert.equal(await vectors.createIndex(SPACE, index(1), ONCE), true);
        assert.equal(await vectors.createIndex(SPACE, index(1), ONCE), true);
        assert.equal(await vectors.dropIndex(SPACE, ONCE), true);
        assert.equal(await vectors.createIndex(SPACE, index(1)), true);
        assert.equal(await vectors.dropIndex(SPACE, ONCE), true);
        assert.equal(await vectors.createIndex(SPACE, index(1)), false, 'a repeated dropIndex dropped again');
      },
    },
    {
      name: 'the same idempotency key on another verb, id or namespace is another write',
      async check({ store }) {
        const { vectors } = searchable(store);
        const places = [
          [SPACE, 'a'],
          [SPACE, 'b'],
          ['other', 'a'],
        ] as const;
        for (const name of [SPACE, 'other']) assert.equal(await vectors.createIndex(name, index(1), ONCE), true);
        for (const [i, [namespace, id]] of places.entries()) await vectors.insert(namespace, id, vector(i), ONCE);
        for (const [i, [namespace, id]] of places.entries()) {
          assertVector(await vectors.get(namespace, id), vector(i));
          assert.equal(await vectors.delete(namespace, id, ONCE), true);
          assert.equal(await vectors.get(namespace, id), undefined);
        }
      },
    },
    {
      name: 'a repeated commit does not write its vectors again',
      needs: ['commit'],
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(1), new Map([['b', vector(1)]]));
        const commit = (): Promise<string> =>
          committable(store).commit([{ type: 'put', key: bytes('a'), value: bytes('one') }], {
            vectors: [
              { type: 'insert', namespace: SPACE, id: 'a', vector: vector(1) },
              { type: 'delete', namespace: SPACE, id: 'b' },
            ],
            ...ONCE,
          });
        const version = await commit();
        await vectors.insert(SPACE, 'a', vector(2));
        await vectors.insert(SPACE, 'b', vector(2));
        assert.equal(await commit(), version);
        assertRecord(await store.get(bytes('a')), { value: bytes('one') });
        assertVector(await vectors.get(SPACE, 'a'), vector(2));
        assertVector(await vectors.get(SPACE, 'b'), vector(2));
      },
    },
  ],
};
