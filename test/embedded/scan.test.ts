import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Key, KeyRange, ScanStore } from '../../src/core/store.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { openStore, temporaryFolder } from './support/folder.ts';

async function pagesOf(store: ScanStore, range: KeyRange, limit: number, reverse: boolean): Promise<string[][]> {
  const pages: string[][] = [];
  for (let rest: KeyRange | undefined = range; rest !== undefined; ) {
    const page: Awaited<ReturnType<ScanStore['scan']>> = await store.scan(rest, { limit, reverse });
    pages.push(page.entries.map(({ key, value }) => `${Buffer.from(key).toString('hex')}=${Buffer.from(value)}`));
    rest = page.rest;
  }
  return pages;
}

test('scans page by page as the memory store does', async () => {
  const { data } = await temporaryFolder();
  const byte = fc.constantFrom(0, 1, 127, 128, 254, 255);
  const key = fc.uint8Array({ maxLength: 4 }).chain(() => fc.array(byte, { minLength: 1, maxLength: 4 }));
  const bound = fc.oneof(fc.array(byte, { maxLength: 4 }), fc.constant(new Array<number>(1500).fill(255)));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key, { maxLength: 30, selector: String }),
      bound,
      bound,
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      async (keys, start, end, limit, reverse) => {
        const expected = await memory().openStore(systemEnvironment);
        const store = await openStore(`${data}-${run++}`);
        const writes = keys.map((bytes, i) => {
          const operation = { type: 'put', key: Uint8Array.from(bytes), value: Buffer.from(String(i)) } as const;
          // Some are past their deadline and must not be seen, nor counted into a page.
          return i % 5 === 4 ? { ...operation, expiresAt: 1 } : operation;
        });
        await Promise.all([expected.commit(writes), store.commit(writes)]);
        const range: { start: Key; end: Key } = { start: Uint8Array.from(start), end: Uint8Array.from(end) };
        expect(await pagesOf(store, range, limit, reverse)).toEqual(await pagesOf(expected, range, limit, reverse));
        await store.close();
      },
    ),
    { numRuns: 60, seed: 7 },
  );
});
