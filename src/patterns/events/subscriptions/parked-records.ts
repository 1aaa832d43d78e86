import type { Environment } from '../../../core/clock.ts';
import { NorimakiError } from '../../../core/errors.ts';
import { streamKey } from '../feed/stream-key.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import type { StreamId } from '../stream-id.ts';
import type { ParkedRecord, SubscriptionRecords } from './records.ts';

/** Which parked events; without a filter all. */
export interface ParkedFilter {
  readonly stream?: StreamId | undefined;
  /** Of the event in its stream. */
  readonly version?: bigint | undefined;
}

const MAX_REASON = 500;
const PAGE = 100;

/** The records of the events that one subscription has set aside. */
export class ParkedRecords {
  readonly #repository: SubscriptionRecords['parked'];
  readonly #of: { readonly store: string; readonly subscription: string };
  readonly #environment: Environment;

  constructor(
    repository: SubscriptionRecords['parked'],
    of: { store: string; subscription: string },
    environment: Environment,
  ) {
    this.#repository = repository;
    this.#of = of;
    this.#environment = environment;
  }

  /** Sets an event aside; again, if it was parked already. `slot` is the one before its own. */
  async park(
    event: RecordedEvent,
    {
      key,
      slot,
      attempts,
      error,
      partition,
    }: { key: string; slot: number; attempts: number; error: unknown; partition: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { stream, version, type } = event;
    const reason = reasonOf(error);
    await this.#repository.mutate(
      { ...this.#of, key, version },
      (draft) => {
        draft.attempts = attempts;
        draft.reason = reason;
        draft.replay = false;
      },
      {
        ifAbsent: () => ({
          category: stream.category,
          stream: stream.id,
          type,
          slot,
          partition,
          attempts,
          reason,
          parkedAt: new Date(this.#environment.clock.now()),
          replay: false,
        }),
        signal,
      },
    );
  }

  async *find({ stream, version }: ParkedFilter, signal: AbortSignal | undefined): AsyncGenerator<ParkedRecord, void> {
    const key = stream && streamKey(stream);
    for await (const record of this.#found(this.#of, signal)) {
      if ((key === undefined || record.key === key) && (version === undefined || record.version === version))
        yield record;
    }
  }

  /** Those that are to be handled again. */
  toReplay(signal: AbortSignal): AsyncGenerator<ParkedRecord, void> {
    return this.#found({ ...this.#of, replay: true }, signal);
  }

  async *#found(
    where: { store: string; subscription: string; replay?: boolean },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ParkedRecord, void> {
    let cursor: string | undefined;
    do {
      const page = await this.#repository.find(where, { limit: PAGE, cursor, signal });
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** Marks it to be handled again. `false`: it is not parked any more. */
  async askFor({ key, version }: ParkedRecord, signal: AbortSignal | undefined): Promise<boolean> {
    const mark = (draft: { replay: boolean }): void => {
      draft.replay = true;
    };
    try {
      await this.#repository.mutate({ ...this.#of, key, version }, mark, { signal });
      return true;
    } catch (error) {
      if (NorimakiError.is(error, 'not.found')) return false;
      throw error;
    }
  }

  delete({ key, version }: ParkedRecord, signal: AbortSignal | undefined): Promise<boolean> {
    return this.#repository.delete({ ...this.#of, key, version }, { signal });
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // Cut in the middle of a pair it would be no Unicode.
  return text.slice(0, MAX_REASON).toWellFormed();
}
