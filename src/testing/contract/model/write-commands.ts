import assert from 'node:assert/strict';
import { NorimakiError } from '../../../core/errors.ts';
import type { CommitOperation, Key, Precondition } from '../../../core/store.ts';
import type { Version } from '../../../core/version.ts';
import { printKey } from '../../print-key.ts';
import { assertFails, assertMissing, assertRecord, committable } from '../assertions.ts';
import type { World } from '../contract-case.ts';
import { StoreCommand } from './command.ts';
import type { Expectation, StoreModel } from './model.ts';

/** A precondition before it is known which version it means. */
export type Condition = 'none' | 'ifAbsent' | Expectation;

/** A write before it meets a model. */
export interface PlannedWrite {
  readonly type: 'put' | 'delete' | 'check';
  readonly key: Key;
  readonly value: Uint8Array;
  /** Milliseconds until the record expires; not after now if not positive. */
  readonly ttl: number | undefined;
  readonly condition: Condition;
}

function printWrite({ type, key, value, ttl, condition }: PlannedWrite): string {
  const what = type === 'put' ? `, [${value}]${ttl === undefined ? '' : `, ttl ${ttl}`}` : '';
  return `${type}(${printKey(key)}${what}${condition === 'none' ? '' : `, ${condition}`})`;
}

function operationOf(model: StoreModel, { type, key, value, ttl, condition }: PlannedWrite): CommitOperation {
  const precondition: Precondition =
    condition === 'none'
      ? {}
      : condition === 'ifAbsent'
        ? { ifAbsent: true }
        : { ifMatch: model.versionFor(key, condition) };
  const expiresAt = ttl === undefined ? undefined : model.now + ttl;
  if (type === 'put') return { type, key, value, expiresAt, ...precondition };
  if (type === 'check') return { type, key, ...precondition };
  return { type, key, ifMatch: precondition.ifMatch };
}

function send({ store }: World, operation: CommitOperation): Promise<Version | boolean> {
  const { key, ifMatch } = operation;
  switch (operation.type) {
    case 'put': {
      const { value, ifAbsent, expiresAt } = operation;
      return store.put(key, value, { ifMatch, ifAbsent, expiresAt });
    }
    case 'delete':
      return store.delete(key, { ifMatch });
    case 'check':
      return assert.fail('a check is no write of its own');
  }
}

async function refusalOf(commit: Promise<Version>): Promise<NorimakiError<'version.mismatch' | 'already.exists'>> {
  const error: unknown = await commit.then(
    (version) => assert.fail(`the commit should be refused, but has version ${version}`),
    (reason) => reason,
  );
  if (NorimakiError.is(error, 'version.mismatch') || NorimakiError.is(error, 'already.exists')) return error;
  throw error;
}

async function assertState(model: StoreModel, { store }: World, keys: readonly Key[]): Promise<void> {
  for (const key of keys) {
    const [found, expected] = [await store.get(key), model.get(key)];
    if (expected === undefined) assertMissing(found, `${printKey(key)} should be missing`);
    else assertRecord(found, expected, `${printKey(key)} is not as it should be`);
  }
}

/** A put or a delete of one key. */
export function writeCommand(write: PlannedWrite): StoreCommand {
  return new StoreCommand(printWrite(write), async (model, world) => {
    const operation = operationOf(model, write);
    const refusal = model.refusal(write.key, operation);
    if (refusal === undefined) {
      const existed = model.get(write.key) !== undefined;
      const answer = await send(world, operation);
      if (typeof answer === 'boolean') assert.equal(answer, existed, 'delete says whether there was a record');
      else assert.ok(!model.isUsed(write.key, answer), `version ${answer} was used before`);
      model.apply([operation], typeof answer === 'boolean' ? undefined : answer);
    } else await assertFails(send(world, operation), refusal);
    await assertState(model, world, [write.key]);
  });
}

/** Writes of several keys together. */
export function commitCommand(writes: readonly PlannedWrite[]): StoreCommand {
  return new StoreCommand(`commit(${writes.map(printWrite).join(', ')})`, async (model, world) => {
    const operations = writes.map((write) => operationOf(model, write));
    const refusals = operations.map((operation) => model.refusal(operation.key, operation));
    const commit = committable(world.store).commit(operations);
    if (refusals.every((refusal) => refusal === undefined)) {
      const version = await commit;
      for (const { key } of operations) assert.ok(!model.isUsed(key, version), `version ${version} was used before`);
      model.apply(operations, version);
    } else {
      const { code, details } = await refusalOf(commit);
      assert.equal(code, refusals[details.operation ?? -1], 'details.operation names an operation refused so');
    }
    await assertState(
      model,
      world,
      operations.map(({ key }) => key),
    );
  });
}
