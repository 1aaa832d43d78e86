import { fork } from 'node:child_process';
import { once } from 'node:events';
import { defineEntity, open } from '../src/index.ts';
import { norikv } from '../src/stores/norikv/index.ts';
import { compare, timed } from './compare.ts';
import type { BenchRow } from './row.ts';
import { standardEntity, standardSchema } from './standard-entity.ts';
import { BareClient } from './wire-bare.ts';

const ROUNDS = 15;
const RECORDS = 1000;
/** Bytes of our messages with the standard entity, as the bare calls have them: what is asked and what is answered. */
const GET = [46, 477] as const;
const PUT = [548, 6] as const;

/** Resolves to the time of one of them. */
type Calls = () => Promise<number>;

const Standard = defineEntity('standard', standardSchema, { id: 'sku' });

async function inFlight(width: number, calls: number, call: (n: number) => Promise<unknown>): Promise<number> {
  return timed(calls, async () => {
    for (let n = 0; n < calls; n += width) {
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
    const measure = async (name: string, ours: Calls, theirs: Calls, target?: number): Promise<void> => {
      // For the compiler, which takes some 2,000 calls to get to all of ours; the bare call is compiled since the first row.
      await compare(ROUNDS, ours, theirs);
      const figures = await compare(ROUNDS, ours, theirs);
      rows.push({ name: `wire: ${name}`, ...figures, ...(target !== undefined && { target }), unit: 'ns' });
    };
    let stock = 0;
    // A round is of as many calls as take about a tenth of a second.
    for (const [width, calls] of [
      [1, 200],
      [64, 640],
    ] as const) {
      const put = (): Promise<number> =>
        inFlight(width, calls, (n) => bare.put(`NORI-${n % RECORDS}`, standardEntity(n % RECORDS)));
      const theirs = (): Promise<number> => inFlight(width, calls, () => bare.call(...PUT));
      await measure(`put without promises, ${width}`, put, theirs);
    }
    for (const [name, db, width, calls, target] of [
      ['plain calls', unary, 1, 200, 0.8],
      ['plain calls', unary, 64, 640, 0.8],
      ['one stream', stream, 1, 200, 0.8],
      ['one stream', stream, 64, 1920, 3],
    ] as const) {
      const repo = db.repo(Standard);
      const get = (): Promise<number> => inFlight(width, calls, (n) => repo.get(`NORI-${n % RECORDS}`));
      // Never what is there: an unchanged record is not written.
      const put = (): Promise<number> =>
        inFlight(width, calls, (n) => repo.put({ ...standardEntity(n % RECORDS), stock: stock++ }));
      for (const [verb, ours, [sent, received]] of [
        ['get', get, GET],
        ['put', put, PUT],
      ] as const) {
        const theirs = (): Promise<number> => inFlight(width, calls, () => bare.call(sent, received));
        await measure(`${verb}, ${name}, ${width}`, ours, theirs, target);
      }
    }
    bare.close();
    return rows;
  } finally {
    servers.kill();
  }
}
