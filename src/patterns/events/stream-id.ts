import { NorimakiError } from '../../core/errors.ts';

/** The name of a stream: what kind of thing it tells of, and which. */
export interface StreamId {
  readonly category: string;
  readonly id: string;
}

const MAX_BYTES = 256;

/** Names a stream. Errors: `argument.invalid`. */
export function stream(category: string, id: string): StreamId {
  return checkStream({ category, id });
}

/** Errors: `argument.invalid`. */
export function checkStream<S extends StreamId>(stream: S): S {
  checkPart('category', stream?.category);
  checkPart('id', stream?.id);
  return stream;
}

function checkPart(part: 'category' | 'id', value: unknown): void {
  const isFit =
    typeof value === 'string' && value !== '' && value.isWellFormed() && Buffer.byteLength(value) <= MAX_BYTES;
  if (isFit) return;
  throw new NorimakiError(
    'argument.invalid',
    `The ${part} of a stream is a string of well-formed Unicode, not empty, of at most ${MAX_BYTES} bytes.`,
    { argument: part },
  );
}

/** The stream in messages: `account "NL-1"`. */
export function describeStream({ category, id }: StreamId): string {
  return `${category} ${JSON.stringify(id)}`;
}

/** Tells one stream from another. */
export function streamName({ category, id }: StreamId): string {
  return JSON.stringify([category, id]);
}
