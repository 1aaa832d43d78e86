import type { KeyRange, ScanStore } from '../../src/core/store.ts';

const EVERYTHING: KeyRange = { start: Uint8Array.of(0), end: Uint8Array.of(0xff, 0xff) };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** All records of a store, as text: who finds the same goes on alike. */
export async function contentsOf(store: ScanStore): Promise<string> {
  let all = '';
  for await (const { key, value, version, expiresAt } of recordsOf(store)) {
    all += `${text(key)} = ${text(value)}, ${version}, ${expiresAt}\n`;
  }
  return all;
}

/** Puts all records of a store into one that is empty. Their versions are others there. */
export async function copyRecords(from: ScanStore, to: ScanStore): Promise<void> {
  for await (const { key, value, expiresAt } of recordsOf(from)) await to.put(key, value, { expiresAt });
}

async function* recordsOf(store: ScanStore) {
  for (let rest: KeyRange | undefined = EVERYTHING; rest !== undefined; ) {
    const page = await store.scan(rest, { limit: 1000 });
    yield* page.entries;
    rest = page.rest;
  }
}
