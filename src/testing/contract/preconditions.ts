import assert from 'node:assert/strict';
import type { Store } from '../../core/store.ts';
import { makeVersion, type Version } from '../../core/version.ts';
import { assertFails, assertMissing, assertRecord, bytes, putAndRead } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const [A, B] = [bytes('a'), bytes('b')];
/** Well-formed, but of no write. */
export const FOREIGN: Version = makeVersion(2n ** 63n, 2n ** 63n);

async function twoVersions(store: Store): Promise<{ readonly old: Version; readonly current: Version }> {
  return { old: await putAndRead(store, A, bytes('one')), current: await putAndRead(store, A, bytes('two')) };
}

/** Conditional writes, one at a time. */
export const preconditionsGroup: PromisedGroup = {
  name: 'preconditions',
  promises: [
    {
      name: 'a put with ifMatch applies at that version',
      async check({ store }) {
        const { current } = await twoVersions(store);
        await store.put(A, bytes('three'), { ifMatch: current });
        assertRecord(await store.get(A), { value: bytes('three') });
      },
    },
    {
      name: 'a put with ifMatch is refused at any other version, and changes nothing',
      async check({ store }) {
        const { old, current } = await twoVersions(store);
        const ofOther = await putAndRead(store, B, bytes('other'));
        for (const ifMatch of [old, ofOther, FOREIGN]) {
          await assertFails(store.put(A, bytes('three'), { ifMatch }), 'version.mismatch');
          assertRecord(await store.get(A), { value: bytes('two'), version: current });
        }
        await store.put(A, bytes('three'), { ifMatch: current });
      },
    },
    {
      name: 'a put with ifMatch is refused where the key is missing',
      async check({ store }) {
        await assertFails(store.put(A, bytes('one'), { ifMatch: FOREIGN }), 'version.mismatch');
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'a put with ifMatch is refused after a delete',
      async check({ store }) {
        const { current } = await twoVersions(store);
        await store.delete(A);
        await assertFails(store.put(A, bytes('three'), { ifMatch: current }), 'version.mismatch');
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'of two puts with one ifMatch, the second is refused',
      async check({ store }) {
        const { current } = await twoVersions(store);
        await store.put(A, bytes('first'), { ifMatch: current });
        await assertFails(store.put(A, bytes('second'), { ifMatch: current }), 'version.mismatch');
        assertRecord(await store.get(A), { value: bytes('first') });
      },
    },
    {
      name: 'a refused put leaves the deadline as it was',
      needs: ['atomicCas'],
      async check({ store, clock }) {
        const expiresAt = clock.now() + 1000;
        const version = await store.put(A, bytes('one'), { expiresAt });
        await assertFails(store.put(A, bytes('two'), { ifMatch: FOREIGN }), 'version.mismatch');
        assertRecord(await store.get(A), { value: bytes('one'), version, expiresAt });
      },
    },
    {
      name: 'a put with ifAbsent creates, and is refused where the key exists',
      needs: ['ifAbsent'],
      async check({ store }) {
        const version = await store.put(A, bytes('one'), { ifAbsent: true });
        await assertFails(store.put(A, bytes('two'), { ifAbsent: true }), 'already.exists');
        assertRecord(await store.get(A), { value: bytes('one'), version });
      },
    },
    {
      name: 'a put with ifAbsent is refused where an empty record is',
      needs: ['ifAbsent'],
      async check({ store }) {
        await store.put(A, new Uint8Array(0));
        await assertFails(store.put(A, bytes('two'), { ifAbsent: true }), 'already.exists');
      },
    },
    {
      name: 'a put with ifAbsent creates again after a delete',
      needs: ['ifAbsent'],
      async check({ store }) {
        await store.put(A, bytes('one'), { ifAbsent: true });
        await store.delete(A);
        await store.put(A, bytes('two'), { ifAbsent: true });
        assertRecord(await store.get(A), { value: bytes('two') });
      },
    },
    {
      name: 'a put takes ifMatch or ifAbsent, not both',
      needs: ['ifAbsent'],
      async check({ store }) {
        const { current } = await twoVersions(store);
        const both = { ifMatch: current, ifAbsent: true };
        await assertFails(store.put(A, bytes('three'), both), 'argument.invalid');
        await assertFails(store.put(B, bytes('three'), both), 'argument.invalid');
        assertRecord(await store.get(A), { value: bytes('two'), version: current });
        assertMissing(await store.get(B));
      },
    },
    {
      name: 'options that are undefined or false are no preconditions',
      async check({ store }) {
        await store.put(A, bytes('one'), { ifMatch: undefined, ifAbsent: false, expiresAt: undefined });
        const current = await putAndRead(store, A, bytes('two'), { ifAbsent: false });
        await store.put(A, bytes('three'), { ifMatch: current, ifAbsent: false });
        assertRecord(await store.get(A), { value: bytes('three') });
        assert.equal(await store.delete(A, { ifMatch: undefined }), true);
      },
    },
    {
      name: 'a delete with ifMatch applies at that version',
      needs: ['deleteIfMatch'],
      async check({ store }) {
        const { current } = await twoVersions(store);
        assert.equal(await store.delete(A, { ifMatch: current }), true);
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'a delete with ifMatch is refused at any other version, and deletes nothing',
      needs: ['deleteIfMatch'],
      async check({ store }) {
        const { old, current } = await twoVersions(store);
        for (const ifMatch of [old, FOREIGN]) {
          await assertFails(store.delete(A, { ifMatch }), 'version.mismatch');
          assertRecord(await store.get(A), { value: bytes('two'), version: current });
        }
      },
    },
    {
      name: 'a delete with ifMatch is refused where the key is missing',
      needs: ['deleteIfMatch'],
      async check({ store }) {
        await assertFails(store.delete(A, { ifMatch: FOREIGN }), 'version.mismatch');
        const { current } = await twoVersions(store);
        await store.delete(A);
        await assertFails(store.delete(A, { ifMatch: current }), 'version.mismatch');
      },
    },
  ],
};
