import { pathToFileURL } from 'node:url';
import { do_not_optimize, measure } from 'mitata';
import superjson from 'superjson';
import { compileCodec, type Envelope, openRecord, sealRecord } from '../src/core/codec/index.ts';
import { type BenchRow, formatRows } from './row.ts';
import { standardEntity, standardFields, standardSchema } from './standard-entity.ts';

const ROUNDS = 7;
const ROUND_NS = 60_000_000;

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
    over(entities, (entity) => sealRecord(codec.encodeBody(entity), envelope)),
    over(entities, (entity) => superjson.stringify(standardSchema.parse(entity))),
  );
  const ourDecode = over(records, (bytes) => codec.decode(openRecord(bytes, describe, 'Product'), describe));
  const fromBytes = await compare(
    ourDecode,
    over(plain, (bytes) => standardSchema.parse(superjson.parse(Buffer.from(bytes.buffer).toString()))),
  );
  const fromText = await compare(
    ourDecode,
    over(texts, (text) => standardSchema.parse(superjson.parse(text))),
  );
  return [
    { name: 'codec: encode and seal', ...encode, target: 2.5, unit: 'ns' },
    { name: 'codec: open and decode', ...fromBytes, target: 1.3, unit: 'ns' },
    // Ours still starts from bytes, checks them for UTF-8 and reads an envelope that is not in theirs.
    { name: 'codec: their text given', ...fromText, target: 1, unit: 'ns' },
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

/** Short rounds that take turns, so that a busy machine slows down both alike. */
async function compare(ours: () => void, theirs: () => void): Promise<Pick<BenchRow, 'ours' | 'theirs' | 'ratio'>> {
  const rounds: { readonly ours: number; readonly theirs: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({ ours: await medianTime(ours), theirs: await medianTime(theirs) });
  }
  return {
    ours: median(rounds.map((round) => round.ours)),
    theirs: median(rounds.map((round) => round.theirs)),
    ratio: median(rounds.map((round) => round.theirs / round.ours)),
  };
}

async function medianTime(work: () => void): Promise<number> {
  const { p50 } = await measure(work, { min_cpu_time: ROUND_NS });
  return p50;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(formatRows(await codecBench()));
