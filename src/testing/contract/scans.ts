import assert from 'node:assert/strict';
import type { KeyRange, ScanOptions, ScanPage, Store } from '../../core/store.ts';
import { assertFails, assertRecord, bytes, keysOf, scannable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

type Entries = ScanPage['entries'];

const range = (start: string, end: string): KeyRange => ({ start: bytes(start), end: bytes(end) });
const hexOf = (names: readonly string[]): string[] => keysOf(names.map((name) => ({ key: bytes(name) })));
const EVERYTHING: KeyRange = { start: Uint8Array.of(0), end: new Uint8Array(32).fill(0xff) };

async function fill(store: Store, names: readonly string[]): Promise<void> {
  for (const name of names) await store.put(bytes(name), bytes(`value of ${name}`));
}

/** All entries of a range, page after page; `between` runs after each. */
export async function scanAll(
  store: Store,
  whole: KeyRange,
  options: ScanOptions = {},
  between: () => Promise<unknown> = async () => {},
): Promise<Entries> {
  const all: Entries[number][] = [];
  let rest: KeyRange | undefined = whole;
  for (let pages = 0; rest !== undefined; pages++) {
    assert.ok(pages < 2000, 'the scan does not end');
    const page: ScanPage = await scannable(store).scan(rest, options);
    assert.ok(page.entries.length <= (options.limit ?? 100), 'a page holds more than the limit');
    all.push(...page.entries);
    rest = page.rest;
    await between();
  }
  return all;
}

const NAMES = [
  '\0',
  '\0\0',
  'a',
  'a\0',
  'a\0\0',
  'a\x01',
  'aa',
  'ab',
  'b',
  'b\xff',
  'b\xff\xff',
  'c',
  '\x7f',
  '\x80',
  '\xff',
];

/** Ordered ranges. */
export const scansGroup: PromisedGroup = {
  name: 'scan',
  needs: ['scan'],
  promises: [
    {
      name: 'an empty store has nothing in any range',
      async check({ store }) {
        assert.deepEqual(await scannable(store).scan(EVERYTHING), { entries: [] });
      },
    },
    {
      name: 'entries come in the order of their bytes, whatever the order of the writes',
      async check({ store }) {
        const shuffled = NAMES.toSorted((a, b) => ((a.charCodeAt(0) * 7) % 11) - ((b.charCodeAt(0) * 7) % 11));
        await fill(store, shuffled);
        assert.deepEqual(keysOf(await scanAll(store, EVERYTHING)), hexOf(NAMES));
        assert.deepEqual(keysOf(await scanAll(store, EVERYTHING, { reverse: true })), hexOf(NAMES.toReversed()));
      },
    },
    {
      name: 'an entry is the record: its value, version and deadline',
      async check({ store, clock }) {
        const expiresAt = clock.now() + 1000;
        const version = await store.put(bytes('a'), bytes('one'), { expiresAt });
        const empty = await store.put(bytes('b'), new Uint8Array(0));
        const { entries } = await scannable(store).scan(range('a', 'c'));
        assertRecord(entries[0], { value: bytes('one'), version, expiresAt });
        assertRecord(entries[1], { value: new Uint8Array(0), version: empty });
      },
    },
    {
      name: 'the start is in the range, the end is not',
      async check({ store }) {
        await fill(store, ['a', 'b', 'b\0', 'c', 'c\0', 'd']);
        for (const reverse of [false, true]) {
          const scan = async (start: string, end: string): Promise<string[]> =>
            keysOf(await scanAll(store, range(start, end), { reverse }));
          const expected = (...names: string[]): string[] => hexOf(reverse ? names.toReversed() : names);
          assert.deepEqual(await scan('b', 'c'), expected('b', 'b\0'));
          assert.deepEqual(await scan('b', 'c\0'), expected('b', 'b\0', 'c'));
          assert.deepEqual(await scan('b\0', 'c'), expected('b\0'));
          assert.deepEqual(await scan('aa', 'bb'), expected('b', 'b\0'));
          assert.deepEqual(await scan('e', 'z'), []);
          assert.deepEqual(await scan('b', 'b'), []);
        }
      },
    },
    {
      name: 'a page holds at most `limit` entries, and pages together hold each entry once',
      async check({ store }) {
        await fill(store, NAMES);
        for (const reverse of [false, true]) {
          const expected = hexOf(reverse ? NAMES.toReversed() : NAMES);
          for (const limit of [1, 2, 3, 7, NAMES.length - 1, NAMES.length, NAMES.length + 1]) {
            const found = keysOf(await scanAll(store, EVERYTHING, { limit, reverse }));
            assert.deepEqual(found, expected, `pages of ${limit}`);
          }
        }
      },
    },
    {
      name: 'pages that end by their bytes hold each entry once too',
      async check({ store }) {
        await fill(store, NAMES);
        for (const reverse of [false, true]) {
          const expected = hexOf(reverse ? NAMES.toReversed() : NAMES);
          for (const most of [1, 20, 1_000_000]) {
            const found = keysOf(await scanAll(store, EVERYTHING, { bytes: most, reverse }));
            assert.deepEqual(found, expected, `pages of ${most} bytes`);
          }
        }
      },
    },
    {
      name: 'pages keep within the range',
      async check({ store }) {
        await fill(store, NAMES);
        for (const reverse of [false, true]) {
          const inside = NAMES.slice(3, 9);
          const found = await scanAll(store, range('a\0', 'b\xff'), { limit: 2, reverse });
          assert.deepEqual(keysOf(found), hexOf(reverse ? inside.toReversed() : inside));
        }
      },
    },
    {
      name: 'what stays is found once, whatever is written between pages',
      async check({ store }) {
        const names = Array.from({ length: 20 }, (_, i) => `k${String.fromCharCode(65 + i)}`);
        for (const reverse of [false, true]) {
          await fill(store, names);
          let step = 0;
          const stir = async (): Promise<void> => {
            step++;
            await store.put(bytes(`k${String.fromCharCode(65 + step)}+`), bytes('new'));
            await store.delete(bytes(`k${String.fromCharCode(65 + step - 1)}+`));
          };
          const found = keysOf(await scanAll(store, range('k', 'l'), { limit: 3, reverse }, stir));
          const stayed = new Set(hexOf(names));
          const order = hexOf(reverse ? names.toReversed() : names);
          assert.deepEqual(
            found.filter((key) => stayed.has(key)),
            order,
          );
        }
      },
    },
    {
      name: 'a page holds 100 entries unless told otherwise, and up to 1,000',
      async check({ store }) {
        const names = Array.from({ length: 1001 }, (_, i) => `n${String(i).padStart(4, '0')}`);
        await Promise.all(names.map((name) => store.put(bytes(name), bytes(name))));
        const first = await scannable(store).scan(range('n', 'o'));
        assert.deepEqual(keysOf(first.entries), hexOf(names.slice(0, first.entries.length)));
        assert.ok(first.entries.length <= 100 && first.rest !== undefined, 'there is more than one page');
        const large = await scannable(store).scan(range('n', 'o'), { limit: 1000 });
        assert.ok(large.entries.length <= 1000 && large.rest !== undefined, 'there is more than one page');
        assert.deepEqual(keysOf(await scanAll(store, range('n', 'o'), { limit: 1000 })), hexOf(names));
      },
    },
    {
      name: 'a limit outside 1 to 1,000 is refused',
      async check({ store }) {
        for (const limit of [0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          await assertFails(scannable(store).scan(EVERYTHING, { limit }), 'argument.invalid');
        }
      },
    },
    {
      name: 'a scan sees every write that was acknowledged before it',
      async check({ store }) {
        for (let i = 0; i < 10; i++) {
          const version = await store.put(bytes('a'), bytes(`value ${i}`));
          await store.put(bytes(`b${i}`), bytes('one'));
          const { entries } = await scannable(store).scan(range('a', 'c'));
          assert.equal(entries.length, i + 2);
          assertRecord(entries[0], { value: bytes(`value ${i}`), version });
        }
        for (let i = 0; i < 10; i++) await store.delete(bytes(`b${i}`));
        assert.deepEqual(keysOf(await scanAll(store, range('a', 'c'))), hexOf(['a']));
      },
    },
  ],
};
