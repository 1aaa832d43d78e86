import assert from 'node:assert/strict';
import type { CommitOperation, Store } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { assertFails, assertMissing, assertRecord, bytes, committable } from './assertions.ts';
import type { Need, PromisedGroup } from './contract-case.ts';
import { FOREIGN } from './preconditions.ts';

const [A, B, C, D] = [bytes('a'), bytes('b'), bytes('c'), bytes('d')];
const put = (key: Uint8Array, text: string): CommitOperation & { type: 'put' } => ({
  type: 'put',
  key,
  value: bytes(text),
});

interface Prepared {
  readonly old: Version;
  readonly current: Version;
}

type Refusal = readonly [needs: readonly Need[], CommitOperation, 'version.mismatch' | 'already.exists'];

/** Every way in which one operation of a commit can be refused, on key A (which exists) or on D (which does not). */
const REFUSALS: Record<string, (versions: Prepared) => Refusal> = {
  'put with an old ifMatch': ({ old }) => [[], { ...put(A, 'x'), ifMatch: old }, 'version.mismatch'],
  'put with ifMatch on a missing key': ({ old }) => [[], { ...put(D, 'x'), ifMatch: old }, 'version.mismatch'],
  'put with ifAbsent on a record': () => [['ifAbsent'], { ...put(A, 'x'), ifAbsent: true }, 'already.exists'],
  'delete with an old ifMatch': ({ old }) => [
    ['deleteIfMatch'],
    { type: 'delete', key: A, ifMatch: old },
    'version.mismatch',
  ],
  'delete with ifMatch on a missing key': ({ old }) => [
    ['deleteIfMatch'],
    { type: 'delete', key: D, ifMatch: old },
    'version.mismatch',
  ],
  'check of an old version': ({ old }) => [[], { type: 'check', key: A, ifMatch: old }, 'version.mismatch'],
  'check of a missing key': ({ old }) => [[], { type: 'check', key: D, ifMatch: old }, 'version.mismatch'],
  'check that a record is absent': () => [['ifAbsent'], { type: 'check', key: A, ifAbsent: true }, 'already.exists'],
};
const UNPREPARED: Prepared = { old: FOREIGN, current: FOREIGN };

async function prepare(store: Store): Promise<Prepared> {
  return { old: await store.put(A, bytes('one')), current: await store.put(A, bytes('two')) };
}

/** Several writes together. */
export const commitsGroup: PromisedGroup = {
  name: 'commit',
  needs: ['commit'],
  promises: [
    {
      name: 'a commit applies all its operations, and its version is that of every put in it',
      needs: ['ifAbsent', 'deleteIfMatch'],
      async check({ store }) {
        const { current } = await prepare(store);
        const ofB = await store.put(B, bytes('to delete'));
        const version = await committable(store).commit([
          { ...put(A, 'three'), ifMatch: current },
          { type: 'delete', key: B, ifMatch: ofB },
          { ...put(C, 'new'), ifAbsent: true },
          { type: 'check', key: D, ifAbsent: true },
        ]);
        assertRecord(await store.get(A), { value: bytes('three'), version });
        assertMissing(await store.get(B));
        assertRecord(await store.get(C), { value: bytes('new'), version });
        assertMissing(await store.get(D));
        assert.notEqual(version, current);
      },
    },
    ...Object.entries(REFUSALS).map(([name, refusal]) => ({
      needs: refusal(UNPREPARED)[0],
      name: `a refused ${name} refuses the whole commit, wherever it stands`,
      async check({ store }: { readonly store: Store }) {
        const prepared = await prepare(store);
        const [, refused, code] = refusal(prepared);
        const ofB = await store.put(B, bytes('untouched'));
        for (const position of [0, 1, 2]) {
          const operations: CommitOperation[] = [put(C, 'x'), { type: 'delete', key: B }];
          operations.splice(position, 0, refused);
          const { details } = await assertFails(committable(store).commit(operations), code);
          assert.equal(details.operation, position, 'details.operation names the operation that was refused');
          assertRecord(await store.get(A), { value: bytes('two'), version: prepared.current });
          assertRecord(await store.get(B), { value: bytes('untouched'), version: ofB });
          assertMissing(await store.get(C));
          assertMissing(await store.get(D));
        }
      },
    })),
    {
      name: 'a check that passes does not touch its key',
      async check({ store }) {
        const { current } = await prepare(store);
        await committable(store).commit([{ type: 'check', key: A, ifMatch: current }, put(B, 'one')]);
        await committable(store).commit([
          { type: 'check', key: A },
          { type: 'check', key: C },
        ]);
        assertRecord(await store.get(A), { value: bytes('two'), version: current });
        assertRecord(await store.get(B), { value: bytes('one') });
        assertMissing(await store.get(C));
      },
    },
    {
      name: 'a commit may delete what is not there',
      async check({ store }) {
        await committable(store).commit([{ type: 'delete', key: A }, put(B, 'one')]);
        assertMissing(await store.get(A));
        assertRecord(await store.get(B), { value: bytes('one') });
      },
    },
    {
      name: 'a commit names each key at most once',
      async check({ store }) {
        const { current } = await prepare(store);
        const twice: CommitOperation[][] = [
          [put(B, 'x'), put(C, 'x'), put(B, 'y')],
          [put(B, 'x'), { type: 'delete', key: B }],
          [{ type: 'check', key: A, ifMatch: current }, put(A, 'x')],
        ];
        for (const operations of twice) {
          await assertFails(committable(store).commit(operations), 'argument.invalid');
        }
        assertRecord(await store.get(A), { value: bytes('two'), version: current });
        assertMissing(await store.get(B));
        assertMissing(await store.get(C));
      },
    },
    {
      name: 'an operation takes ifMatch or ifAbsent, not both',
      needs: ['ifAbsent'],
      async check({ store }) {
        const both = { ifMatch: FOREIGN, ifAbsent: true };
        await assertFails(committable(store).commit([put(A, 'x'), { ...put(B, 'x'), ...both }]), 'argument.invalid');
        await assertFails(
          committable(store).commit([put(A, 'x'), { type: 'check', key: B, ...both }]),
          'argument.invalid',
        );
        assertMissing(await store.get(A));
      },
    },
    {
      name: 'later changes to the bytes of a commit do not reach the store',
      async check({ store }) {
        const [key, value] = [bytes('key'), bytes('value')];
        const commit = committable(store).commit([{ type: 'put', key, value }]);
        key.fill(0);
        value.fill(0);
        await commit;
        assertRecord(await store.get(bytes('key')), { value: bytes('value') });
      },
    },
    {
      name: 'a commit may be large',
      async check({ store }) {
        const names = Array.from({ length: 100 }, (_, i) => `key ${i}`);
        const version = await committable(store).commit(names.map((name) => put(bytes(name), name)));
        const found = await store.getMany(names.map(bytes));
        for (const [i, name] of names.entries()) assertRecord(found[i], { value: bytes(name), version });
      },
    },
  ],
};
