import { abortedError, orAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Answer, Moment } from './answer.ts';
import { type Call, jittered } from './call.ts';
import type { NewValue } from './entries.ts';
import { loaderFailed, loaderTimeout } from './errors.ts';
import type { Ticket } from './l1/tickets.ts';
import { EntryLease } from './load-lease.ts';
import { Absent, loadContext, type Wishes } from './loader.ts';
import type { Entry, Lookup } from './lookup.ts';
import { admit, type CacheParts, type Known } from './parts.ts';
import { ROOT, type StoredRecord } from './records.ts';
import { untouchedSince } from './tags.ts';
import { type Servable, servable } from './value-codec.ts';

/** What one load works for. */
export interface LoadTask<T> {
  readonly call: Call<T>;
  /** What the store said before; `undefined`: it did not answer. */
  readonly note: Lookup | undefined;
  readonly noted: Moment;
  /** What is served meanwhile. */
  readonly stale: Servable<T | undefined> | undefined;
  readonly ticket: Ticket | undefined;
  /** Calls the load off. */
  readonly stop: AbortController;
  /** Whether somebody waits who asked after the note was taken, and whom nothing less than another look can satisfy. */
  readonly needsProof: () => boolean;
  readonly moment: () => Moment;
  /** Serves what another process has stored. */
  readonly serve: (entry: Entry, verified: Moment) => Answer<T> | undefined;
}

interface Loaded<T> {
  readonly text: string | undefined;
  readonly servable: Servable<T | undefined>;
  /** The loader had nothing, and nothing to remember either. */
  readonly isNothing: boolean;
  readonly value: NewValue;
  readonly late: readonly string[];
}

/** Made once: a reason of its own for each would be the dearest part of a load. */
const DONE = 'the loader is done';

/** Runs a loader and stores what it gives, unless that was invalidated meanwhile. */
export class Load<T> {
  readonly #parts: CacheParts;
  readonly #task: LoadTask<T>;

  constructor(parts: CacheParts, task: LoadTask<T>) {
    this.#parts = parts;
    this.#task = task;
  }

  /** Errors: `cache.loaderFailed`, `cache.loaderTimeout`, `validation.failed`, `aborted`. */
  async run(): Promise<Answer<T>> {
    const { note, noted } = this.#task;
    if (note === undefined) {
      const loaded = await this.#load(undefined);
      this.#remember(loaded);
      return { servable: loaded.servable, verified: noted, isOutdated: false, isUnverifiable: true };
    }
    const turn = await this.#turn(note);
    if (turn.kind === 'loaded') return turn.answer;
    let isStored = false;
    try {
      const loaded = await this.#load(turn.note);
      const filled = await this.#fill(loaded, turn.note, turn.lease);
      isStored = filled === 'stored';
      if (filled === 'failed') {
        this.#remember(loaded);
        return { servable: loaded.servable, verified: noted, isOutdated: false, isUnverifiable: true };
      }
      if (filled === 'refused') {
        return { servable: loaded.servable, verified: noted, isOutdated: true, isUnverifiable: false };
      }
      return await this.#proven(loaded, turn.note);
    } finally {
      await turn.lease?.end(isStored);
    }
  }

