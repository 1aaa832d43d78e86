import assert from 'node:assert/strict';
import type { Version } from '../../core/version.ts';
import { assertRecord, bytes, committable, putAndRead, scannable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const [A, B] = [bytes('a'), bytes('b')];

function assertNew(version: Version, used: Set<Version>): void {
  assert.equal(typeof version, 'string', 'a version is a string');
  assert.ok(!used.has(version), `version ${version} was used before`);
  used.add(version);
}

/** What the tokens for `ifMatch` promise. */
export const versionsGroup: PromisedGroup = {
  name: 'versions',
  promises: [
    {
      name: 'the version that a put returns is the one that reads return',
      needs: ['atomicCas'],
      async check({ store }) {
        for (const text of ['one', 'two', 'three']) {
          const version = await store.put(A, bytes(text));
          assertRecord(await store.get(A), { value: bytes(text), version });
          assertRecord((await store.getMany([B, A]))[1], { value: bytes(text), version });
        }
      },
    },
    {
      name: 'the version that a put returns is the one that a scan returns',
      needs: ['scan'],
      async check({ store }) {
        const version = await store.put(A, bytes('one'));
        const { entries } = await scannable(store).scan({ start: A, end: B });
        assertRecord(entries[0], { value: bytes('one'), version });
      },
    },
    {
      name: 'every put has a new version, one of the same bytes too',
      async check({ store }) {
        const used = new Set<Version>();
        for (let i = 0; i < 20; i++) assertNew(await store.put(A, bytes('same')), used);
      },
    },
    {
      name: 'a version stays until the next write',
      async check({ store }) {
        const version = await putAndRead(store, A, bytes('one'));
        await store.put(B, bytes('two'));
        await store.delete(B);
        assertRecord(await store.get(A), { value: bytes('one'), version });
        assertRecord(await store.get(A), { value: bytes('one'), version });
      },
    },
    {
      name: 'a version is not used again after a delete',
      async check({ store }) {
        const used = new Set<Version>();
        for (let i = 0; i < 20; i++) {
          assertNew(await store.put(A, bytes('same')), used);
          if (i % 3 === 0) assertNew(await store.put(A, bytes('same')), used);
          await store.delete(A);
        }
      },
    },
    {
      name: 'a version is not used again after the record expired',
      async check({ store, clock }) {
        const used = new Set<Version>();
        for (let i = 0; i < 10; i++) {
          assertNew(await store.put(A, bytes('same'), { expiresAt: clock.now() + 10 }), used);
          await clock.advance(10);
        }
      },
    },
    {
      name: 'a version is not used again by a commit',
      needs: ['commit'],
      async check({ store }) {
        const used = new Set<Version>();
        for (let i = 0; i < 10; i++) {
          assertNew(await store.put(A, bytes('same')), used);
          assertNew(await committable(store).commit([{ type: 'put', key: A, value: bytes('same') }]), used);
          await committable(store).commit([{ type: 'delete', key: A }]);
        }
      },
    },
    {
      name: 'a version is not used again after the store was opened anew',
      needs: ['reopen'],
      async check(world) {
        const used = new Set<Version>();
        for (let i = 0; i < 5; i++) {
          assertNew(await world.store.put(A, bytes('same')), used);
          assertNew(await world.store.put(A, bytes('same')), used);
          if (i % 2 === 0) await world.store.delete(A);
          await world.reopen();
        }
      },
    },
    {
      name: 'records, versions and deadlines outlast a reopening',
      needs: ['reopen'],
      async check(world) {
        const expiresAt = world.clock.now() + 1000;
        const version = await world.store.put(A, bytes('kept'));
        const mortal = await world.store.put(B, bytes('mortal'), { expiresAt });
        await world.store.put(bytes('gone'), bytes('gone'));
        await world.store.delete(bytes('gone'));
        await world.reopen();
        assertRecord(await world.store.get(A), { value: bytes('kept'), version });
        assertRecord(await world.store.get(B), { value: bytes('mortal'), version: mortal, expiresAt });
        assert.equal(await world.store.get(bytes('gone')), undefined, 'a deleted record came back');
        await world.clock.advance(1000);
        await world.reopen();
        assert.equal(await world.store.get(B), undefined, 'an expired record came back');
        await world.store.put(A, bytes('next'), { ifMatch: version });
        assertRecord(await world.store.get(A), { value: bytes('next') });
      },
    },
  ],
};
