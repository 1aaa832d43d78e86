import { fork } from 'node:child_process';
import { once } from 'node:events';
import { defineEntity, open } from '../src/index.ts';
import { norikv } from '../src/stores/norikv/index.ts';
import { compare, timed } from './compare.ts';
import type { BenchRow } from './row.ts';
import { standardEntity, standardSchema } from './standard-entity.ts';
import { BareClient } from './wire-bare.ts';

const ROUNDS = 15;
const CALLS = 1280;
const RECORDS = 1000;
// Of the standard entity and its envelope, and what the protocol puts around both.
const RECORD_BYTES = 650;
const QUESTION_BYTES = 60;

const Standard = defineEntity('standard', standardSchema, { id: 'sku' });

async function inFlight(width: number, call: (n: number) => Promise<unknown>): Promise<number> {
  return timed(CALLS, async () => {
    for (let n = 0; n < CALLS; n += width) {
      await Promise.all(Array.from({ length: width }, (_, i) => call(n + i)));
    }
  });
}

/** The repository over loopback, beside unary calls of the same bytes that do nothing. */
export async function wireBench(): Promise<BenchRow[]> {
  const servers = fork(new URL('./wire-servers.mjs', import.meta.url));
  try {
    const [ports] = (await once(servers, 'message')) as [{ ours: number; bare: number }];
    const bare = new BareClient(ports.bare);
    await using unary = await open(norikv({ nodes: [`127.0.0.1:${ports.ours}`], batching: false }));
    await using stream = await open(norikv({ nodes: [`127.0.0.1:${ports.ours}`] }));
    await unary.repo(Standard).createMany(Array.from({ length: RECORDS }, (_, n) => standardEntity(n)));
    const rows: BenchRow[] = [];
    let stock = 0;
    for (const [name, db, width, target] of [
      ['plain calls', unary, 1, 0.8],
      ['plain calls', unary, 64, 0.8],
      ['one stream', stream, 1, 0.8],
      ['one stream', stream, 64, 3],
    ] as const) {
      const repo = db.repo(Standard);
      const get = await compare(
        ROUNDS,
        () => inFlight(width, (n) => repo.get(`NORI-${n % RECORDS}`)),
        () => inFlight(width, () => bare.call(QUESTION_BYTES, RECORD_BYTES)),
      );
      const put = await compare(
        ROUNDS,
        // Never what is there: an unchanged record is not written.
        () => inFlight(width, (n) => repo.put({ ...standardEntity(n % RECORDS), stock: stock++ })),
        () => inFlight(width, () => bare.call(RECORD_BYTES, QUESTION_BYTES)),
      );
      rows.push({ name: `wire: get, ${name}, ${width}`, ...get, target, unit: 'ns' });
      rows.push({ name: `wire: put, ${name}, ${width}`, ...put, target, unit: 'ns' });
    }
    bare.close();
    return rows;
  } finally {
    servers.kill();
  }
}
