import type { Embedded } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { rejected } from '../answers.ts';

/** What a provider made of a batch of texts. */
export type Outcome =
  | { readonly kind: 'answered'; readonly answers: readonly Embedded[] }
  /** It asks for patience, and will go on. That is no failure. */
  | { readonly kind: 'busy'; readonly error: NorimakiError<'embedder.unavailable'> }
  /** It failed, or was not reached. */
  | { readonly kind: 'down'; readonly error: NorimakiError<'embedder.unavailable'> }
  /** It does not take something in this batch. */
  | { readonly kind: 'refused'; readonly error: NorimakiError<'embedder.rejected'> }
  /** It will take no batch. */
  | { readonly kind: 'denied'; readonly error: NorimakiError<'embedder.rejected'> };

/** One call: a batch, and a signal to give up. Rejects only with what nobody foresaw. */
export type Send = (texts: readonly string[], signal: AbortSignal) => Promise<Outcome>;

/** `what` ends the sentence "The embedder x …", without a full stop. */
export function down(id: string, what: string, retryAfter?: number): Outcome {
  const error = new NorimakiError('embedder.unavailable', `The embedder ${id} ${what}. Try again later.`, {
    embedder: id,
    retryAfter,
  });
  return { kind: 'down', error };
}

export function denied(id: string, what: string): Outcome {
  return { kind: 'denied', error: rejected(id, `The embedder ${id} ${what}`) };
}

export interface Refusal {
  readonly status: number;
  /** In milliseconds. */
  readonly retryAfter?: number | undefined;
  /** A word of the provider's for what is wrong. Shown, so never a value or a secret. */
  readonly reason?: string | undefined;
}

/** What an HTTP status that is not success means. */
export function refusal(id: string, { status, retryAfter, reason }: Refusal): Outcome {
  const said = `${status}${reason === undefined ? '' : `, ${reason}`}`;
  if (status === 429 || status === 503) {
    const message = `The embedder ${id} is busy (${said}) and did not come to this call in time. Try again later.`;
    const error = new NorimakiError('embedder.unavailable', message, { embedder: id, retryAfter });
    return { kind: 'busy', error };
  }
  if (status === 408 || status === 425 || status >= 500) return down(id, `failed (${said})`, retryAfter);
  if (status === 400 || status === 413 || status === 422) {
    const message = `The embedder ${id} does not take this text (${said}). Is it too long for the model?`;
    return { kind: 'refused', error: rejected(id, message) };
  }
  if (status === 401 || status === 403) return denied(id, `refuses the credentials (${said}). Check the API key.`);
  return denied(id, `does not take calls (${said}). Check its url and its model.`);
}
