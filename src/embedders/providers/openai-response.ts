import type { Embedded } from '../../core/embedder.ts';

/** Vectors in the order of the texts, from the body of an answer; `undefined` if it is not one for each text. */
export function readEmbeddings(body: unknown, count: number): readonly Embedded[] | undefined {
  const data = field(body, 'data');
  if (!Array.isArray(data) || data.length !== count) return undefined;
  const answers: (Embedded | undefined)[] = new Array(count).fill(undefined);
  for (const [position, item] of data.entries()) {
    // Answers may come in any order; a server that says nothing keeps the order of the texts.
    const index: unknown = field(item, 'index') ?? position;
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) return undefined;
    if (answers[index] !== undefined) return undefined;
    answers[index] = readVector(field(item, 'embedding'));
  }
  return answers.every((answer) => answer !== undefined) ? answers : undefined;
}

/** A list of numbers, or 32-bit floats in base64, the lowest byte first. Checked for sense by whoever gets it. */
function readVector(value: unknown): Embedded | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length % 4 !== 0) return undefined;
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

/** Lower-case words only: what a provider says beside may hold a text, or a part of the key. */
const REASON = /^[a-z]+(?:_[a-z]+){0,7}$/;

/** The provider's own word for what is wrong, such as `model_not_found`, if it may be shown. */
export function readReason(body: unknown, secrets: readonly string[]): string | undefined {
  const error = field(body, 'error');
  const words = [field(error, 'code'), field(error, 'type')];
  return words.find(
    (word): word is string =>
      typeof word === 'string' &&
      word.length <= 64 &&
      REASON.test(word) &&
      !secrets.some((secret) => secret.includes(word) || word.includes(secret)),
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
