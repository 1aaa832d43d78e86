import { z } from 'zod';
import { compileCodec } from '../../core/codec/index.ts';

/** Writes and reads values of any type that superjson carries. */
export interface AnyValue {
  /** Equal values give equal texts. Errors: `validation.failed`. */
  textOf(value: unknown): string;
  /** A value of its own, at each call; `what` names it in the error. Errors: `record.corrupt`. */
  valueOf(text: string, what: () => string): unknown;
}

/** It says nothing: that of the record around the value counts. */
const ENVELOPE = { schema: 1, born: '', seq: 0, ops: '' };

/** `entity` is whose values they are, for what `validation.failed` says. */
export function anyValue(entity: string): AnyValue {
  const codec = compileCodec({ entity, schema: 1, fields: [{ name: 'value', schema: z.unknown() }] });
  return {
    textOf: (value) => codec.encodeBody({ value }),
    valueOf: (text, what) =>
      codec.decode({ ...codec.parseBody(text), envelope: ENVELOPE, body: text }, what).values.value,
  };
}
