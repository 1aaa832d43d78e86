import { do_not_optimize, measure } from 'mitata';
import superjson from 'superjson';
import { compileCodec, type Envelope, sealRecord } from '../src/core/codec/index.ts';
import { compare } from './compare.ts';
import type { BenchRow } from './row.ts';
import { standardEntity, standardFields, standardSchema } from './standard-entity.ts';

const ROUNDS = 61;
const ROUND_NS = 5_000_000;

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
  const plain = texts.map((text) => new TextEncoder().encode(text));
  const describe = (): string => 'Product';
  const encode = await compare(
    ROUNDS,
    over(entities, (entity) => sealRecord(codec.encodeBody(entity), envelope)),
    over(entities, (entity) => superjson.stringify(standardSchema.parse(entity))),
  );
  const decode = await compare(
    ROUNDS,
    over(records, (bytes) => codec.decode(codec.open(bytes, describe), describe)),
    over(plain, (bytes) => standardSchema.parse(superjson.parse(Buffer.from(bytes.buffer).toString()))),
  );
  return [
    { name: 'codec: encode and seal', ...encode, target: 2.5, unit: 'ns' },
    { name: 'codec: open and decode', ...decode, target: 1.3, unit: 'ns' },
  ];
}

/** The median time of work on one input after the other, so that none is the only one ever seen. */
function over<T>(inputs: readonly T[], work: (input: T) => unknown): () => Promise<number> {
  let turn = 0;
  const next = (): void => {
    turn = (turn + 1) % inputs.length;
    const input = inputs[turn];
    if (input !== undefined) do_not_optimize(work(input));
  };
  return async () => (await measure(next, { min_cpu_time: ROUND_NS })).p50;
}
