import { throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { FieldGroup, IdPart } from '../../core/model/model.ts';
import type { Key, Stored } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import { snapshotOf } from '../snapshot.ts';
import { spacesInUse } from '../vectors/catalog.ts';
import { parseEntries } from '../vectors/entry.ts';
import type { VectorSpace } from '../vectors/space.ts';
import { isNamedBy, ownerOf } from '../vectors/vector-id.ts';
import { holdsKey, ownerOfClaim } from './derived.ts';
import { type Examination, examine, type Look, send } from './examination.ts';
import { pagesOf, readMany } from './walk.ts';

/** What is there for a record, looked at from its own side. */
export async function examineClaims(examination: Examination): Promise<void> {
  const { context, findings, tell } = examination;
  let done = 0;
  for (const group of context.model.uniques) {
    const owner = (_key: Key, value: Uint8Array): IdPart[] => ownerOfClaim(value);
    done = await examineKeys(examination, group, 'claims', owner, done, (so) => tell('claims', so));
  }
  findings.checked.claims += done;
}

export async function examineEntries(examination: Examination): Promise<void> {
  const { context, findings, tell } = examination;
  let done = 0;
  for (const group of context.model.indexes) {
    const ownerOfEntry = (key: Key): IdPart[] => context.keys.indexedId(group, key);
    done = await examineKeys(examination, group, 'entries', ownerOfEntry, done, (so) => tell('entries', so));
  }
  findings.checked.entries += done;
}

type OwnerOf = (key: Key, value: Uint8Array) => IdPart[];

async function examineKeys(
  examination: Examination,
  group: FieldGroup,
  kind: 'claims' | 'entries',
  ownerOfKey: OwnerOf,
  before: number,
  tell: (done: number) => void,
): Promise<number> {
  const { context } = examination;
  const range = kind === 'claims' ? context.keys.claimsOf(group) : context.keys.entriesOf(group);
  let done = before;
  for await (const entries of pagesOf(examination, range)) {
    const ids = entries.map(({ key, value }) => ownerOfKey(key, value));
    const stored = await readMany(
      examination,
      ids.map((id) => context.keys.record(id)),
    );
    for (const [i, { key }] of entries.entries()) {
      // One id for each entry.
      const id = ids[i] as IdPart[];
      if (holdsKey(context, snapshotOf(context, id, stored[i]).live, kind, key)) continue;
      await examine(examination, { id, fields: group.fields, look: orphanLook(examination, kind, key, ownerOfKey) });
    }
    done += entries.length;
    tell(done);
  }
  return done;
}

function orphanLook(examination: Examination, kind: 'claims' | 'entries', key: Key, ownerOfKey: OwnerOf): Look {
  const { context, signal } = examination;
  const { client, keys } = context;
  return async () => {
    const found = await client.get(key, { signal });
    if (found === undefined) return 'healthy';
    const id = ownerOfKey(key, found.value);
    const stored = await client.get(keys.record(id), { signal });
    const seen = snapshotOf(context, id, stored);
    if (holdsKey(context, seen.live, kind, key)) return 'healthy';
    // By another clock it may live on, with what it holds, until the store ends both.
    const hasExpired = seen.live === undefined && seen.envelope?.tombstone !== true;
    if (hasExpired && stored?.expiresAt !== undefined) return 'healthy';
    const now = await client.get(key, { signal });
    if (now?.version !== found.version) return 'moving';
    const remove = { type: 'delete', key, ifMatch: found.version } as const;
    const mend = (): Promise<void> => send(examination, id, seen, [remove]);
    return { kind: kind === 'claims' ? 'unique.orphan' : 'index.orphan', mend };
  };
}

/** Ids of vectors that one page lists. */
const PAGE = 256;

/** Vectors that no record names, in every space in use. */
export async function examineVectors(examination: Examination): Promise<void> {
  const { context, findings, tell } = examination;
  const { vectors } = context;
  if (vectors === undefined) return;
  vectors.catalog.invalidate();
  let done = 0;
  for (const [embedding, space] of spacesInUse(await vectors.catalog.current())) {
    try {
      for await (const ids of idsOf(examination, space)) {
        await examineNames(examination, embedding, space, ids);
        done += ids.length;
        tell('vectors', done);
      }
    } catch (error) {
      if (!NorimakiError.is(error, 'index.missing')) throw error;
      // Somebody has ended a reindex.
      vectors.catalog.forgetIndexes();
    }
  }
  findings.checked.vectors += done;
}

async function* idsOf({ context, signal }: Examination, { namespace }: VectorSpace): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    throwIfAborted(signal);
    const ids = await context.client.vectors.list(namespace, { after, limit: PAGE, signal });
    if (ids.length === 0) return;
    yield ids;
    after = ids.at(-1);
    await nextTurn();
  }
}

async function examineNames(
  examination: Examination,
  embedding: string,
  space: VectorSpace,
  names: readonly string[],
): Promise<void> {
  const { context } = examination;
  const owners = names.map((name) => ownerOf(name));
  const keys = owners.flatMap((owner) => (owner === undefined ? [] : [context.keys.record(owner.id)]));
  const stored = await readMany(examination, keys);
  let at = 0;
  for (const [i, name] of names.entries()) {
    const owner = owners[i];
    if (owner !== undefined && isNamed(examination, name, stored[at++])) continue;
    await examine(examination, {
      id: owner?.id,
      fields: [embedding],
      look: orphanVectorLook(examination, space, name),
    });
  }
}

/** Whether the record of a vector names it, in whatever state. One that cannot be read may. */
function isNamed({ context }: Examination, name: string, stored: Stored | undefined): boolean {
  const owner = ownerOf(name);
  if (owner === undefined || stored === undefined) return false;
  const { envelope, live } = snapshotOf(context, owner.id, stored);
  if (envelope === undefined) return live !== undefined;
  return parseEntries(envelope.vectors).some((entry) => isNamedBy(entry, owner));
}

/** A generation that is not named and whose vector is there was named before, and never is again. */
function orphanVectorLook(examination: Examination, { namespace }: VectorSpace, name: string): Look {
  const { context, signal } = examination;
  const { client, keys } = context;
  return async () => {
    const owner = ownerOf(name);
    const stored = owner && (await client.get(keys.record(owner.id), { signal }));
    if (isNamed(examination, name, stored)) return 'healthy';
    if ((await client.vectors.get(namespace, name, { signal })) === undefined) return 'healthy';
    return { kind: 'vector.orphan', mend: () => client.vectors.delete(namespace, name, { signal }) };
  };
}
