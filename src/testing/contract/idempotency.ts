import assert from 'node:assert/strict';
import { assertMissing, assertRecord, bytes, committable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const [A, B] = [bytes('a'), bytes('b')];
const ONCE = { idempotencyKey: 'operation 1' };

/** A call that was repeated is applied once, and answered as the first was. */
export const idempotencyGroup: PromisedGroup = {
  name: 'idempotency',
  needs: ['idempotency'],
  promises: [
    {
      name: 'a repeated put is applied once',
      async check({ store }) {
        const first = await store.put(A, bytes('one'), ONCE);
        assert.equal(await store.put(A, bytes('one'), ONCE), first);
        assertRecord(await store.get(A), { value: bytes('one'), version: first });
        const second = await store.put(A, bytes('two'));
        assert.equal(await store.put(A, bytes('one'), ONCE), first);
        assertRecord(await store.get(A), { value: bytes('two'), version: second });
      },
    },
    {
      name: 'a repeated put does not bring back what was deleted',
      async check({ store }) {
        const first = await store.put(A, bytes('one'), ONCE);
        await store.delete(A);
        assert.equal(await store.put(A, bytes('one'), ONCE), first);
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'a repeated put with ifMatch is answered with its version, not refused by its own effect',
      async check({ store }) {
        const ifMatch = await store.put(A, bytes('one'));
        const version = await store.put(A, bytes('two'), { ifMatch, ...ONCE });
        assert.equal(await store.put(A, bytes('two'), { ifMatch, ...ONCE }), version);
        assertRecord(await store.get(A), { value: bytes('two'), version });
      },
    },
    {
      name: 'a repeated put with ifAbsent is answered with its version, not refused by its own effect',
      needs: ['ifAbsent'],
      async check({ store }) {
        const create = () => store.put(A, bytes('one'), { ifAbsent: true, ...ONCE });
        const version = await create();
        assert.equal(await create(), version);
        assert.equal(await create(), version);
        assertRecord(await store.get(A), { value: bytes('one'), version });
      },
    },
    {
      name: 'two deliveries of one put at the same time are applied once',
      needs: ['ifAbsent'],
      async check({ store }) {
        const create = () => store.put(A, bytes('one'), { ifAbsent: true, ...ONCE });
        const versions = await Promise.all([create(), create(), create()]);
        assert.equal(new Set(versions).size, 1);
        assertRecord(await store.get(A), { value: bytes('one'), version: versions[0] });
      },
    },
    {
      name: 'a repeated delete is applied once',
      async check({ store }) {
        await store.put(A, bytes('one'));
        assert.equal(await store.delete(A, ONCE), true);
        assert.equal(await store.delete(A, ONCE), true, 'the answer of the first delivery');
        const version = await store.put(A, bytes('two'));
        assert.equal(await store.delete(A, ONCE), true);
        assertRecord(await store.get(A), { value: bytes('two'), version });
      },
    },
    {
      name: 'a repeated delete that found nothing does so again',
      async check({ store }) {
        assert.equal(await store.delete(A, ONCE), false);
        await store.put(A, bytes('one'));
        assert.equal(await store.delete(A, ONCE), false);
        assertRecord(await store.get(A), { value: bytes('one') });
      },
    },
    {
      name: 'a repeated delete with ifMatch is not refused by its own effect',
      needs: ['deleteIfMatch'],
      async check({ store }) {
        const ifMatch = await store.put(A, bytes('one'));
        assert.equal(await store.delete(A, { ifMatch, ...ONCE }), true);
        assert.equal(await store.delete(A, { ifMatch, ...ONCE }), true);
      },
    },
    {
      name: 'a repeated commit is applied once',
      needs: ['commit'],
      async check({ store }) {
        const ifMatch = await store.put(A, bytes('one'));
        const operations = [
          { type: 'put', key: A, value: bytes('two'), ifMatch },
          { type: 'put', key: B, value: bytes('two') },
        ] as const;
        const version = await committable(store).commit(operations, ONCE);
        assert.equal(await committable(store).commit(operations, ONCE), version);
        const later = await store.put(B, bytes('three'));
        assert.equal(await committable(store).commit(operations, ONCE), version);
        assertRecord(await store.get(A), { value: bytes('two'), version });
        assertRecord(await store.get(B), { value: bytes('three'), version: later });
      },
    },
    {
      name: 'the same idempotency key on another key is another write',
      async check({ store }) {
        const first = await store.put(A, bytes('one'), ONCE);
        const second = await store.put(B, bytes('two'), ONCE);
        assertRecord(await store.get(A), { value: bytes('one'), version: first });
        assertRecord(await store.get(B), { value: bytes('two'), version: second });
        assert.equal(await store.delete(A, ONCE), true);
        assert.equal(await store.delete(B, ONCE), true);
        assertMissing(await store.get(B));
      },
    },
    {
      name: 'the same idempotency key on another verb is another write',
      async check({ store }) {
        await store.put(A, bytes('one'), ONCE);
        assert.equal(await store.delete(A, ONCE), true);
        assertMissing(await store.get(A));
        if (store.capabilities.commit) {
          const version = await committable(store).commit([{ type: 'put', key: A, value: bytes('two') }], ONCE);
          assertRecord(await store.get(A), { value: bytes('two'), version });
        }
      },
    },
    {
      name: 'another idempotency key, or none, is another write',
      async check({ store }) {
        const versions = [
          await store.put(A, bytes('one'), ONCE),
          await store.put(A, bytes('one'), { idempotencyKey: 'operation 2' }),
          await store.put(A, bytes('one')),
          await store.put(A, bytes('one')),
        ];
        assert.equal(new Set(versions).size, 4);
        assertRecord(await store.get(A), { value: bytes('one'), version: versions[3] });
      },
    },
  ],
};
