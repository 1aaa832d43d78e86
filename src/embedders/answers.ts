import type { Embedded, Embedder } from '../core/embedder.ts';
import { NorimakiError } from '../core/errors.ts';

/** What became of one text, checked. */
export type Answer = Float32Array | NorimakiError;

/** An error that says the same call will not succeed. */
export function rejected(embedder: string, message: string): NorimakiError<'embedder.rejected'> {
  return new NorimakiError('embedder.rejected', message, { embedder });
}

/**
 * The answers of an embedder as vectors of its length that have a direction; an answer that is none becomes an error.
 * Nothing is said of the texts or the numbers: they may be secret. Errors: `embedder.rejected` for a wrong count,
 * because then nobody knows which answer is whose.
 */
export function checkAnswers(
  { id, dimensions }: Pick<Embedder, 'id' | 'dimensions'>,
  texts: readonly string[],
  answers: readonly Embedded[],
): Answer[] {
  // An embedder without types may answer anything.
  const count = Array.isArray(answers) ? answers.length : 0;
  if (count !== texts.length) {
    throw rejected(id, `The embedder ${id} gave ${count} answers to ${texts.length} texts. It must give one for each.`);
  }
  return answers.map((answer) => checkAnswer(id, dimensions, answer));
}

function checkAnswer(id: string, dimensions: number, answer: Embedded): Answer {
  if (answer instanceof NorimakiError) return answer;
  const isVector = answer instanceof Float32Array || (Array.isArray(answer) && answer.every(isNumber));
  if (!isVector) return rejected(id, `The embedder ${id} answered a text with something that is no vector.`);
  // Handed on as the caller's own. What overflows 32 bits becomes infinite here.
  const vector = Float32Array.from(answer);
  if (vector.length !== dimensions) {
    return rejected(
      id,
      `The embedder ${id} gave a vector of ${vector.length} dimensions; its \`dimensions\` say ${dimensions}. Correct them.`,
    );
  }
  if (!vector.every(Number.isFinite)) {
    return rejected(id, `The embedder ${id} gave a vector with NaN, an infinity or a number beyond 32 bits.`);
  }
  if (vector.every((number) => number === 0)) {
    return rejected(
      id,
      `The embedder ${id} gave a vector of zeros, which has no direction. Does the text say anything?`,
    );
  }
  return vector;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
