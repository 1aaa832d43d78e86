import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lmdb from 'lmdb';
import { defineEntity, open } from '../src/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { compare, timed } from './compare.ts';
import type { BenchRow } from './row.ts';
import { type StandardEntity, standardEntity, standardSchema } from './standard-entity.ts';

const RECORDS = 10_000;
const READS = 20_000;
const WRITERS = 64;
const TURNS = 20;
const ROUNDS = 11;

const Standard = defineEntity('standard', standardSchema, { id: 'sku' });

/** The repository on the embedded store, beside calling lmdb by hand for the same work. */
export async function embeddedBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  await using db = await open(embedded({ path: join(folder, 'ours') }));
  const raw = lmdb.open<Buffer, string>({ path: join(folder, 'theirs'), encoding: 'binary', useVersions: true });
  try {
    const ours = db.repo(Standard);
    const entities = Array.from({ length: RECORDS }, (_, n) => standardEntity(n));
    for (const result of await ours.createMany(entities, { concurrency: 1000 })) if (!result.ok) throw result.error;
    await Promise.all(entities.map((entity) => raw.put(entity.sku, Buffer.from(JSON.stringify(entity)), 1)));
    await raw.flushed;

    const skus = Array.from({ length: READS }, (_, i) => `NORI-${(i * 7919) % RECORDS}`);
    const get = await compare(
      ROUNDS,
      () =>
        timed(READS, async () => {
          for (const sku of skus) await ours.get(sku);
        }),
      () =>
        timed(READS, async () => {
          for (const sku of skus) JSON.parse((raw.getBinary(sku) as Buffer).toString());
        }),
    );

    const writers = Array.from({ length: WRITERS }, (_, n) => `NORI-${n}`);
    const mutates = (): Promise<number> =>
      timed(WRITERS * TURNS, async () => {
        for (let turn = 0; turn < TURNS; turn++) {
          await Promise.all(
            writers.map((sku) =>
              ours.mutate(sku, (entity) => {
                entity.stock += 1;
              }),
            ),
          );
        }
      });
    const puts = (): Promise<number> =>
      timed(WRITERS * TURNS, async () => {
        for (let turn = 0; turn < TURNS; turn++) {
          await Promise.all(writers.map((sku) => putIfUnchanged(raw, sku)));
          await raw.flushed;
        }
      });
    // The first rounds are for the compiler.
    await compare(2, mutates, puts);
    const mutate = await compare(ROUNDS, mutates, puts);
    return [
      { name: 'embedded: get', ...get, target: 0.5, unit: 'ns' },
      { name: `embedded: ${WRITERS} durable mutates`, ...mutate, target: 0.3, unit: 'ns' },
    ];
  } finally {
    await raw.close();
    await rm(folder, { recursive: true });
  }
}

async function putIfUnchanged(raw: lmdb.RootDatabase<Buffer, string>, sku: string): Promise<void> {
  const entry = raw.getEntry(sku);
  if (entry?.version === undefined) throw new Error('The bench lost a record of its own.');
  const { version } = entry;
  const value = JSON.parse(entry.value.toString()) as StandardEntity;
  value.stock += 1;
  const isWritten = await raw.put(sku, Buffer.from(JSON.stringify(value)), version + 1, version);
  if (!isWritten) throw new Error('The bench itself had a conflict.');
}
