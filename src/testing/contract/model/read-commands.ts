import assert from 'node:assert/strict';
import type { Key, KeyRange } from '../../../core/store.ts';
import { printKey } from '../../print-key.ts';
import { assertMissing, assertRecord, keysOf } from '../assertions.ts';
import type { World } from '../contract-case.ts';
import { scanAll } from '../scans.ts';
import { StoreCommand } from './command.ts';
import { MODEL_KEYS, type StoreModel } from './model.ts';

/** Reads of one key, once each way. */
export function getCommand(key: Key): StoreCommand {
  return new StoreCommand(`get(${printKey(key)})`, async (model, { store }) => {
    const [found, expected] = [await store.get(key), model.get(key)];
    if (expected === undefined) assertMissing(found);
    else assertRecord(found, expected);
  });
}

export async function assertAll(model: StoreModel, { store }: World, keys: readonly Key[]): Promise<void> {
  const found = await store.getMany(keys);
  assert.equal(found.length, keys.length, 'getMany answers each key');
  for (const [i, key] of keys.entries()) {
    const expected = model.get(key);
    if (expected === undefined) assertMissing(found[i], `${printKey(key)} should be missing`);
    else assertRecord(found[i], expected, `${printKey(key)} is not as it should be`);
  }
}

export function getManyCommand(keys: readonly Key[]): StoreCommand {
  return new StoreCommand(`getMany(${keys.map(printKey).join(', ')})`, (model, world) => assertAll(model, world, keys));
}

/** A scan of a range, page after page until its end. */
export function scanCommand(range: KeyRange, limit: number, reverse: boolean): StoreCommand {
  const text = `scan(${printKey(range.start)} to ${printKey(range.end)}, ${limit} a page${reverse ? ', reverse' : ''})`;
  return new StoreCommand(text, async (model, { store }) => {
    const found = await scanAll(store, range, { limit, reverse });
    const keys = model.keysIn(range.start, range.end);
    if (reverse) keys.reverse();
    assert.deepEqual(keysOf(found), keysOf(keys.map((key) => ({ key }))));
    for (const [i, key] of keys.entries()) {
      // The model has what its own list of keys names.
      assertRecord(found[i], model.get(key) as NonNullable<ReturnType<StoreModel['get']>>);
    }
  });
}

export function advanceCommand(ms: number): StoreCommand {
  return new StoreCommand(`advance(${ms})`, async (model, { clock }) => {
    model.advance(ms);
    await clock.advance(ms);
  });
}

export function reopenCommand(): StoreCommand {
  return new StoreCommand('reopen()', async (model, world) => {
    await world.reopen();
    await assertAll(model, world, MODEL_KEYS);
  });
}
