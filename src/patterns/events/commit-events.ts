import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { randomId } from '../../core/random-id.ts';
import { keyHash } from '../shared/key-ring.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { Appends } from './appends.ts';
import type { Appended } from './decide-commits.ts';
import type { Expected } from './errors.ts';
import type { NewEvent } from './recorded-event.ts';
import { closePersonal, contentHash, encodeEvents } from './seal-events.ts';
import { codecOf, type EventStoreSettings } from './settings.ts';
import type { StreamId } from './stream-id.ts';
import type { SubjectKeys } from './subject-keys.ts';

/** What tells a commit from others when it is asked for again. */
export interface Keyed {
  readonly hash: string;
  /** Of what it holds. */
  readonly content: string;
}

export function keyed(idempotencyKey: string, content: string): Keyed {
  return { hash: keyHash(idempotencyKey), content: contentHash(idempotencyKey, content) };
}

/** From events as callers give them to commits: checked, encoded, personal fields encrypted. */
export class CommitEvents {
  readonly #settings: EventStoreSettings;
  readonly #keys: SubjectKeys;
  readonly #appends: Appends;
  readonly #environment: Environment;

  constructor(settings: EventStoreSettings, keys: SubjectKeys, appends: Appends, environment: Environment) {
    this.#settings = settings;
    this.#keys = keys;
    this.#appends = appends;
    this.#environment = environment;
  }

  /** Appends events together; `keyOf` makes the key of the commit of its content. */
  async append(
    stream: StreamId,
    events: readonly NewEvent[],
    expected: Expected,
    options: BlockCallOptions,
    keyOf: (content: string) => Keyed | undefined,
  ): Promise<Appended> {
    const codec = codecOf(this.#settings, stream);
    const encoded = encodeEvents(stream, events, codec, this.#environment);
    const closed = await closePersonal(this.#settings.name, encoded, codec, this.#keys, this.#environment, options);
    const key = keyOf(encoded.content);
    const commit = {
      ...this.#commit(closed.length),
      ...(key === undefined ? {} : { key: key.hash, content: key.content }),
    };
    return this.#appends.append(stream, { commit, events: closed, expected, closes: false }, options);
  }

  /** Ends a stream. */
  async close(stream: StreamId, expected: Expected, options: BlockCallOptions): Promise<void> {
    await this.#appends.append(stream, { commit: this.#commit(0), events: [], expected, closes: true }, options);
  }

  #commit(events: number): { readonly id: string; readonly events: number } {
    return { id: randomId(this.#environment.random, 12), events };
  }
}

/** For programs without types. */
export function checkExpected(expected: unknown): void {
  if (typeof expected === 'bigint' ? expected >= 0n : ['new', 'exists', 'any'].includes(expected as string)) return;
  throw new NorimakiError('argument.invalid', "expected is a version such as 12n, 'new', 'exists' or 'any'.", {
    argument: 'expected',
  });
}
