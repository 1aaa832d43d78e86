import assert from 'node:assert/strict';
import { NorimakiError } from '../../core/errors.ts';
import type { CommitOperation, Key } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { pickInt, seededRandom } from '../seeded-random.ts';
import { assertFails, bytes, committable, putAndRead, watchable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';
import { nameOf, orTooLate, type Told, type Watcher, watching } from './watcher.ts';

const [A, B, C] = [bytes('a'), bytes('b'), bytes('c')];
const ALL = { start: bytes('a'), end: bytes('z') };

function isTold({ seen }: Watcher, ...keys: readonly Key[]): boolean {
  const names = new Set(seen.map(({ name }) => name));
  return keys.every((key) => names.has(nameOf(key)));
}

const lastOf = ({ seen }: Watcher, key: Key): Told | undefined => seen.findLast(({ name }) => name === nameOf(key));

/** What is told of writes. */
export const watchGroup: PromisedGroup = {
  name: 'watch',
  needs: ['watch'],
  promises: [
    {
      name: 'a put is told with its version, and a delete',
      async check({ store }) {
        await using watcher = await watching(store, ALL);
        const version = await putAndRead(store, A, bytes('one'));
        await watcher.until(() => isTold(watcher, A), 'a put was not told');
        assert.deepEqual(lastOf(watcher, A), { type: 'put', name: nameOf(A), version });
        await store.delete(A);
        await watcher.until(() => lastOf(watcher, A)?.type === 'delete', 'a delete was not told');
      },
    },
    {
      name: 'every key of a commit is told, its deletes too',
      needs: ['commit'],
      async check({ store }) {
        await store.put(C, bytes('gone soon'));
        await using watcher = await watching(store, ALL);
        const version = await committable(store).commit([
          { type: 'put', key: A, value: bytes('one') },
          { type: 'put', key: B, value: bytes('two') },
          { type: 'delete', key: C },
        ]);
        await watcher.until(() => isTold(watcher, A, B, C), 'a key of a commit was not told');
        assert.deepEqual(lastOf(watcher, A), { type: 'put', name: nameOf(A), version });
        assert.deepEqual(lastOf(watcher, B), { type: 'put', name: nameOf(B), version });
        assert.equal(lastOf(watcher, C)?.type, 'delete');
      },
    },
    {
      name: 'every one of many writes at once is told',
      async check({ store }) {
        await using watcher = await watching(store, ALL);
        const keys = Array.from({ length: 300 }, (_, i) => bytes(`k${i}`));
        await Promise.all(keys.map((key) => store.put(key, bytes('one'))));
        await watcher.until(() => isTold(watcher, ...keys), 'a write was not told');
      },
    },
    {
      name: 'no key outside the range is told: the start is in it, the end is not',
      async check({ store }) {
        const range = { start: bytes('b'), end: bytes('c') };
        await using watcher = await watching(store, range, {}, bytes('b~'));
        for (const name of ['a', 'a\xff', 'b', 'b\0', 'bz', 'c', 'c\0', 'd'])
          await store.put(bytes(name), bytes('one'));
        await watcher.until(() => isTold(watcher, bytes('b'), bytes('b\0'), bytes('bz')), 'a write was not told');
        const outside = watcher.seen.filter(({ name }) => !name.startsWith(nameOf(B)));
        assert.deepEqual(outside, []);
        await using nothing = await watchable(store).watch({ start: B, end: B });
        await store.put(B, bytes('two'));
        await watcher.until(() => true, 'a write was not told');
        assert.deepEqual(await Promise.race([nothing.next(), nothing.return()]), { done: true, value: undefined });
      },
    },
    {
      name: 'what is told can be read, and the changes of a key come in order, up to the last',
      async check({ store }) {
        await using watcher = await watching(store, ALL);
        const versions: Version[] = [];
        const told: Version[] = [];
        const found: (Version | undefined)[] = [];
        const isLastTold = async (): Promise<boolean> => {
          const change = lastOf(watcher, A);
          if (change?.type === 'put' && change.version !== told.at(-1)) {
            told.push(change.version);
            found.push((await store.get(A))?.version);
          }
          return told.at(-1) === versions.at(-1);
        };
        for (let i = 0; i < 60; i++) {
          const writing = putAndRead(store, A, bytes(String(i)));
          if (i % 3 === 0) {
            await watcher.take();
            await isLastTold();
          }
          versions.push(await writing);
        }
        await watcher.until(isLastTold, 'the last change was not told');
        const positions = told.map((version) => versions.indexOf(version));
        assert.ok(!positions.includes(-1), 'a version was told that was never written');
        assert.deepEqual(
          positions,
          positions.toSorted((a, b) => a - b),
          'told out of order',
        );
        const seen = found.map((version) => version !== undefined && versions.indexOf(version));
        assert.ok(
          seen.every((at, i) => at !== false && at >= (positions[i] ?? 0)),
          'a change was told before it could be read',
        );
      },
    },
    {
      name: 'a copy that is read once the watch is ready, and follows it, becomes the store',
      async check({ store }) {
        const random = seededRandom(5);
        const keys = Array.from({ length: 8 }, (_, i) => bytes(`k${i}`));
        const pick = (): Key => keys[pickInt(random, keys.length)] as Key;
        const write = async (): Promise<unknown> => {
          const kind = pickInt(random, 4);
          if (kind === 0) return store.delete(pick());
          if (kind === 1 || !store.capabilities.commit) return store.put(pick(), bytes('value'));
          const both = keys.toSorted(() => pickInt(random, 3) - 1).slice(0, 3);
          const operations = both.map(
            (key, i): CommitOperation =>
              i === 2 ? { type: 'delete', key } : { type: 'put', key, value: bytes('value') },
          );
          return committable(store).commit(operations);
        };
        for (let round = 0; round < 15; round++) {
          const before = Array.from({ length: 4 }, write);
          await using watcher = await watching(store, ALL);
          const after = Array.from({ length: 4 }, write);
          const found = await store.getMany(keys);
          await Promise.all([...before, ...after]);
          for (let i = 0; i < 4; i++) await write();
          const isEqual = async (): Promise<boolean> => {
            const actual = await store.getMany(keys);
            return keys.every((key, i) => {
              const last = lastOf(watcher, key);
              const version = last === undefined ? found[i]?.version : last.type === 'put' ? last.version : undefined;
              return version === actual[i]?.version;
            });
          };
          await watcher.until(isEqual, 'the copy is not the store');
        }
      },
    },
    {
      name: 'many changes of one key are folded and lose nothing, however small the buffer',
      async check({ store }) {
        await using watcher = await watching(store, { start: A, end: B }, { buffer: 2 }, bytes('a~'));
        let version: Version | undefined;
        for (let i = 0; i < 50; i++) version = await putAndRead(store, A, bytes(String(i)));
        await watcher.until(() => {
          const last = lastOf(watcher, A);
          return last?.type === 'put' && last.version === version;
        }, 'the last change was not told');
      },
    },
    {
      name: 'who does not keep up is told so and misses nothing silently; another watch works',
      async check({ store }) {
        const keys = Array.from({ length: 200 }, (_, i) => bytes(`k${i}`));
        await using slow = await watching(store, ALL, { buffer: 3 });
        await using quick = await watching(store, ALL);
        for (const key of keys) await store.put(key, bytes('one'));
        await quick.until(() => isTold(quick, ...keys), 'a write was not told to another watch');
        try {
          await slow.until(() => isTold(slow, ...keys), 'changes were missed, and nobody was told');
        } catch (error) {
          if (!NorimakiError.is(error, 'watch.lost')) throw error;
        }
        await using again = await watching(store, ALL, { buffer: 3 });
        await store.put(A, bytes('one'));
        await again.until(() => isTold(again, A), 'a new watch does not work');
      },
    },
    {
      name: 'each of several watches is told of everything, and one that ends leaves the others alone',
      async check({ store }) {
        await using one = await watching(store, ALL);
        await using other = await watching(store, ALL);
        const ended = await watchable(store).watch(ALL);
        await ended.return();
        await store.put(A, bytes('one'));
        for (const watcher of [one, other]) await watcher.until(() => isTold(watcher, A), 'a write was not told');
        assert.deepEqual(await ended.next(), { done: true, value: undefined });
      },
    },
    {
      name: 'what becomes of the bytes that were handed in or out changes nothing',
      async check({ store }) {
        const range = { start: bytes('a0'), end: bytes('c') };
        await using watcher = await watching(store, range, {}, bytes('b~'));
        await using other = await watching(store, ALL);
        const spoilt = await watchable(store).watch(ALL);
        range.start.set(bytes('b1'));
        const key = bytes('b');
        await store.put(key, bytes('one'));
        key.fill(0x79);
        const step = await orTooLate(spoilt.next());
        for (const change of step?.value ?? []) change.key.fill(0);
        for (const one of [watcher, other]) await one.until(() => isTold(one, B), 'a write was not told');
        await spoilt.return();
      },
    },
    {
      name: 'what is written over an expired record is told',
      async check({ store, clock }) {
        await store.put(A, bytes('one'), { expiresAt: clock.now() + 10 });
        await using watcher = await watching(store, ALL);
        await clock.advance(20);
        const version = await putAndRead(store, A, bytes('two'));
        await watcher.until(() => isTold(watcher, A), 'a write was not told');
        assert.deepEqual(lastOf(watcher, A), { type: 'put', name: nameOf(A), version });
      },
    },
    {
      name: 'a watch ends with its signal',
      async check({ store }) {
        const gone = watchable(store).watch(ALL, { signal: AbortSignal.abort() });
        await assertFails(gone, 'aborted');
        const control = new AbortController();
        const watch = await watchable(store).watch(ALL, { signal: control.signal });
        const next = watch.next();
        control.abort();
        await assertFails(next, 'aborted');
        assert.deepEqual(await watch.next(), { done: true, value: undefined });
      },
    },
    {
      name: 'a watch that is returned ends whoever waits for it, quietly',
      async check({ store }) {
        const watch = await watchable(store).watch(ALL);
        const next = watch.next();
        assert.deepEqual(await watch.return(), { done: true, value: undefined });
        assert.deepEqual(await next, { done: true, value: undefined });
        await store.put(A, bytes('one'));
        assert.deepEqual(await watch.next(), { done: true, value: undefined });
        for await (const _ of watch) assert.fail('a watch that ended goes on');
      },
    },
    {
      name: 'a watch ends with its store',
      async check({ store }) {
        const waiting = await watchable(store).watch(ALL);
        const idle = await watchable(store).watch(ALL);
        const next = waiting.next();
        const failure = assertFails(next, 'store.closed');
        await store.close();
        await failure;
        await assertFails(idle.next(), 'store.closed');
        await assertFails((async () => watchable(store).watch(ALL))(), 'store.closed');
      },
    },
    {
      name: 'a buffer that is no whole number from 1 is refused',
      async check({ store }) {
        for (const buffer of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          await assertFails(watchable(store).watch(ALL, { buffer }), 'argument.invalid');
        }
      },
    },
  ],
};
