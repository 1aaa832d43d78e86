import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel, IdPart } from '../../core/model/model.ts';
import { forEachAtOnce } from '../each.ts';
import { namesOf } from '../reindex/mend.ts';
import { isExpired, type LiveRecord, readSnapshot, type Snapshot, snapshotOf } from '../snapshot.ts';
import { parseEntries } from '../vectors/entry.ts';
import { vectorNamesOf } from '../vectors/prepare.ts';
import { randomOperationId } from '../write/next-record.ts';
import { suspectsOfGroups } from './derived.ts';
import { type Diagnosis, type Examination, examine, type Look, type Suspect } from './examination.ts';
import { namingInUse, vectorLook } from './vectors.ts';
import { pagesOf, readMany } from './walk.ts';

/** Suspects that are looked at, and mended, at once: so that texts are embedded together. */
const AT_ONCE = 64;

/** Looks at every record, and at what is derived from it. */
export async function examineRecords(examination: Examination): Promise<void> {
  const { context, findings, tell } = examination;
  let done = 0;
  for await (const entries of pagesOf(examination, context.keys.allRecords())) {
    const live: Examined[] = [];
    for (const entry of entries) {
      const id = context.keys.recordId(entry.key);
      const snapshot = snapshotOf(context, id, entry);
      if (snapshot.live === undefined) {
        await examine(examination, { id, fields: [], look: expiredLook(examination, id) });
      } else if (isReadable(snapshot.live)) {
        live.push({ id, record: snapshot.live });
      } else {
        await examine(examination, { id, fields: [], look: corruptLook(examination, id) });
      }
    }
    const suspects = await suspectsOf(examination, live);
    await forEachAtOnce(suspects, AT_ONCE, (suspect) => examine(examination, suspect));
    done += entries.length;
    findings.checked.records += entries.length;
    tell('records', done);
  }
}

interface Examined {
  readonly id: readonly IdPart[];
  readonly record: LiveRecord;
}

function isReadable(record: LiveRecord): boolean {
  try {
    record.decode();
    return true;
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt')) return false;
    throw error;
  }
}

/** A first, quick look at what hangs on the records of a page. */
async function suspectsOf(examination: Examination, records: readonly Examined[]): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
  const derived = records.flatMap(({ id, record }) => suspectsOfGroups(examination, id, record));
  const stored = await readMany(
    examination,
    derived.map(({ key }) => key),
  );
  for (const [i, { isRight, ...suspect }] of derived.entries()) if (!isRight(stored[i])) suspects.push(suspect);
  for (const embedding of examination.context.model.embeddings) {
    suspects.push(...(await suspectsOfVectors(examination, embedding, records)));
  }
  return suspects;
}

async function suspectsOfVectors(
  { context, signal, ...rest }: Examination,
  embedding: EmbeddingModel,
  records: readonly Examined[],
): Promise<Suspect[]> {
  const { vectors } = context;
  const examination = { context, signal, ...rest };
  const space = (await vectors?.catalog.current())?.spaces.get(embedding.name)?.active;
  if (vectors === undefined || space === undefined) return [];
  const suspect = (id: readonly IdPart[]): Suspect => {
    return { id, fields: [embedding.name], look: vectorLook(examination, vectors, embedding, id) };
  };
  const named: { readonly id: readonly IdPart[]; readonly names: readonly string[] }[] = [];
  const suspects: Suspect[] = [];
  for (const { id, record } of records) {
    const naming = namingInUse(context, embedding, space, record);
    if (naming.kind === 'named') named.push({ id, names: namesOf(context, { id, entry: naming.entry }) });
    else if (naming.kind !== 'none') suspects.push(suspect(id));
  }
  const asked = named.flatMap(({ names }) => names);
  const found = await context.client.vectors.getMany(space.namespace, asked, { signal }).catch((error: unknown) => {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    // Dropped since the catalog was read, or lost: each is looked at by itself.
    vectors.catalog.forgetIndexes();
    return [];
  });
  const there = new Set(asked.filter((_, i) => found[i] !== undefined));
  return [
    ...suspects,
    ...named.flatMap(({ id, names }) => (names.every((name) => there.has(name)) ? [] : [suspect(id)])),
  ];
}

function corruptLook({ context, signal }: Examination, id: readonly IdPart[]): Look {
  return async () => {
    const { live } = await readSnapshot(context, id, context.keys.record(id), { signal });
    return live === undefined || isReadable(live) ? 'healthy' : { kind: 'record.corrupt' };
  };
}

function expiredLook(examination: Examination, id: readonly IdPart[]): Look {
  const { context, signal } = examination;
  return async () => {
    const key = context.keys.record(id);
    const stored = await context.client.get(key, { signal });
    // By another clock it may live on: what the store ends by itself is left to it.
    if (stored === undefined || stored.expiresAt !== undefined) return 'healthy';
    const snapshot = snapshotOf(context, id, stored);
    if (snapshot.live !== undefined) return 'healthy';
    const { envelope } = snapshot;
    // What marks an absence is in its place until it expires.
    if (envelope === undefined || !isExpired(context, envelope)) return 'healthy';
    const diagnosis: Diagnosis = { kind: 'record.expired', mend: () => remove(examination, id, snapshot) };
    return diagnosis;
  };
}

/** Deletes an expired record with its vectors; its claims and entries are found as orphans next. */
async function remove(examination: Examination, id: readonly IdPart[], { version, envelope }: Snapshot): Promise<void> {
  const { context, signal } = examination;
  const { client, keys } = context;
  const catalog = await context.vectors?.catalog.current();
  const named = catalog === undefined ? [] : vectorNamesOf(context, id, parseEntries(envelope?.vectors), catalog);
  const vectors = named.map((name) => ({ type: 'delete', ...name }) as const);
  const idempotencyKey = randomOperationId(context.environment.random);
  const operation = { type: 'delete', key: keys.record(id), ifMatch: version } as const;
  const outcome = await client.write([operation], { idempotencyKey, vectors, signal });
  if (outcome.kind === 'notApplied') throw outcome.error;
}