  /** Waits until no other process loads the key, unless there is something to serve meanwhile. */
  async #turn(
    note: Lookup,
  ): Promise<
    | { readonly kind: 'mine'; readonly note: Lookup; readonly lease: EntryLease | undefined }
    | { readonly kind: 'loaded'; readonly answer: Answer<T> }
  > {
    const { settings, environment, records, lookups, counts } = this.#parts;
    const { call, stop, moment, serve } = this.#task;
    const { signal } = stop;
    const alone = { kind: 'mine', note, lease: undefined } as const;
    // What is loaded while a write is under way is not stored: nobody else could use it.
    if (!settings.isStoreWide || note.isHeld) return alone;
    let verified = moment();
    try {
      const lease = new EntryLease(settings, call.key, note, records, environment);
      const turn = await lease.turn({
        look: () => {
          verified = moment();
          return lookups.look(call.key, call.tags, 'strong');
        },
        isLoaded: ({ entry }) => entry !== undefined && entry.expiresAt > environment.clock.now(),
        signal,
      });
      if (turn.kind === 'mine') return turn;
      const entry = turn.kind === 'loaded' ? turn.lookup.entry : undefined;
      const answer = entry && serve(entry, verified);
      return answer === undefined ? alone : { kind: 'loaded', answer };
    } catch (error) {
      if (signal.aborted) throw abortedError(signal);
      if (!(error instanceof NorimakiError)) throw error;
      counts.failures += 1;
      return alone;
    }
  }

  async #load(note: Lookup | undefined): Promise<Loaded<T>> {
    const { settings, environment } = this.#parts;
    const { call } = this.#task;
    const { clock, random } = environment;
    const wishes: Wishes = { ttl: call.ttl, stale: call.stale, tags: new Set(call.tags) };
    const began = clock.mono();
    const result = await this.#runLoader(wishes);
    const cost = clock.mono() - began;
    const isNothing = result === undefined;
    const isAbsent = isNothing || result instanceof Absent;
    const ttl = isNothing ? 0 : result instanceof Absent ? (result.ttl ?? wishes.ttl) : wishes.ttl;
    const text = isAbsent ? undefined : call.codec.encode(result);
    const expiresAt = clock.now() + jittered(ttl, settings.jitter, random);
    const staleUntil = expiresAt + (isAbsent ? 0 : wishes.stale);
    const tags = new Map([...wishes.tags, ROOT].map((tag) => [tag, note?.tags.get(tag) ?? '']));
    return {
      text,
      servable: servable(call.codec, text),
      isNothing,
      value: { text, expiresAt, staleUntil, cost, tags },
      late: [...wishes.tags].filter((tag) => note !== undefined && !note.tags.has(tag)),
    };
  }

  async #runLoader(wishes: Wishes): Promise<T | Absent | undefined> {
    const { settings, counts } = this.#parts;
    const { call, stale, stop } = this.#task;
    const { signal } = stop;
    counts.loads += 1;
    try {
      // There is one: only who has a loader loads.
      const result = call.loader?.(loadContext(call.key, signal, stale?.take(), wishes));
      return isThenable(result) ? await this.#inTime(Promise.resolve(result)) : result;
    } catch (error) {
      const isLate = NorimakiError.is(signal.reason, 'cache.loaderTimeout');
      if (signal.aborted && !isLate) throw abortedError(signal);
      counts.loadFailures += 1;
      throw isLate ? signal.reason : loaderFailed(settings.name, error);
    }
  }

  /** Waits for a loader as long as it may take, and anybody waits. */
  async #inTime<R>(work: Promise<R>): Promise<R> {
    const { settings, environment } = this.#parts;
    const { name, hard } = settings;
    const { stop } = this.#task;
    const done = new AbortController();
    environment.clock.sleep(hard, { signal: done.signal, background: true }).then(
      () => stop.abort(loaderTimeout(name, hard)),
      () => {},
    );
    try {
      return await orAborted(work, stop.signal);
    } finally {
      done.abort(DONE);
    }
  }

  /** Stores it, if nothing of it was invalidated since the note was taken. */
  async #fill(
    { value, isNothing, late }: Loaded<T>,
    note: Lookup,
    lease: EntryLease | undefined,
  ): Promise<'stored' | 'skipped' | 'refused' | 'failed'> {
    const { entries, counts } = this.#parts;
    const { call } = this.#task;
    if (isNothing && note.entry === undefined) return 'skipped';
    try {
      const tags = late.length === 0 ? value.tags : await this.#withLateTags(value, late, note);
      const isStored =
        tags !== undefined &&
        !note.isHeld &&
        (await entries.fill(call.key, note.gen, { ...value, tags }, lease?.candidate.holder));
      if (!isStored) counts.refusedFills += 1;
      return isStored ? 'stored' : 'refused';
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
      if (NorimakiError.is(error, 'size.exceeded')) {
        counts.tooLarge += 1;
        return 'skipped';
      }
      counts.failures += 1;
      return 'failed';
    }
  }

  /** With the tags that only the loader knew; `undefined` if one of them may have been invalidated since the note was taken. */
  async #withLateTags(value: NewValue, late: readonly string[], note: Lookup): Promise<NewValue['tags'] | undefined> {
    const { lookups } = this.#parts;
    const generations = await lookups.tags(late);
    // Only now: whoever invalidates a tag writes here first.
    const root: StoredRecord | undefined = await lookups.root();
    if (!untouchedSince(root, note.bumps, late)) return undefined;
    return new Map([...value.tags, ...late.map((tag, i) => [tag, generations[i] ?? ''] as const)]);
  }

  /** The answer for all who wait; looks once more if some of them asked after the note was taken. */
  async #proven(loaded: Loaded<T>, note: Lookup): Promise<Answer<T>> {
    const { lookups, counts } = this.#parts;
    const { call, noted, needsProof, moment, serve } = this.#task;
    const unproven = { servable: loaded.servable, verified: noted, isOutdated: false, isUnverifiable: false };
    if (!needsProof()) {
      this.#remember(loaded);
      return unproven;
    }
    const verified = moment();
    try {
      const now = await lookups.look(call.key, [...loaded.value.tags.keys()], 'strong');
      if (now.entry !== undefined && !loaded.isNothing && loaded.text === now.entry.text) {
        return serve(now.entry, verified) ?? unproven;
      }
      const isSame = now.gen === note.gen && [...loaded.value.tags].every(([tag, gen]) => now.tags.get(tag) === gen);
      return isSame ? { ...unproven, verified } : { ...unproven, isOutdated: true };
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
      counts.failures += 1;
      return { ...unproven, isUnverifiable: true };
    }
  }

  #remember({ servable, value, isNothing }: Loaded<T>): void {
    const { call, ticket, noted } = this.#task;
    if (isNothing) {
      this.#parts.local?.forget(call.key);
      return;
    }
    const { expiresAt, staleUntil, cost } = value;
    const tags = [...value.tags.keys()].filter((tag) => tag !== ROOT);
    const known: Known<T> = { servable, expiresAt, staleUntil, cost, tags, version: undefined };
    admit(this.#parts, call.key, ticket, known, noted.mono);
  }
}

/** Some libraries' queries are no promises, and begin when somebody waits for them. */
function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
