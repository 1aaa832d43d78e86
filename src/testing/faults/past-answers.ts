import { isDeepStrictEqual } from 'node:util';

const REMEMBERED = 16;

/** What a client was answered to each question, so that a stale read has something true to answer. */
export class PastAnswers<T> {
  readonly #answers = new Map<string, T[]>();

  see(question: string, answer: T): void {
    const answers = this.#answers.get(question) ?? [];
    this.#answers.set(question, answers);
    if (answers.length > 0 && isDeepStrictEqual(answers.at(-1), answer)) return;
    answers.push(structuredClone(answer));
    if (answers.length > REMEMBERED) answers.shift();
  }

  has(question: string): boolean {
    return this.#answers.has(question);
  }

  /** Every answer before the last. */
  before(question: string): T[] {
    return structuredClone(this.#answers.get(question)?.slice(0, -1) ?? []);
  }
}
