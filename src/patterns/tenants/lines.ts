import { z } from 'zod';
import { NorimakiError } from '../../core/errors.ts';

// What an export is made of: one JSON object a line. Bytes are base64url.

const header = z.object({ norimaki: z.literal('tenant'), format: z.literal(1), tenant: z.string(), plan: z.string() });

const bytes = z.string().regex(/^[\w-]*$/);

const envelope = z.object({
  schema: z.number(),
  born: z.string(),
  seq: z.number(),
  ops: z.string(),
  derived: z.string().optional(),
  vectors: z.string().optional(),
  expiresAt: z.number().optional(),
  fence: z.string().regex(/^\d+$/).optional(),
  tombstone: z.literal(true).optional(),
});

/** A record: its fields as superjson writes them, and what rides beside them. `key` is its id. */
const record = z.object({
  entity: z.string().min(1),
  record: z.object({ json: z.unknown(), meta: z.unknown().optional() }),
  key: bytes,
  envelope,
});

/** What was derived from a record, or says which vectors are in use. */
const derived = z.object({
  entity: z.string().min(1),
  kind: z.enum(['u', 'i', 'c', 'o']),
  key: bytes,
  value: bytes,
});

const vectors = z.object({
  entity: z.string().min(1),
  embedding: z.string(),
  spec: z.object({
    embedder: z.string(),
    dimensions: z.number(),
    metric: z.enum(['cosine', 'euclidean', 'innerProduct']),
    index: z.enum(['hnsw', 'exact']),
    template: z.string(),
    chunk: z.object({ size: z.number(), overlap: z.number() }).optional(),
  }),
  vectors: z.array(z.tuple([z.string(), bytes])),
});

/** The last line, by which an export that was cut off is told from a whole one. */
const end = z.object({ end: z.literal(true), lines: z.number() });

const line = z.union([header, record, derived, vectors, end]);

export type Line = z.output<typeof line>;
export type RecordLine = z.output<typeof record>;
export type DerivedLine = z.output<typeof derived>;
export type VectorsLine = z.output<typeof vectors>;

/** Errors: `argument.invalid`, with the number of the line. */
export function readLine(text: string, number: number): Line {
  try {
    return line.parse(JSON.parse(text));
  } catch (error) {
    throw badLine(number, error);
  }
}

export function badLine(number: number, cause?: unknown): NorimakiError<'argument.invalid'> {
  const message = `Line ${number} is none of an export of a tenant; nothing was imported. Give what export() gave, line by line.`;
  return new NorimakiError('argument.invalid', message, { argument: 'lines' }, { cause });
}

export function text64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64url');
}

export function bytes64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
