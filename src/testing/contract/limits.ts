import assert from 'node:assert/strict';
import {
  assertFails,
  assertMissing,
  assertRecord,
  bytes,
  committable,
  keysOf,
  putAndRead,
  scannable,
} from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const A = bytes('a');

/** What is too large, or too small, is refused before anything happens. */
export const limitsGroup: PromisedGroup = {
  name: 'limits',
  promises: [
    {
      name: 'a key may be as long as the limit',
      async check({ store }) {
        const { key: limit } = store.capabilities.limits;
        const [longest, twin] = [new Uint8Array(limit).fill(0xff), new Uint8Array(limit).fill(0xff)];
        twin[limit - 1] = 0xfe;
        await store.put(longest, bytes('longest'));
        await store.put(twin, bytes('twin'));
        assertRecord(await store.get(longest), { value: bytes('longest') });
        assertRecord(await store.get(twin), { value: bytes('twin') });
        assert.equal(await store.delete(longest), true);
        assertRecord(await store.get(twin), { value: bytes('twin') });
      },
    },
    {
      name: 'a key longer than the limit is refused by every call',
      async check({ store }) {
        const { key: limit } = store.capabilities.limits;
        const long = new Uint8Array(limit + 1).fill(1);
        for (const call of [
          () => store.get(long),
          () => store.getMany([A, long]),
          () => store.put(long, bytes('one')),
          () => store.delete(long),
        ]) {
          const { details } = await assertFails(call(), 'size.exceeded');
          assert.deepEqual(details, { what: 'key', bytes: limit + 1, limit });
        }
      },
    },
    {
      name: 'an empty key is refused by every call',
      async check({ store }) {
        const empty = new Uint8Array(0);
        for (const call of [
          () => store.get(empty),
          () => store.getMany([A, empty]),
          () => store.put(empty, bytes('one')),
          () => store.delete(empty),
        ]) {
          await assertFails(call(), 'argument.invalid');
        }
      },
    },
    {
      name: 'a value may be as large as the limit, and no larger',
      async check({ store }) {
        const { value: limit } = store.capabilities.limits;
        const value = new Uint8Array(limit).fill(7);
        value[limit - 1] = 8;
        const version = await putAndRead(store, A, value);
        assertRecord(await store.get(A), { value, version });
        const { details } = await assertFails(store.put(A, new Uint8Array(limit + 1)), 'size.exceeded');
        assert.deepEqual(details, { what: 'value', bytes: limit + 1, limit });
        assertRecord(await store.get(A), { value, version });
      },
    },
    {
      name: 'a commit with anything too large is refused as a whole',
      needs: ['commit'],
      async check({ store }) {
        const { key, value } = store.capabilities.limits;
        const small = { type: 'put', key: A, value: bytes('one') } as const;
        const large = { type: 'put', key: bytes('b'), value: new Uint8Array(value + 1) } as const;
        const long = { type: 'delete', key: new Uint8Array(key + 1) } as const;
        const empty = { type: 'check', key: new Uint8Array(0) } as const;
        await assertFails(committable(store).commit([small, large]), 'size.exceeded');
        await assertFails(committable(store).commit([small, long]), 'size.exceeded');
        await assertFails(committable(store).commit([small, empty]), 'argument.invalid');
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'a range may end just beyond the longest key',
      needs: ['scan'],
      async check({ store }) {
        const longest = new Uint8Array(store.capabilities.limits.key).fill(0xff);
        await store.put(longest, bytes('longest'));
        const { entries } = await scannable(store).scan({ start: longest, end: Uint8Array.of(...longest, 0) });
        assert.deepEqual(keysOf(entries), keysOf([{ key: longest }]));
      },
    },
  ],
};
