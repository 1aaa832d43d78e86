import type { Random } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Folded } from './fold.ts';
import { type EventRecords, type SnapshotRecord, streamRecord } from './records.ts';
import type { StreamId } from './stream-id.ts';
import { closeText, keyOfAll, openText, type SubjectKeys } from './subject-keys.ts';
import { textOfValue, valueOfText } from './value-text.ts';

/**
 * States that were kept so that they need not be made again from the first event. All of them can be thrown away; what does
 * not fit is taken for none.
 */
export class Snapshots {
  readonly #store: string;
  readonly #snapshots: EventRecords['snapshots'];
  readonly #keys: SubjectKeys;
  readonly #random: Random;

  constructor(store: string, { snapshots }: EventRecords, keys: SubjectKeys, random: Random) {
    this.#store = store;
    this.#snapshots = snapshots;
    this.#keys = keys;
    this.#random = random;
  }

  /** The last one of this version of the aggregate, if it can be used for a state at `until`. */
  async find(
    stream: StreamId,
    schema: number,
    until: bigint | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Folded<unknown> | undefined> {
    const id = streamRecord(this.#store, stream);
    try {
      const found = await this.#snapshots.get(id, { signal });
      if (found === undefined || found.schema !== schema) return undefined;
      if (until !== undefined && found.version > until) return undefined;
      const { version, slot } = found;
      const subjects = new Set(found.subjects);
      if (subjects.size === 0) return { state: found.state, version, slot, subjects, fresh: 0 };
      const text = await this.#open(found, signal);
      if (text === undefined) return undefined;
      const state = valueOfText(text, () => 'A snapshot');
      return { state, version, slot, subjects, fresh: 0 };
    } catch (error) {
      if (!NorimakiError.is(error, 'record.corrupt')) throw error;
      // It would stand in the way of the next one.
      await this.#snapshots.delete(id, { signal });
      return undefined;
    }
  }

  /** Keeps a state, unless a later one is there already. Errors: those of a write. */
  async keep(stream: StreamId, schema: number, folded: Folded<unknown>): Promise<void> {
    const { version, slot } = folded;
    const subjects = [...folded.subjects].sort();
    const state = subjects.length === 0 ? folded.state : await this.#close(stream, version, subjects, folded.state);
    // Somebody was forgotten meanwhile: the state is of before.
    if (state === undefined && subjects.length > 0) return;
    const next = { schema, version, slot, state, subjects };
    await this.#snapshots.mutate(
      streamRecord(this.#store, stream),
      (draft) => {
        const isOlder = draft.schema < schema || (draft.schema === schema && draft.version < version);
        if (isOlder) Object.assign(draft, next);
      },
      { ifAbsent: next },
    );
  }

  async #close(
    stream: StreamId,
    version: number,
    subjects: readonly string[],
    state: unknown,
  ): Promise<string | undefined> {
    const key = await this.#keyOf(subjects, undefined);
    return key && closeText(key, this.#place(stream, version), textOfValue(state), this.#random);
  }

  async #open(
    { category, stream, version, subjects, state }: SnapshotRecord,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    const key = await this.#keyOf(subjects, signal);
    if (key === undefined || typeof state !== 'string') return undefined;
    return openText(key, this.#place({ category, id: stream }, version), state);
  }

  /** One that nobody has any more once one of the subjects was forgotten. */
  async #keyOf(subjects: readonly string[], signal: AbortSignal | undefined): Promise<Buffer | undefined> {
    const keys = await this.#keys.find(new Set(subjects), signal);
    const all = subjects.flatMap((subject) => keys.get(subject) ?? []);
    return all.length === subjects.length ? keyOfAll(all) : undefined;
  }

  #place({ category, id }: StreamId, version: number): unknown[] {
    return [this.#store, category, id, version];
  }
}
