import { throwIfAborted } from '../../core/abort.ts';
import type { Key, KeyRange, ScanPage, Stored } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import { admit } from '../tenancy/admission.ts';
import type { Examination } from './examination.ts';

/** Entries of a page, and keys that one read asks for. */
const CHUNK = 256;

/** The pages of a range; others have their turn between two of them. */
export async function* pagesOf(
  { context, fix, signal }: Examination,
  whole: KeyRange,
): AsyncGenerator<ScanPage['entries'], void, undefined> {
  let range: KeyRange | undefined = whole;
  while (range !== undefined) {
    throwIfAborted(signal);
    await admit(context, fix ? 'write' : 'read', { signal });
    const page: ScanPage = await context.client.scan(range, { limit: CHUNK, signal });
    yield page.entries;
    range = page.rest;
    await nextTurn();
  }
}

export async function readMany(
  { context, signal }: Examination,
  keys: readonly Key[],
): Promise<(Stored | undefined)[]> {
  const found: (Stored | undefined)[] = [];
  for (let from = 0; from < keys.length; from += CHUNK) {
    found.push(...(await context.client.getMany(keys.slice(from, from + CHUNK), { signal })));
  }
  return found;
}
