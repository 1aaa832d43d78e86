import { shinglesOf, wordsOf } from '../../../src/patterns/dedup/text/words.ts';
import { jaccard } from '../../../src/patterns/shared/jaccard.ts';

/** What is similar, computed from texts alone. */
export function similarity(one: string, other: string): number {
  return jaccard(new Set(shinglesOf(wordsOf(one), 3)), new Set(shinglesOf(wordsOf(other), 3)));
}

/** Which texts are one, through any number of others: of each the first in the list. */
export function components(texts: readonly string[], threshold: number): Map<string, string> {
  const first = new Map<string, string>();
  for (const text of texts) {
    if (first.has(text)) continue;
    const waiting = [text];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (first.has(next)) continue;
      first.set(next, text);
      const from = next;
      waiting.push(...texts.filter((other) => !first.has(other) && similarity(from, other) >= threshold));
    }
  }
  return first;
}

interface Step {
  readonly kind: 'submit' | 'remove';
  readonly begun: number;
  ended: number | undefined;
}

/** What was done to each document, and when it was begun and answered. */
export class DocumentHistory {
  #ticks = 0;
  readonly #steps = new Map<string, Step[]>();

  async run<T>(kind: Step['kind'], id: string, call: () => Promise<T>): Promise<{ begun: number; result: T }> {
    const step: Step = { kind, begun: this.#ticks++, ended: undefined };
    const steps = this.#steps.get(id) ?? [];
    this.#steps.set(id, [...steps, step]);
    const result = await call();
    step.ended = this.#ticks++;
    return { begun: step.begun, result };
  }

  now(): number {
    return this.#ticks++;
  }

  /** Whether a document cannot have been there at any instant since. */
  wasGone(id: string, since: number): boolean {
    const steps = this.#steps.get(id) ?? [];
    const lastRemoved = steps.findLast(({ kind, ended }) => kind === 'remove' && ended !== undefined && ended < since);
    if (lastRemoved === undefined) return !steps.some(({ kind }) => kind === 'submit');
    // A submission that failed may still be applied.
    return !steps.some(({ kind, ended }) => kind === 'submit' && (ended === undefined || ended > lastRemoved.begun));
  }
}
