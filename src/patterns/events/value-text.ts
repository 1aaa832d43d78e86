import { z } from 'zod';
import { compileCodec } from '../../core/codec/index.ts';

const codec = compileCodec({ entity: 'value', schema: 1, fields: [{ name: 'value', schema: z.unknown() }] });
const ENVELOPE = { schema: 1, born: '', seq: 0, ops: '' };

/** Anything that superjson carries, as text. Equal values give equal texts. Errors: `validation.failed`. */
export function textOfValue(value: unknown): string {
  return codec.encodeBody({ value });
}

/** `what` names it in the error. Errors: `record.corrupt`. */
export function valueOfText(text: string, what: () => string): unknown {
  return codec.decode({ ...codec.parseBody(text), envelope: ENVELOPE, body: text }, what).values.value;
}
