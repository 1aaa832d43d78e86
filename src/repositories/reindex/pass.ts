import { throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { KeyRange, ScanPage } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import { forEachAtOnce } from '../each.ts';
import { snapshotOf } from '../snapshot.ts';
import { admit } from '../tenancy/admission.ts';
import { spacesInUse } from '../vectors/catalog.ts';
import { type Filled, type Filling, fillRecord, judge, type Lack, lackOf } from './fill-record.ts';
import { namesOf } from './mend.ts';
import { givenUp } from './stages.ts';
import type { ReindexFailure } from './types.ts';

/** What one walk over all records came to. */
export interface PassTally {
  done: number;
  embedded: number;
  skipped: number;
  unsettled: number;
  failed: number;
  failures: ReindexFailure[];
}

const MAX_FAILURES = 100;

export interface PassOptions {
  readonly concurrency: number;
  /** Where to begin, and how many records are before it. */
  readonly from?: { readonly cursor: string; readonly done: number } | undefined;
  /** After each record. */
  readonly onRecord: (tally: PassTally) => void;
  /** After each page that is not the last. */
  readonly onPage?: ((cursor: string, done: number) => Promise<void>) | undefined;
}

/** Walks over all records, in order, and gives each the vector that it lacks. Errors: as `fillRecord`, `reindex.conflict`. */
export async function fillPass(filling: Filling, options: PassOptions): Promise<PassTally> {
  const { context, signal } = filling;
  const { concurrency, from, onRecord, onPage } = options;
  const tally: PassTally = { done: from?.done ?? 0, embedded: 0, skipped: 0, unsettled: 0, failed: 0, failures: [] };
  let range: KeyRange | undefined = context.keys.allRecords();
  if (from !== undefined) range = { ...range, start: new Uint8Array(Buffer.from(from.cursor, 'base64url')) };
  while (range !== undefined) {
    throwIfAborted(signal);
    await admit(context, 'write', { signal });
    const page: ScanPage = await context.client.scan(range, { limit: concurrency, signal });
    const lacks = await lacksOf(filling, page.entries);
    await forEachAtOnce(lacks, concurrency, async ({ id, lack }) => {
      const filled = typeof lack === 'object' && 'kind' in lack ? await fillRecord(filling, id, lack) : lack;
      count(tally, id, filled);
      onRecord(tally);
    });
    range = page.rest;
    if (range !== undefined) await onPage?.(Buffer.from(range.start).toString('base64url'), tally.done);
    await nextTurn();
  }
  return tally;
}

function count(tally: PassTally, id: readonly IdPart[], filled: Filled): void {
  tally.done++;
  if (typeof filled === 'string') {
    tally[filled]++;
    return;
  }
  tally.failed++;
  if (tally.failures.length < MAX_FAILURES) tally.failures.push({ id, code: filled.failed });
}

interface Looked {
  readonly id: readonly IdPart[];
  readonly lack: Lack | Filled;
}

/** What the records of a page lack. Whether the vectors that they name are there is asked in one call. */
async function lacksOf(filling: Filling, entries: ScanPage['entries']): Promise<Looked[]> {
  const { context, space, signal } = filling;
  await checkInUse(filling);
  const looked = entries.map((entry): Looked => {
    const id = context.keys.recordId(entry.key);
    try {
      return { id, lack: lackOf(filling, snapshotOf(context, id, entry)) };
    } catch (error) {
      return { id, lack: judge(error) };
    }
  });
  const namesIn = ({ id, lack }: Looked): readonly string[] =>
    typeof lack === 'object' && 'entry' in lack ? namesOf(context, { id, entry: lack.entry }) : [];
  const named = looked.flatMap(namesIn);
  const ask = () => context.client.vectors.getMany(space.namespace, named, { signal });
  const vectors = await ask().catch(async (error: unknown) => {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    filling.vectors.catalog.forgetIndexes();
    await checkInUse(filling);
    return ask();
  });
  let at = 0;
  return looked.map((one) => {
    const own = vectors.slice(at, at + namesIn(one).length);
    at += own.length;
    const isThere = own.length > 0 && !own.includes(undefined);
    return isThere ? { id: one.id, lack: { kind: 'nothing' } } : one;
  });
}

/** Whether writers still write to the space; also makes sure that it exists. */
async function checkInUse(filling: Filling): Promise<void> {
  const state = await filling.vectors.catalog.current();
  for (const [, space] of spacesInUse(state)) if (space.id === filling.space.id) return;
  throw givenUp(filling);
}
