import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileCodec, sealRecord } from '../src/core/codec/index.ts';
import { encodeTuple } from '../src/core/keys/index.ts';
import type { CommitOperation } from '../src/core/store.ts';
import { defineEntity, open } from '../src/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import type { BenchRow } from './row.ts';
import { standardEntity, standardFields, standardSchema } from './standard-entity.ts';

const RECORDS = 1_000_000;
const BATCH = 5_000;
const LIMIT_MB = 200;

const Standard = defineEntity('standard', standardSchema, { id: 'sku' });

/** Memory of this process alone in MB: without the pages of the data file, which the system may take back at any time. */
function anonymousMemory(): number {
  const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** How much memory a scan of a million records takes at its peak, beside what we allow. */
export async function scanBench(): Promise<BenchRow[]> {
  const path = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const db = await open(embedded({ path, durability: 'committed' }));
  try {
    const codec = compileCodec({ entity: 'standard', schema: 1, fields: standardFields });
    const envelope = { schema: 1, born: 'AAECAwQFBgcICQoL', seq: 1, ops: 'AAECAwQFBgcICQoL' };
    const prefix = encodeTuple(['norimaki', null, 'standard', 'r']);
    for (let from = 0; from < RECORDS; from += BATCH) {
      const operations = Array.from({ length: BATCH }, (_, i): CommitOperation => {
        const entity = standardEntity(from + i);
        const value = sealRecord(codec.encodeBody(entity), envelope);
        return { type: 'put', key: encodeTuple([entity.sku], prefix), value };
      });
      await db.store.commit(operations);
    }
    const before = anonymousMemory();
    let peak = before;
    let seen = 0;
    for await (const _entity of db.repo(Standard).scan()) {
      if (++seen % 10_000 === 0) peak = Math.max(peak, anonymousMemory());
    }
    if (seen !== RECORDS) throw new Error(`The scan gave ${seen} of ${RECORDS} records.`);
    const ours = Math.max(1, peak - before);
    return [
      { name: 'scan of 1,000,000: memory', ours, theirs: LIMIT_MB, ratio: LIMIT_MB / ours, target: 1, unit: 'MB' },
    ];
  } finally {
    await db.close();
    await rm(path, { recursive: true });
  }
}
