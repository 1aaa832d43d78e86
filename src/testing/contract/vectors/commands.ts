import assert from 'node:assert/strict';
import { type ErrorCode, NorimakiError } from '../../../core/errors.ts';
import type { VectorIndexOptions, Vectors, VectorWrite } from '../../../core/vectors/index.ts';
import { assertFails, bytes, committable, searchable } from '../assertions.ts';
import type { World } from '../contract-case.ts';
import { StoreCommand } from '../model/command.ts';
import { MODEL_IDS, MODEL_NAMESPACES, type VectorModel } from './model.ts';
import { assertMatches, nearestOf } from './oracle.ts';
import { assertVector } from './samples.ts';

type VectorCommand = StoreCommand<VectorModel>;
const RECORD = bytes('record');

function command(
  text: string,
  run: (model: VectorModel, vectors: Vectors, world: World) => Promise<void>,
): VectorCommand {
  return new StoreCommand(text, (model, world) => run(model, searchable(world.store).vectors, world));
}

function print(write: VectorWrite): string {
  const place = `${JSON.stringify(write.namespace)}, ${JSON.stringify(write.id)}`;
  return write.type === 'insert' ? `insert(${place}, [${write.vector.join()}])` : `delete(${place})`;
}

/** That the call answers this, or that it fails as it must. */
async function assertAnswer<T>(call: Promise<T>, refusal: ErrorCode | undefined, expected: T): Promise<void> {
  if (refusal === undefined) assert.deepEqual(await call, expected);
  else await assertFails(call, refusal);
}

export function createIndexCommand(name: string, options: VectorIndexOptions): VectorCommand {
  return command(
    `createIndex(${JSON.stringify(name)}, ${options.dimensions}, ${options.metric})`,
    async (model, vectors) => {
      const isNew = !model.namespaces.has(name);
      await assertAnswer(vectors.createIndex(name, options), model.refusedIndex(name, options), isNew);
      if (isNew) model.namespaces.set(name, { options, vectors: new Map() });
    },
  );
}

export function dropIndexCommand(name: string): VectorCommand {
  return command(`dropIndex(${JSON.stringify(name)})`, async (model, vectors) => {
    assert.equal(await vectors.dropIndex(name), model.namespaces.delete(name));
  });
}

/** An insert or a delete of one vector. */
export function writeVectorCommand(write: VectorWrite): VectorCommand {
  const { namespace, id } = write;
  return command(print(write), async (model, vectors, world) => {
    const refusal = model.refused(write);
    if (write.type === 'insert') await assertAnswer(vectors.insert(namespace, id, write.vector), refusal, undefined);
    else {
      const there = model.namespaces.get(namespace)?.vectors.has(id) ?? false;
      await assertAnswer(vectors.delete(namespace, id), refusal, there);
    }
    if (refusal === undefined) model.apply([write]);
    await assertNamespace(model, world, namespace);
  });
}

/** A commit of a record, which it may need to be absent, with vectors. */
export function commitVectorsCommand(
  value: string | undefined,
  ifAbsent: boolean,
  writes: readonly VectorWrite[],
): VectorCommand {
  const record = value === undefined ? 'delete record' : `put record ${value}${ifAbsent ? ' ifAbsent' : ''}`;
  return command(`commit(${[record, ...writes.map(print)].join(', ')})`, async (model, _vectors, world) => {
    const operation =
      value === undefined
        ? ({ type: 'delete', key: RECORD } as const)
        : ({ type: 'put', key: RECORD, value: bytes(value), ifAbsent } as const);
    const refusals = new Set<ErrorCode | undefined>(writes.map((write) => model.refused(write)));
    if (value !== undefined && ifAbsent && model.record !== undefined) refusals.add('already.exists');
    refusals.delete(undefined);
    const commit = committable(world.store).commit([operation], { vectors: writes });
    if (refusals.size === 0) {
      await commit;
      model.record = value;
      model.apply(writes);
    } else {
      const error = await commit.then(
        () => assert.fail('the commit should be refused'),
        (reason: unknown) => reason,
      );
      // Which of several reasons comes first is the store's own affair.
      assert.ok(error instanceof NorimakiError && refusals.has(error.code), `refused by ${String(error)}`);
    }
    await assertAll(model, world);
  });
}

export function getVectorsCommand(name: string, ids: readonly string[]): VectorCommand {
  return command(`get and getMany(${JSON.stringify(name)}, ${JSON.stringify(ids)})`, async (model, vectors) => {
    const there = model.namespaces.get(name)?.vectors;
    const refusal = there === undefined ? 'index.missing' : undefined;
    await assertAnswer(
      vectors.getMany(name, ids),
      refusal,
      ids.map((id) => there?.get(id)),
    );
    for (const id of ids) await assertAnswer(vectors.get(name, id), refusal, there?.get(id));
  });
}

export function searchCommand(name: string, query: Float32Array, k: number): VectorCommand {
  return command(`search(${JSON.stringify(name)}, [${query.join()}], ${k})`, async (model, vectors) => {
    const there = model.namespaces.get(name);
    const search = vectors.search(name, query, k);
    if (there === undefined) await assertFails(search, 'index.missing');
    else if (there.options.dimensions !== query.length) await assertFails(search, 'argument.invalid');
    else assertMatches(await search, nearestOf(there.vectors, there.options.metric, query, k));
  });
}

export function listCommand(name: string, after: string | undefined, limit: number): VectorCommand {
  const text = `list(${JSON.stringify(name)}, after ${JSON.stringify(after)}, ${limit})`;
  return command(text, async (model, vectors) => {
    const page = vectors.list(name, { after, limit });
    if (!model.namespaces.has(name)) {
      await assertFails(page, 'index.missing');
      return;
    }
    const ids = model.idsIn(name);
    const behind = after === undefined ? ids : ids.filter((id) => MODEL_IDS.indexOf(id) > MODEL_IDS.indexOf(after));
    const found = await page;
    // A store may answer shorter pages, but an empty one is the end.
    assert.ok(found.length <= limit && (found.length > 0 || behind.length === 0), `a page of ${found.length} ids`);
    assert.deepEqual(found, behind.slice(0, found.length));
  });
}

export function reopenVectorsCommand(): VectorCommand {
  return command('reopen()', async (model, _vectors, world) => {
    await world.reopen();
    await assertAll(model, world);
  });
}

async function assertNamespace(model: VectorModel, { store }: World, name: string): Promise<void> {
  const { vectors } = searchable(store);
  const there = model.namespaces.get(name);
  if (there === undefined) {
    await assertFails(vectors.get(name, 'a'), 'index.missing');
    return;
  }
  const found = await vectors.getMany(name, MODEL_IDS);
  for (const [i, id] of MODEL_IDS.entries()) {
    const expected = there.vectors.get(id);
    if (expected === undefined) assert.equal(found[i], undefined, `${JSON.stringify(id)} should be missing`);
    else assertVector(found[i], expected, `${JSON.stringify(id)} is not as it should be`);
  }
  const query = new Float32Array(there.options.dimensions).fill(1);
  assertMatches(await vectors.search(name, query, 100), nearestOf(there.vectors, there.options.metric, query, 100));
}

export async function assertAll(model: VectorModel, world: World): Promise<void> {
  const record = await world.store.get(RECORD);
  assert.equal(record && Buffer.from(record.value).toString(), model.record, 'the record is not as it should be');
  for (const name of MODEL_NAMESPACES) await assertNamespace(model, world, name);
}
