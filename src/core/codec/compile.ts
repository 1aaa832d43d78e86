import { parseBody } from './body.ts';
import { decodeFields } from './decode.ts';
import { encodeBody } from './encode.ts';
import { openRecord } from './envelope.ts';
import { plainReader } from './plain-fields.ts';
import { type CodecOptions, planOf } from './plan.ts';
import type { RecordCodec } from './record.ts';

/** Compiles the codec of one model. Fields whose values are JSON already, and dates, skip superjson's walk. */
export function compileCodec(options: CodecOptions): RecordCodec {
  const plan = planOf(options);
  const readPlain = plainReader(Object.fromEntries(options.fields.map(({ name, schema }) => [name, schema])));
  return {
    open: (bytes, describe) => openRecord(bytes, describe, options.entity, readPlain),
    parseBody: (body) => parseBody(body, readPlain),
    encodeBody: (values, unknown) => encodeBody(plan, values, unknown),
    decode: (record, describe) => decodeFields(plan, record, describe),
  };
}
