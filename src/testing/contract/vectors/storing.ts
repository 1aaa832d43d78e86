import assert from 'node:assert/strict';
import type { Store, WriteOptions } from '../../../core/store.ts';
import { assertFails, committable, searchable } from '../assertions.ts';
import type { PromisedGroup } from '../contract-case.ts';
import { assertVector, fill, index, SPACE, vector } from './samples.ts';

/** Close neighbours, in the order of their UTF-8 bytes. Sorted as JavaScript sorts strings, the last two change places. */
const IDS = ['\0', ' ', 'A', 'a', 'a\0', 'a\0\0', 'a\0b', 'aa', 'b', '\u007f', 'é', '\uffee', '\u{10000}'];

function callsWith(store: Store, options: WriteOptions): (() => Promise<unknown>)[] {
  const { vectors } = searchable(store);
  const write = { type: 'insert', namespace: SPACE, id: 'a', vector: vector(9) } as const;
  return [
    () => vectors.get(SPACE, 'a', options),
    () => vectors.getMany(SPACE, ['a', 'b'], options),
    () => vectors.search(SPACE, vector(1), 3, options),
    ...(store.capabilities.scan ? [() => vectors.list(SPACE, options)] : []),
    () => vectors.createIndex('other', index(1), options),
    () => vectors.insert(SPACE, 'a', vector(9), options),
    () => vectors.delete(SPACE, 'a', options),
    () => vectors.dropIndex(SPACE, options),
    ...(store.capabilities.commit ? [() => committable(store).commit([], { vectors: [write], ...options })] : []),
  ];
}

