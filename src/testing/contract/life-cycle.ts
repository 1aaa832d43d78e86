import assert from 'node:assert/strict';
import type { Store, WriteOptions } from '../../core/store.ts';
import { assertFails, assertMissing, assertRecord, bytes, committable, putAndRead, scannable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const [A, B] = [bytes('a'), bytes('b')];

function readsOf(store: Store, options: WriteOptions): (() => Promise<unknown>)[] {
  return [
    () => store.get(A, options),
    () => store.getMany([A, B], options),
    ...(store.capabilities.scan ? [() => scannable(store).scan({ start: A, end: B }, options)] : []),
  ];
}

function writesOf(store: Store, options: WriteOptions): (() => Promise<unknown>)[] {
  return [
    () => store.put(A, bytes('two'), options),
    () => store.delete(A, options),
    ...(store.capabilities.commit
      ? [() => committable(store).commit([{ type: 'put', key: A, value: bytes('two') }], options)]
      : []),
  ];
}

/** Opening, giving up and closing. */
export const lifeCycleGroup: PromisedGroup = {
  name: 'life cycle',
  promises: [
    {
      name: 'the store declares what it was said to be able to',
      async check({ store, input }) {
        assert.deepEqual({ ...store.capabilities }, { ...input.capabilities });
      },
    },
    {
      name: 'a store is open at once, and empty',
      async check({ store }) {
        assertMissing(await store.get(A));
        await store.put(A, bytes('one'));
        assertRecord(await store.get(A), { value: bytes('one') });
      },
    },
    {
      name: 'two stores opened one after the other share nothing',
      async check({ store, input, environment }) {
        await store.put(A, bytes('one'));
        const other = await input.open(environment);
        try {
          assertMissing(await other.get(A));
        } finally {
          await other.close();
        }
        assertRecord(await store.get(A), { value: bytes('one') });
      },
    },
    {
      name: 'a call whose signal has fired fails as aborted and writes nothing',
      async check({ store }) {
        const version = await putAndRead(store, A, bytes('one'));
        const signal = AbortSignal.abort(new Error('the caller left'));
        for (const call of [...readsOf(store, { signal }), ...writesOf(store, { signal })]) {
          const { details } = await assertFails(call(), 'aborted');
          assert.deepEqual(details, { applied: 'no' });
        }
        assertRecord(await store.get(A), { value: bytes('one'), version });
      },
    },
    {
      name: 'a signal that fires after the answer changes nothing',
      async check({ store }) {
        const controller = new AbortController();
        const { signal } = controller;
        const version = await putAndRead(store, A, bytes('one'), { signal });
        assertRecord(await store.get(A, { signal }), { value: bytes('one'), version });
        controller.abort();
        assertRecord(await store.get(A), { value: bytes('one'), version });
      },
    },
    {
      name: 'closing twice is harmless',
      async check({ store }) {
        await store.put(A, bytes('one'));
        await Promise.all([store.close(), store.close()]);
        await store.close();
      },
    },
    {
      name: 'every call after close fails as closed',
      async check({ store }) {
        await store.put(A, bytes('one'));
        await store.close();
        for (const call of [...readsOf(store, {}), ...writesOf(store, {})]) await assertFails(call(), 'store.closed');
      },
    },
    {
      name: 'what was acknowledged before close is there after reopening, and the old handle stays closed',
      needs: ['reopen'],
      async check(world) {
        const old = world.store;
        const puts = Array.from({ length: 20 }, (_, i) => old.put(bytes(`key ${i}`), bytes(`value ${i}`)));
        await Promise.all(puts);
        await world.reopen();
        for (let i = 0; i < 20; i++) {
          assertRecord(await world.store.get(bytes(`key ${i}`)), { value: bytes(`value ${i}`) });
        }
        await assertFails(old.get(A), 'store.closed');
      },
    },
  ],
};
