import assert from 'node:assert/strict';
import type { Store } from '../../../core/store.ts';
import type { VectorName } from '../../../core/vectors/index.ts';
import { assertFails, assertMissing, bytes, committable, searchable } from '../assertions.ts';
import type { PromisedGroup } from '../contract-case.ts';
import { fill, index, SPACE, vector } from './samples.ts';

const A = bytes('a');
const LIFE = 1000;

const names = (...ids: string[]): VectorName[] => ids.map((id) => ({ namespace: SPACE, id }));

function put(store: Store, expiresAt: number, vectors?: readonly VectorName[]): Promise<unknown> {
  return committable(store).commit([{ type: 'put', key: A, value: bytes('one'), expiresAt, vectors }]);
}

/** Of `a`, `b` and `c`, those that are there. */
async function present(store: Store): Promise<string[]> {
  const ids = ['a', 'b', 'c'];
  const found = await searchable(store).vectors.getMany(SPACE, ids);
  return ids.filter((_, i) => found[i] !== undefined);
}

async function prepare(store: Store): Promise<void> {
  await fill(store, SPACE, index(2), new Map(['a', 'b', 'c'].map((id) => [id, vector(1, 2)])));
}

/** Vectors that a put names. */
export const endingVectorsGroup: PromisedGroup = {
  name: 'vectors that end with a record',
  needs: ['vectors', 'commit'],
  promises: [
    {
      name: 'they are there as long as the record lives, renewed or not',
      async check({ store, clock }) {
        await prepare(store);
        await put(store, clock.now() + LIFE, names('a', 'b'));
        await clock.advance(LIFE - 1);
        assert.deepEqual(await present(store), ['a', 'b', 'c']);
        await put(store, clock.now() + LIFE, names('a', 'b'));
        await clock.advance(LIFE - 1);
        await put(store, clock.now() + 1, names('a', 'b'));
        assert.deepEqual(await present(store), ['a', 'b', 'c']);
        assert.equal(await store.delete(A), true);
        assert.deepEqual(await present(store), ['a', 'b', 'c'], 'a delete names its vectors itself');
      },
    },
    {
      name: 'they are gone at the latest when an expired record is written over or deleted, and no others are',
      async check({ store, clock }) {
        const { vectors } = searchable(store);
        await prepare(store);
        await put(store, clock.now() + LIFE, names('a', 'never there'));
        await clock.advance(LIFE);
        await committable(store).commit([{ type: 'put', key: A, value: bytes('two'), expiresAt: clock.now() + LIFE }], {
          vectors: [{ type: 'insert', namespace: SPACE, id: 'new', vector: vector(3, 4) }],
        });
        assert.deepEqual(await present(store), ['b', 'c']);
        assert.ok(await vectors.get(SPACE, 'new'));
        await put(store, clock.now() + LIFE, names('b', 'new'));
        await clock.advance(LIFE);
        await committable(store).commit([{ type: 'delete', key: A }]);
        assert.deepEqual(await present(store), ['c']);
        assert.equal(await vectors.get(SPACE, 'new'), undefined);
      },
    },
    {
      name: 'a put that names others, or none, takes the place of the names before; one that says nothing leaves them',
      async check({ store, clock }) {
        await prepare(store);
        const expiresAt = clock.now() + LIFE;
        await put(store, expiresAt, names('a', 'b'));
        await put(store, expiresAt, names('b'));
        await clock.advance(LIFE);
        await put(store, clock.now() + LIFE, names('c'));
        assert.deepEqual(await present(store), ['a', 'c']);
        await put(store, clock.now() + LIFE, names('c'));
        await put(store, clock.now() + LIFE, []);
        await clock.advance(LIFE);
        await put(store, clock.now() + LIFE, names('c'));
        assert.deepEqual(await present(store), ['a', 'c']);
        await put(store, clock.now() + LIFE);
        await clock.advance(LIFE);
        await put(store, clock.now() + LIFE, names('a'));
        assert.deepEqual(await present(store), ['a']);
        await put(store, clock.now() + LIFE + 1);
        await clock.advance(LIFE + 1);
        await put(store, clock.now() + LIFE);
        assert.deepEqual(await present(store), ['a'], 'another deadline');
      },
    },
    {
      name: 'a namespace that is gone by then is no hindrance',
      async check({ store, clock }) {
        await prepare(store);
        await put(store, clock.now() + LIFE, [...names('a'), { namespace: 'nowhere', id: 'a' }]);
        await searchable(store).vectors.dropIndex(SPACE);
        await clock.advance(LIFE);
        await put(store, clock.now() + LIFE);
        assert.ok(await store.get(A));
      },
    },
    {
      name: 'a name that cannot be one, or is there twice, is refused, and nothing is written',
      async check({ store, clock }) {
        await prepare(store);
        for (const wrong of [names(''), names('a', 'a'), [{ namespace: '', id: 'a' }]]) {
          await assertFails(put(store, clock.now() + LIFE, wrong), 'argument.invalid');
        }
        assertMissing(await store.get(A));
      },
    },
  ],
};
