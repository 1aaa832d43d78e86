import assert from 'node:assert/strict';
import { assertFails, assertMissing, assertRecord, bytes, committable, keysOf, scannable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const [A, B] = [bytes('a'), bytes('b')];
const LIFE = 1000;

/**
 * A record whose `expiresAt` has come does not exist. What needs `atomicCas` needs a store that keeps deadlines with its
 * records; a plain NoriKV server has them in memory, as so many milliseconds from now.
 */
export const expiryGroup: PromisedGroup = {
  name: 'expiry',
  promises: [
    {
      name: 'a record exists until the millisecond before its deadline, and not from the deadline on',
      needs: ['atomicCas'],
      async check({ store, clock }) {
        const expiresAt = clock.now() + LIFE;
        const version = await store.put(A, bytes('one'), { expiresAt });
        assertRecord(await store.get(A), { value: bytes('one'), version, expiresAt });
        await clock.advance(LIFE - 1);
        assertRecord(await store.get(A), { value: bytes('one'), version, expiresAt });
        assertRecord((await store.getMany([A]))[0], { value: bytes('one'), version, expiresAt });
        await clock.advance(1);
        assertMissing(await store.get(A), 'at its deadline');
        assertMissing((await store.getMany([A]))[0], 'at its deadline');
        await clock.advance(1);
        assertMissing(await store.get(A), 'after its deadline');
      },
    },
    {
      name: 'expiry follows the wall clock, which may jump',
      async check({ store, clock }) {
        await store.put(A, bytes('one'), { expiresAt: clock.now() + LIFE });
        clock.set(clock.now() + LIFE);
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'a record without a deadline stays',
      async check({ store, clock }) {
        await store.put(A, bytes('one'));
        await clock.advance(1000 * 365 * 24 * 3600 * 1000);
        assertRecord(await store.get(A), { value: bytes('one') });
      },
    },
    {
      name: 'a put whose deadline has passed leaves no record, neither its own nor the one before',
      needs: ['atomicCas'],
      async check({ store, clock }) {
        for (const expiresAt of [clock.now(), clock.now() - 1, 0]) {
          await store.put(A, bytes('before'));
          await store.put(A, bytes('dead on arrival'), { expiresAt });
          assertMissing(await store.get(A));
          assert.equal(await store.delete(A), false, 'there is nothing to delete');
        }
      },
    },
    {
      name: 'a record that expires does not uncover an older one',
      needs: ['atomicCas'],
      async check({ store, clock }) {
        await store.put(A, bytes('older'));
        await store.put(A, bytes('newer'), { expiresAt: clock.now() + LIFE });
        await clock.advance(LIFE);
        assertMissing(await store.get(A));
        await store.put(B, bytes('another write'));
        assertMissing(await store.get(A), 'after another write');
      },
    },
    {
      name: 'a put replaces the deadline, or takes it away',
      needs: ['atomicCas'],
      async check({ store, clock }) {
        const [soon, late] = [clock.now() + LIFE, clock.now() + 3 * LIFE];
        await store.put(A, bytes('one'), { expiresAt: soon });
        await store.put(A, bytes('two'), { expiresAt: late });
        await store.put(B, bytes('one'), { expiresAt: soon });
        await store.put(B, bytes('two'));
        await clock.advance(2 * LIFE);
        assertRecord(await store.get(A), { value: bytes('two'), expiresAt: late });
        assertRecord(await store.get(B), { value: bytes('two') });
        await store.put(A, bytes('three'), { expiresAt: clock.now() + 1 });
        await clock.advance(1);
        assertMissing(await store.get(A), 'the deadline was brought forward');
      },
    },
    {
      name: 'an expired record is absent for ifAbsent',
      needs: ['ifAbsent'],
      async check({ store, clock }) {
        await store.put(A, bytes('one'), { expiresAt: clock.now() + LIFE });
        await clock.advance(LIFE - 1);
        await assertFails(store.put(A, bytes('two'), { ifAbsent: true }), 'already.exists');
        await clock.advance(1);
        const version = await store.put(A, bytes('two'), { ifAbsent: true });
        assertRecord(await store.get(A), { value: bytes('two'), version });
      },
    },
    {
      name: 'an expired record matches no version',
      async check({ store, clock }) {
        const ifMatch = await store.put(A, bytes('one'), { expiresAt: clock.now() + LIFE });
        await clock.advance(LIFE);
        await assertFails(store.put(A, bytes('two'), { ifMatch }), 'version.mismatch');
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'an expired record cannot be deleted',
      async check({ store, clock }) {
        const ifMatch = await store.put(A, bytes('one'), { expiresAt: clock.now() + LIFE });
        await clock.advance(LIFE);
        if (store.capabilities.deleteIfMatch) {
          await assertFails(store.delete(A, { ifMatch }), 'version.mismatch');
        }
        assert.equal(await store.delete(A), false);
      },
    },
    {
      name: 'an expired record is in no scan',
      needs: ['scan'],
      async check({ store, clock }) {
        for (const name of ['a', 'b', 'c', 'd']) {
          const expiresAt = name < 'c' ? clock.now() + LIFE : clock.now() + 2 * LIFE;
          await store.put(bytes(name), bytes(name), { expiresAt });
        }
        const scan = async (reverse: boolean) =>
          (await scannable(store).scan({ start: A, end: bytes('z') }, { reverse })).entries;
        assert.equal((await scan(false)).length, 4);
        await clock.advance(LIFE);
        assert.deepEqual(keysOf(await scan(false)), keysOf([{ key: bytes('c') }, { key: bytes('d') }]));
        assert.deepEqual(keysOf(await scan(true)), keysOf([{ key: bytes('d') }, { key: bytes('c') }]));
        assertRecord((await scan(false))[0], { value: bytes('c'), expiresAt: clock.now() + LIFE });
      },
    },
    {
      name: 'an expired record is absent for a commit, which can set deadlines too',
      needs: ['commit', 'ifAbsent', 'deleteIfMatch'],
      async check({ store, clock }) {
        const commit = committable(store);
        const ifMatch = await commit.commit([
          { type: 'put', key: A, value: bytes('one'), expiresAt: clock.now() + LIFE },
          { type: 'put', key: B, value: bytes('stays') },
        ]);
        assertRecord(await store.get(A), { value: bytes('one'), expiresAt: clock.now() + LIFE });
        await clock.advance(LIFE);
        assertMissing(await store.get(A));
        await assertFails(commit.commit([{ type: 'check', key: A, ifMatch }]), 'version.mismatch');
        await assertFails(commit.commit([{ type: 'put', key: A, value: bytes('two'), ifMatch }]), 'version.mismatch');
        await assertFails(commit.commit([{ type: 'delete', key: A, ifMatch }]), 'version.mismatch');
        await commit.commit([{ type: 'check', key: A, ifAbsent: true }]);
        await commit.commit([{ type: 'put', key: A, value: bytes('two'), ifAbsent: true }]);
        assertRecord(await store.get(A), { value: bytes('two') });
        assertRecord(await store.get(B), { value: bytes('stays') });
      },
    },
    {
      name: 'many records expire without taking others along',
      async check({ store, clock }) {
        const names = Array.from({ length: 60 }, (_, i) => `record ${i}`);
        for (const [i, name] of names.entries()) {
          await store.put(bytes(name), bytes(name), i % 3 === 0 ? {} : { expiresAt: clock.now() + LIFE * (i % 3) });
        }
        await clock.advance(LIFE);
        await store.put(bytes('another'), bytes('write'));
        const found = await store.getMany(names.map(bytes));
        assert.deepEqual(
          names.filter((_, i) => found[i] !== undefined),
          names.filter((_, i) => i % 3 !== 1),
        );
      },
    },
    {
      name: 'a deadline is a finite number',
      async check({ store }) {
        for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          await assertFails(store.put(A, bytes('one'), { expiresAt }), 'argument.invalid');
        }
        assertMissing(await store.get(A));
      },
    },
  ],
};
