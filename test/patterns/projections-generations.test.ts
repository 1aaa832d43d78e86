import { expect, test } from 'vitest';
import { GenerationLog } from '../../src/patterns/events/projections/generations.ts';
import { projectionRecords } from '../../src/patterns/events/projections/records.ts';
import { openMemory } from '../support/open.ts';

const { signal } = new AbortController();

async function openLog(): Promise<GenerationLog> {
  const { db } = await openMemory();
  return new GenerationLog(projectionRecords(db), 'tallies', 'seen');
}

test('readers are shown the generation that is being built, and no other; once', async () => {
  const log = await openLog();
  await log.begin(1, signal);
  // Nothing is being built.
  for (const generation of [1, 2]) expect(await log.switchTo(generation, signal)).toBe(false);
  expect(await log.build(1, signal)).toEqual({ generation: 2, version: 1 });
  const before = await log.read(signal);
  for (const generation of [1, 3]) expect(await log.switchTo(generation, signal)).toBe(false);
  expect(await log.read(signal)).toEqual(before);
  expect(await log.switchTo(2, signal)).toBe(true);
  expect(await log.switchTo(2, signal)).toBe(false);
  const { live, building, retired } = (await log.read(signal)) ?? {};
  expect({ live, building, retired }).toEqual({
    live: { generation: 2, version: 1 },
    building: undefined,
    retired: [1],
  });
});

test('a build that a newer version took the place of shows readers nothing, and is cleaned up', async () => {
  const log = await openLog();
  await log.begin(1, signal);
  await log.begin(2, signal);
  const { building } = await log.begin(3, signal);
  expect(building).toEqual({ generation: 3, version: 3 });
  // Whoever built for version 2 is done, and does not know.
  expect(await log.switchTo(2, signal)).toBe(false);
  expect(await log.read(signal)).toMatchObject({ live: { generation: 1 }, building: { generation: 3 }, retired: [2] });
  expect(await log.switchTo(3, signal)).toBe(true);
  await log.forget(2, signal);
  expect(await log.read(signal)).toMatchObject({ live: { generation: 3, version: 3 }, retired: [1] });
});
