import { pathToFileURL } from 'node:url';
import { do_not_optimize, measure } from 'mitata';
import superjson from 'superjson';
import { compileCodec, type Envelope, openRecord, sealRecord } from '../src/core/codec/index.ts';
import { type BenchRow, formatRows } from './row.ts';
import { standardEntity, standardFields, standardSchema } from './standard-entity.ts';

const ROUNDS = 5;

const envelope: Envelope = {
  schema: 1,
  born: 'AAECAwQFBgcICQoL',
  seq: 12,
  ops: 'AAECAwQFBgcICQoL'.repeat(8),
  expiresAt: 1_800_000_000_000,
};

/** Writing and reading the standard entity, beside validating it with zod and writing it with superjson. */
export async function codecBench(): Promise<BenchRow[]> {
  const codec = compileCodec({ entity: 'Product', schema: 1, fields: standardFields });
  const entities = Array.from({ length: 64 }, (_, n) => standardEntity(n));
  const records = entities.map((entity) => sealRecord(codec.encodeBody(entity), envelope));
  const texts = entities.map((entity) => superjson.stringify(entity));
  const describe = (): string => 'Product';
  const encode = await compare(
    over(entities, (entity) => sealRecord(codec.encodeBody(entity), envelope)),
    over(entities, (entity) => superjson.stringify(standardSchema.parse(entity))),
  );
  const decode = await compare(
    over(records, (bytes) => codec.decode(openRecord(bytes, describe, 'Product'), describe)),
    over(texts, (text) => standardSchema.parse(superjson.parse(text))),
  );
  return [
    { name: 'codec: encode and seal', ...encode, target: 2.5, unit: 'ns' },
    { name: 'codec: open and decode', ...decode, target: 1.3, unit: 'ns' },
  ];
}

/** A function that works on one input after the other, so that none is the only one ever seen. */
function over<T>(inputs: readonly T[], work: (input: T) => unknown): () => void {
  let turn = 0;
  return () => {
    turn = (turn + 1) % inputs.length;
    const input = inputs[turn];
    if (input !== undefined) do_not_optimize(work(input));
  };
}

/** Medians over rounds that take turns, so that a busy machine slows down both. */
async function compare(ours: () => void, theirs: () => void): Promise<Pick<BenchRow, 'ours' | 'theirs' | 'ratio'>> {
  const medians = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    medians.ours.push((await measure(ours)).p50);
    medians.theirs.push((await measure(theirs)).p50);
  }
  const result = { ours: median(medians.ours), theirs: median(medians.theirs) };
  return { ...result, ratio: result.theirs / result.ours };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(formatRows(await codecBench()));
