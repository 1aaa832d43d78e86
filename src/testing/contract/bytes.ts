import assert from 'node:assert/strict';
import type { Store, Stored } from '../../core/store.ts';
import { assertBytes, assertMissing, assertRecord, bytes, scannable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const [A, B] = [bytes('a'), bytes('b')];

/** Changes bytes that were handed out, and looks whether the store noticed. */
async function assertOwnCopy(store: Store, read: () => Promise<Stored | undefined>): Promise<void> {
  await store.put(A, bytes('one'));
  const first = await read();
  first?.value.fill(0);
  assertBytes((await read())?.value, bytes('one'), 'a change to what a read returned reached the store');
}

/** Reads and writes of single records. */
export const bytesGroup: PromisedGroup = {
  name: 'bytes',
  promises: [
    {
      name: 'a key that was never written does not exist',
      async check({ store }) {
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'a put can be read back, every byte of it',
      async check({ store }) {
        const value = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
        await store.put(A, value);
        assertRecord(await store.get(A), { value });
      },
    },
    {
      name: 'a put replaces what was there',
      async check({ store }) {
        await store.put(A, bytes('a longer value'));
        await store.put(A, bytes('short'));
        assertRecord(await store.get(A), { value: bytes('short') });
      },
    },
    {
      name: 'an empty value is a record, not a missing key',
      async check({ store }) {
        await store.put(A, new Uint8Array(0));
        assertRecord(await store.get(A), { value: new Uint8Array(0) });
        assertRecord((await store.getMany([A]))[0], { value: new Uint8Array(0) });
        assert.equal(await store.delete(A), true, 'there was an empty record to delete');
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'keys are told apart by every byte',
      async check({ store }) {
        const keys = [
          '\0',
          '\0\0',
          '\0\x01',
          '\x01',
          '\x7f',
          '\x80',
          '\xfe',
          '\xff',
          '\xff\0',
          '\xff\xff',
          'a',
          'A',
          'a\0',
          ':',
          '/',
        ];
        for (const key of keys) await store.put(bytes(key), bytes(`value of ${key}`));
        for (const key of keys) assertRecord(await store.get(bytes(key)), { value: bytes(`value of ${key}`) });
      },
    },
    {
      name: 'keys and values may be views into larger buffers, and Buffers',
      async check({ store }) {
        const around = Buffer.from('..key..value..');
        await store.put(around.subarray(2, 5), around.subarray(7, 12));
        assertRecord(await store.get(bytes('key')), { value: bytes('value') });
        assertRecord(await store.get(new Uint8Array(Buffer.from('xkeyx')).subarray(1, 4)), { value: bytes('value') });
      },
    },
    {
      name: 'later changes to a key or a value that was put do not reach the store',
      async check({ store }) {
        const [key, value] = [bytes('key'), bytes('value')];
        const put = store.put(key, value);
        key.fill(0);
        value.fill(0);
        await put;
        assertRecord(await store.get(bytes('key')), { value: bytes('value') });

        const [later, kept] = [bytes('later'), bytes('kept')];
        await store.put(later, kept);
        later.fill(0);
        kept.fill(0);
        assertRecord(await store.get(bytes('later')), { value: bytes('kept') });
      },
    },
    {
      name: 'changes to bytes that get returned do not reach the store',
      check: ({ store }) => assertOwnCopy(store, () => store.get(A)),
    },
    {
      name: 'changes to bytes that getMany returned do not reach the store, nor its other answers',
      async check({ store }) {
        await assertOwnCopy(store, async () => (await store.getMany([A]))[0]);
        const [first, second] = await store.getMany([A, A]);
        first?.value.fill(0);
        assertBytes(second?.value, bytes('one'));
      },
    },
    {
      name: 'changes to bytes that scan returned do not reach the store',
      needs: ['scan'],
      async check({ store }) {
        const scan = async (): Promise<Stored | undefined> =>
          (await scannable(store).scan({ start: A, end: B })).entries[0];
        await assertOwnCopy(store, scan);
        const { entries } = await scannable(store).scan({ start: A, end: B });
        entries[0]?.key.fill(0);
        assertRecord(await store.get(A), { value: bytes('one') });
      },
    },
    {
      name: 'getMany answers each key in order, missing and repeated ones too',
      async check({ store }) {
        for (const name of ['d', 'b', 'a', 'c']) await store.put(bytes(name), bytes(name.toUpperCase()));
        const asked = ['c', 'x', 'a', 'd', 'a', 'y', 'b'];
        const found = await store.getMany(asked.map(bytes));
        assert.deepEqual(
          found.map((record) => record && Buffer.from(record.value).toString()),
          ['C', undefined, 'A', 'D', 'A', undefined, 'B'],
        );
      },
    },
    {
      name: 'getMany of no keys answers nothing',
      async check({ store }) {
        assert.deepEqual(await store.getMany([]), []);
      },
    },
    {
      name: 'delete says whether there was a record',
      async check({ store }) {
        assert.equal(await store.delete(A), false, 'nothing was there');
        await store.put(A, bytes('one'));
        assert.equal(await store.delete(A), true, 'a record was there');
        assertMissing(await store.get(A));
        assert.equal(await store.delete(A), false, 'it was deleted already');
      },
    },
    {
      name: 'delete removes its own key only',
      async check({ store }) {
        for (const key of ['k', 'k\0', 'ka', 'j']) await store.put(bytes(key), bytes(key));
        await store.delete(bytes('k'));
        assertMissing(await store.get(bytes('k')));
        for (const key of ['k\0', 'ka', 'j']) assertRecord(await store.get(bytes(key)), { value: bytes(key) });
      },
    },
    {
      name: 'every word for consistency is understood, and strong is the default',
      async check({ store }) {
        for (const [i, consistency] of (['strong', 'eventual', 'bounded_staleness', undefined] as const).entries()) {
          const value = bytes(`value ${i}`);
          await store.put(A, value);
          const found = await store.get(A, { consistency });
          const [many] = await store.getMany([A], { consistency });
          if (consistency !== 'strong' && consistency !== undefined) continue;
          assertRecord(found, { value }, 'a strong read missed an acknowledged write');
          assertRecord(many, { value }, 'a strong read missed an acknowledged write');
        }
      },
    },
  ],
};