/** Writes and reads of single vectors. */
export const vectorsGroup: PromisedGroup = {
  name: 'vectors',
  needs: ['vectors'],
  promises: [
    {
      name: 'an insert can be read back, every bit of it',
      async check({ store }) {
        const { vectors } = searchable(store);
        const numbers = vector(0, -0, 1, -1, 0.1, 1e-45, -1e-38, 3.4028234663852886e38, -3.4028234663852886e38, 1 / 3);
        await vectors.createIndex(SPACE, index(numbers.length));
        assert.equal(await vectors.get(SPACE, 'a'), undefined);
        await vectors.insert(SPACE, 'a', numbers);
        assertVector(await vectors.get(SPACE, 'a'), numbers);
      },
    },
    {
      name: 'an insert replaces the vector of its id, and no other',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(1), new Map(IDS.map((id, i) => [id, vector(i)])));
        await vectors.insert(SPACE, 'a', vector(100));
        for (const [i, id] of IDS.entries()) {
          assertVector(await vectors.get(SPACE, id), vector(id === 'a' ? 100 : i), `at ${JSON.stringify(id)}`);
        }
      },
    },
    {
      name: 'delete says whether there was a vector, and removes no other',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(1), new Map(IDS.map((id, i) => [id, vector(i)])));
        assert.equal(await vectors.delete(SPACE, 'nobody'), false, 'nothing was there');
        assert.equal(await vectors.delete(SPACE, 'a'), true, 'a vector was there');
        assert.equal(await vectors.delete(SPACE, 'a'), false, 'it was deleted already');
        for (const [i, id] of IDS.entries()) {
          const found = await vectors.get(SPACE, id);
          if (id === 'a') assert.equal(found, undefined, 'a deleted vector can be read');
          else assertVector(found, vector(i), `at ${JSON.stringify(id)}`);
        }
        await vectors.insert(SPACE, 'a', vector(5));
        assertVector(await vectors.get(SPACE, 'a'), vector(5));
      },
    },
    {
      name: 'getMany answers each id in order, missing and repeated ones too',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(1), new Map([...'dbac'].map((id) => [id, vector(id.charCodeAt(0))])));
        const found = await vectors.getMany(SPACE, ['c', 'x', 'a', 'd', 'a', 'y', 'b']);
        assert.deepEqual(
          found.map((one) => one && String.fromCharCode(one[0] ?? 0)),
          ['c', undefined, 'a', 'd', 'a', undefined, 'b'],
        );
        assert.deepEqual(await vectors.getMany(SPACE, []), []);
      },
    },
    {
      name: 'later changes to a vector that was inserted do not reach the store',
      async check({ store }) {
        const { vectors } = searchable(store);
        await vectors.createIndex(SPACE, index(2));
        const early = vector(1, 2);
        const insert = vectors.insert(SPACE, 'a', early);
        early.fill(9);
        await insert;
        assertVector(await vectors.get(SPACE, 'a'), vector(1, 2));
        const late = vector(3, 4);
        await vectors.insert(SPACE, 'b', late);
        late.fill(9);
        assertVector(await vectors.get(SPACE, 'b'), vector(3, 4));
        assert.deepEqual(await vectors.search(SPACE, vector(3, 4), 1), [{ id: 'b', distance: 0 }]);
      },
    },
    {
      name: 'changes to vectors that were read do not reach the store, nor other answers',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(2), new Map([['a', vector(1, 2)]]));
        (await vectors.get(SPACE, 'a'))?.fill(9);
        assertVector(await vectors.get(SPACE, 'a'), vector(1, 2));
        const [first, second] = await vectors.getMany(SPACE, ['a', 'a']);
        first?.fill(9);
        assertVector(second, vector(1, 2));
        assertVector((await vectors.getMany(SPACE, ['a']))[0], vector(1, 2));
        assert.deepEqual(await vectors.search(SPACE, vector(1, 2), 1), [{ id: 'a', distance: 0 }]);
      },
    },
    {
      name: 'vectors may be views into larger buffers',
      async check({ store }) {
        const { vectors } = searchable(store);
        const around = vector(9, 9, 1, 2, 9);
        await vectors.createIndex(SPACE, index(2));
        await vectors.insert(SPACE, 'a', around.subarray(2, 4));
        assertVector(await vectors.get(SPACE, 'a'), vector(1, 2));
        assert.deepEqual(await vectors.search(SPACE, around.subarray(2, 4), 1), [{ id: 'a', distance: 0 }]);
      },
    },
    {
      name: 'ids are listed in the order of their bytes, page after page',
      needs: ['scan'],
      async check({ store }) {
        const { vectors } = searchable(store);
        await vectors.createIndex(SPACE, index(1));
        assert.deepEqual(await vectors.list(SPACE), []);
        await fill(store, SPACE, index(1), new Map(IDS.toReversed().map((id, i) => [id, vector(i)])));
        assert.deepEqual(await vectors.list(SPACE), IDS);
        for (const limit of [1, 2, 5, IDS.length, IDS.length + 1]) {
          const found: string[] = [];
          for (;;) {
            const page = await vectors.list(SPACE, { after: found.at(-1), limit });
            if (page.length === 0) break;
            assert.ok(page.length <= limit, `a page of ${limit} holds ${page.length}`);
            found.push(...page);
            assert.ok(found.length <= IDS.length, 'the pages do not end');
          }
          assert.deepEqual(found, IDS, `pages of ${limit}`);
        }
        await vectors.delete(SPACE, 'a');
        const behind = await vectors.list(SPACE, { after: 'a' });
        assert.deepEqual(behind, IDS.slice(IDS.indexOf('a') + 1), '`after` need not be there');
      },
    },
    {
      name: 'a page of ids holds 100 unless told otherwise, and up to 1,000',
      needs: ['scan'],
      async check({ store }) {
        const { vectors } = searchable(store);
        const ids = Array.from({ length: 1001 }, (_, i) => `n${String(i).padStart(4, '0')}`);
        await fill(store, SPACE, index(1), new Map(ids.map((id, i) => [id, vector(i)])));
        for (const [limit, most] of [
          [undefined, 100],
          [1000, 1000],
        ] as const) {
          const page = await vectors.list(SPACE, { limit });
          assert.ok(page.length > 0 && page.length <= most, `a page has ${page.length} ids`);
          assert.deepEqual(page, ids.slice(0, page.length));
        }
        for (const limit of [0, -1, 1001, 1.5, Number.NaN]) {
          await assertFails(vectors.list(SPACE, { limit }), 'argument.invalid');
        }
      },
    },
    {
      name: 'every word for consistency is understood, and strong is the default',
      async check({ store }) {
        const { vectors } = searchable(store);
        await vectors.createIndex(SPACE, index(1));
        for (const [i, consistency] of (['strong', 'eventual', 'bounded_staleness', undefined] as const).entries()) {
          await vectors.insert(SPACE, 'a', vector(i));
          const found = await vectors.get(SPACE, 'a', { consistency });
          const [many] = await vectors.getMany(SPACE, ['a'], { consistency });
          const matches = await vectors.search(SPACE, vector(i), 1, { consistency });
          if (consistency !== 'strong' && consistency !== undefined) continue;
          assertVector(found, vector(i), 'a strong read missed an acknowledged insert');
          assertVector(many, vector(i), 'a strong read missed an acknowledged insert');
          assert.deepEqual(matches, [{ id: 'a', distance: 0 }], 'a strong search missed an acknowledged insert');
        }
      },
    },
    {
      name: 'a call whose signal has fired fails as aborted and writes nothing',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(1), new Map([['a', vector(1)]]));
        const signal = AbortSignal.abort(new Error('the caller left'));
        for (const call of callsWith(store, { signal })) {
          const { details } = await assertFails(call(), 'aborted');
          assert.deepEqual(details, { applied: 'no' });
        }
        assertVector(await vectors.get(SPACE, 'a'), vector(1));
        assert.equal(await vectors.dropIndex('other'), false, 'an aborted createIndex made an index');
      },
    },
    {
      name: 'every call after close fails as closed',
      async check({ store }) {
        await fill(store, SPACE, index(1), new Map([['a', vector(1)]]));
        await store.close();
        for (const call of callsWith(store, {})) await assertFails(call(), 'store.closed');
      },
    },
  ],
};
