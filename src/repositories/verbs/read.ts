import type { IdPart } from '../../core/model/model.ts';
import type { ReadOptions, Stored } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { hydrate } from '../entity.ts';
import { describeRecord, isGone, openStored, snapshotOf } from '../snapshot.ts';

/** The entity in what a store returned; `undefined` if there is none any more. Errors: `record.corrupt`. */
export function readEntity(
  context: RepositoryContext,
  id: readonly IdPart[],
  stored: Stored | undefined,
): object | undefined {
  if (stored === undefined) return undefined;
  const { model } = context;
  const opened = openStored(context, id, stored);
  if (isGone(context, opened.envelope)) return undefined;
  const { values } = model.codec.decode(opened, () => describeRecord(model, id));
  return hydrate(model, values, stored.version);
}

/** May also throw, for an id that has no key. */
export function getOne(
  context: RepositoryContext,
  id: readonly IdPart[],
  options: ReadOptions,
): Promise<object | undefined> {
  // The verb that is called most: an async function of its own would take a fortieth of the time of a read.
  return context.client.get(context.keys.record(id), options).then((stored) => readEntity(context, id, stored));
}

/** Ids that one read asks the store for. */
const CHUNK = 256;

export async function getMany(
  context: RepositoryContext,
  ids: readonly (readonly IdPart[])[],
  options: ReadOptions,
): Promise<(object | undefined)[]> {
  const found: (object | undefined)[] = [];
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const keys = chunk.map((id) => context.keys.record(id));
    const stored = await context.client.getMany(keys, options);
    for (const [i, id] of chunk.entries()) found.push(readEntity(context, id, stored[i]));
  }
  return found;
}

export async function exists(
  context: RepositoryContext,
  id: readonly IdPart[],
  options: ReadOptions,
): Promise<boolean> {
  const stored = await context.client.get(context.keys.record(id), options);
  return snapshotOf(context, id, stored).live !== undefined;
}
