import session, { type Cookie, type SessionData } from 'express-session';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { ShapeOf } from '../../core/model/types.ts';
import { checkName } from '../../patterns/shared/options.ts';
import { requireStore } from '../../patterns/shared/require-store.ts';
import type { Database, ScanRepository } from '../../repositories/index.ts';
import { type Json, merged } from './merge.ts';
import { ExpressSession, type ExpressSessionRecord, type ExpressSessionRepository, hashOf } from './records.ts';

/** Options of {@link NorimakiStore}. */
export interface NorimakiStoreOptions {
  /** Part of every key; default `'express'`. */
  readonly name?: string | undefined;
  /** How long a session lives whose cookie ends with the browser; default `'1d'`. */
  readonly ttl?: Duration | undefined;
  /** Use that moves the end by less is not written; the session may then end so much earlier. Default 0: all is. */
  readonly touchEvery?: Duration | undefined;
  /** Accepts a store without atomic compare-and-swap; changes that race can then be lost, and a logout undone. */
  readonly unsafe?: boolean | undefined;
}

type Done = (error?: unknown) => void;
type Answer<T> = (error: unknown, value?: T) => void;

/**
 * The store of `express-session` on a norimaki database, for an application that stays with it. Requests that change different
 * fields of a session at the same time lose nothing, and a session that was destroyed stays so.
 *
 * @example
 * ```ts
 * app.use(session({ store: new NorimakiStore(db), secret, resave: false, saveUninitialized: false }));
 * ```
 */
export class NorimakiStore extends session.Store {
  readonly #name: string;
  readonly #ttl: number;
  readonly #touchEvery: number;
  readonly #db: Database;
  readonly #records: ExpressSessionRepository;
  /** What each session was when its request loaded or saved it last. */
  readonly #seen = new WeakMap<object, Json>();

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database, options: NorimakiStoreOptions = {}) {
    super();
    requireStore('NorimakiStore', db, options, {
      cas: 'a request that races a logout can undo it',
      ifAbsent: 'of two first writes one can be lost',
    });
    this.#name = checkName('NorimakiStore', options.name ?? 'express');
    this.#ttl = milliseconds(options.ttl ?? '1d', 'ttl');
    this.#touchEvery = milliseconds(options.touchEvery ?? 0, 'touchEvery');
    this.#db = db;
    this.#records = db.repo(ExpressSession);
  }

  get(sid: string, callback: Answer<SessionData | null>): void {
    answer(
      this.#records.get(this.#id(sid)).then((record) => (record === undefined ? null : dataOf(record))),
      callback,
    );
  }

  /** A session that express-session has loaded is changed by what the request has changed of it; any other is stored whole. */
  set(sid: string, data: SessionData, callback?: Done): void {
    answer(this.#save(sid, data), callback);
  }

  /** Moves the end of the session, and changes nothing else. */
  override touch(sid: string, { cookie }: SessionData, callback?: Done): void {
    const { text, expiresAt } = this.#cookie(cookie);
    const move = (draft: Omit<ExpressSessionRecord, 'name' | 'hash'>): void => {
      const isSmall = Math.abs(expiresAt.getTime() - draft.expiresAt.getTime()) < this.#touchEvery;
      if (draft.destroyedAt === undefined && !isSmall) Object.assign(draft, { cookie: text, expiresAt });
    };
    answer(ifThere(this.#records.mutate(this.#id(sid), move)), callback);
  }

  destroy(sid: string, callback?: Done): void {
    answer(this.#destroy(this.#id(sid)), callback);
  }

  /** Every session, without their ids: the store does not know them. Errors: `capability.missing`. */
  override all(callback: Answer<SessionData[]>): void {
    const collect = async (): Promise<SessionData[]> => {
      const all: SessionData[] = [];
      for await (const record of this.#scan()) {
        const data = dataOf(record);
        if (data !== null) all.push(data);
      }
      return all;
    };
    answer(collect(), callback);
  }

  /** Errors: `capability.missing`. */
  override length(callback: Answer<number>): void {
    const count = async (): Promise<number> => {
      let length = 0;
      for await (const { destroyedAt } of this.#scan()) if (destroyedAt === undefined) length++;
      return length;
    };
    answer(count(), callback);
  }

  /** Destroys every session. Errors: `capability.missing`. */
  override clear(callback?: Done): void {
    const clear = async (): Promise<void> => {
      for await (const { name, hash } of this.#scan()) await this.#destroy({ name, hash });
    };
    answer(clear(), callback);
  }

  /** Called by express-session for what `get` has loaded. */
  override createSession(
    ...[request, data]: Parameters<session.Store['createSession']>
  ): ReturnType<session.Store['createSession']> {
    const { cookie: _, ...seen } = asJson(data);
    const created = super.createSession(request, data);
    this.#seen.set(created, seen);
    return created;
  }

  #id(sid: string): { readonly name: string; readonly hash: string } {
    return { name: this.#name, hash: hashOf(sid) };
  }

  async #save(sid: string, given: SessionData): Promise<void> {
    const { cookie: _, ...data } = asJson(given);
    const { text: cookie, expiresAt } = this.#cookie(given.cookie);
    const seen = this.#seen.get(given);
    const change = (draft: Omit<ExpressSessionRecord, 'name' | 'hash'>): void => {
      // Logged out by another request.
      if (draft.destroyedAt !== undefined) return;
      const whole = seen === undefined ? data : merged(seen, data, JSON.parse(draft.data) as Json);
      Object.assign(draft, { data: JSON.stringify(whole), cookie, expiresAt });
    };
    const first = { data: JSON.stringify(data), cookie, expiresAt };
    const options = seen === undefined ? { ifAbsent: first } : {};
    await ifThere(this.#records.mutate(this.#id(sid), change, options));
    this.#seen.set(given, data);
  }

  async #destroy(id: { readonly name: string; readonly hash: string }): Promise<void> {
    const bury = (draft: Omit<ExpressSessionRecord, 'name' | 'hash'>): void => {
      draft.destroyedAt ??= new Date(this.#db.environment.clock.now());
      draft.data = '{}';
    };
    await ifThere(this.#records.mutate(id, bury));
  }

  #cookie(cookie: Cookie): { readonly text: string; readonly expiresAt: Date } {
    const text = JSON.stringify(cookie);
    const { expires } = JSON.parse(text) as { expires?: string | null };
    const end = expires ? Date.parse(expires) : this.#db.environment.clock.now() + this.#ttl;
    return { text, expiresAt: new Date(end) };
  }

  async *#scan(): AsyncGenerator<ExpressSessionRecord, void, undefined> {
    // On a store that does not scan this fails as it should.
    const records = this.#records as unknown as ScanRepository<ShapeOf<typeof ExpressSession>>;
    for await (const record of records.scan()) if (record.name === this.#name) yield record;
  }
}

function dataOf({ data, cookie, destroyedAt }: ExpressSessionRecord): SessionData | null {
  if (destroyedAt !== undefined) return null;
  // Both are what `set` was given.
  return { ...JSON.parse(data), cookie: JSON.parse(cookie) } as SessionData;
}

function asJson(data: SessionData): Record<string, unknown> {
  return JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
}

/** A session that has ended is neither changed nor brought back, and that is no mistake of the request. */
async function ifThere(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!NorimakiError.is(error, 'not.found')) throw error;
  }
}

/** What a callback throws is not to be taken for a failure of the store. */
function answer<T>(work: Promise<T>, callback: Answer<T> | undefined): void {
  work.then(
    (value) => process.nextTick(() => callback?.(null, value)),
    (error: unknown) => process.nextTick(() => callback?.(error)),
  );
}
