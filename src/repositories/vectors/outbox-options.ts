import { type Duration, milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';

/** How a process works through the outboxes of deferred embeddings. */
export interface OutboxOptions {
  /** How often to look for what other processes have left behind; default `'30s'`. */
  readonly every?: Duration | undefined;
  /** Failed tries of one text before it is a dead letter; a text that the embedder rejects has only one. Default 8. */
  readonly attempts?: number | undefined;
}

/** {@link OutboxOptions} with every value decided. */
export interface OutboxPolicy {
  /** In milliseconds; `undefined`: no worker in this process. */
  readonly every: number | undefined;
  readonly attempts: number;
}

/** Errors: `argument.invalid`. */
export function outboxPolicy(options: OutboxOptions | false = {}): OutboxPolicy {
  const { every = '30s', attempts = 8 } = options === false ? {} : options;
  const ms = milliseconds(every, 'outbox.every');
  if (ms < 1) throw invalid('outbox.every', 'at least a millisecond');
  if (!Number.isSafeInteger(attempts) || attempts < 1) throw invalid('outbox.attempts', 'a whole number from 1');
  return { every: options === false ? undefined : ms, attempts };
}

function invalid(argument: string, what: string): NorimakiError<'argument.invalid'> {
  return new NorimakiError('argument.invalid', `${argument} is ${what}.`, { argument });
}
