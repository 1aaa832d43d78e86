import type { Duration } from '../../core/duration.ts';
import type { EntitySource } from '../../core/model/types.ts';
import type { Database, Repository } from '../../repositories/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { changeSession, type Draft, ownFieldsOnly, touched } from './change.ts';
import type { SessionContext } from './context.ts';
import { createSession, type Input, type SessionCreateOptions } from './create.ts';
import { refused } from './errors.ts';
import { findOrThrow } from './find.ts';
import { flashed, takenFlashes } from './flash.ts';
import { listSessions } from './list.ts';
import { type RevokeAllOptions, revokeAllSessions, revokeSession, type SessionRef } from './revoke.ts';
import { type RotateSettings, rotateSession } from './rotate.ts';
import { bindClock, type Flash, isFresh, type SessionFields } from './session-record.ts';
import { type SessionsOptions, settingsOf } from './settings.ts';
import { Tokens } from './tokens.ts';
import type { SessionInput, SessionMutation, SessionOf, SessionShape, SessionSource } from './types.ts';
import { Users } from './users.ts';
import { type ValidateOptions, validateToken } from './validate.ts';

/** A session and the token that leads to it. The token is nowhere else: hand it to the user, and do not log it. */
export interface IssuedSession<Source extends SessionSource> {
  readonly token: string;
  readonly session: SessionOf<Source>;
}

export interface RotateOptions<Source extends SessionSource> extends RotateSettings {
  /** Changes the session in the same step, as `mutate` does. */
  readonly change?: SessionMutation<Source> | undefined;
}

/**
 * Sessions of users: typed data behind a token, in a store that holds no token. A session that was revoked stays revoked, whatever
 * else is under way.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `store.unavailable`, `store.closed`, `aborted`. Of every call that
 * writes: `conflict.exhausted`, `outcome.unknown`, `validation.failed`, `size.exceeded`, `record.newer`.
 *
 * @example
 * ```ts
 * const sessions = new Sessions(db, AppSession, { name: 'web', secrets: [process.env.SESSION_SECRET] });
 * const { token } = await sessions.create({ userId: 'mia', roles: ['admin'] });
 * const session = await sessions.validate(token);
 * ```
 */
export class Sessions<Source extends SessionSource> {
  readonly name: string;
  readonly #ctx: SessionContext;

  /**
   * `source` is a class that extends `SessionRecord`, or what `defineEntity` made with `sessionFields`.
   * Errors: `argument.invalid`, `capability.missing`, `model.invalid`.
   */
  constructor(db: Database, source: Source, options: SessionsOptions) {
    const settings = settingsOf(options);
    requireStore('Sessions', db, options, {
      cas: 'an update that races a logout can undo it',
      ifAbsent: 'a login that is repeated can undo a logout',
    });
    const { name } = settings;
    this.name = name;
    this.#ctx = {
      settings,
      // Every source has these fields; its own ones pass through unseen.
      sessions: db.repo<EntitySource>(source) as unknown as Repository<SessionShape>,
      users: new Users(db, name),
      tokens: new Tokens([db.tenant ?? null, name], settings.secrets),
      environment: db.environment,
    };
  }

  /**
   * Begins a session: of a user, or without `userId` of somebody who has yet to log in.
   * Errors: `session.tooMany`; with an `idempotencyKey` also `session.revoked` and `session.rotated`.
   */
  async create(input: SessionInput<Source>, options: SessionCreateOptions = {}): Promise<IssuedSession<Source>> {
    const { token, session } = await createSession(this.#ctx, input as Input, options);
    return { token, session: this.#out(session) };
  }

  /**
   * The session of a token, or `undefined`: the token is forged, or the session has expired or was revoked. Two reads of the
   * store, and at most one write every `touchEvery`.
   */
  async validate(token: string, options: ValidateOptions = {}): Promise<SessionOf<Source> | undefined> {
    const session = await validateToken(this.#ctx, token, options);
    return typeof session === 'string' ? undefined : this.#out(session);
  }

  /** The same, and says why not. Errors: `session.badToken`, `session.expired`, `session.revoked`, `session.rotated`. */
  async validateOrThrow(token: string, options: ValidateOptions = {}): Promise<SessionOf<Source>> {
    const session = await validateToken(this.#ctx, token, options);
    if (typeof session === 'string') throw refused(this.name, session);
    return this.#out(session);
  }

  /**
   * Changes the data of a session; no concurrent change is lost. Neither shortens nor extends its life. `fn` may run several
   * times. A session that `validate` or `list` returned stands for its token, and saves the two reads; of a `revokeAll` meanwhile
   * it does not know, and stays revoked. Errors: those of {@link Sessions.validateOrThrow}, and whatever `fn` throws.
   *
   * @example
   * ```ts
   * await sessions.mutate(token, (session) => {
   *   session.cart[sku] = 2;
   * });
   * ```
   */
  async mutate(
    target: string | SessionOf<Source>,
    fn: SessionMutation<Source>,
    options: BlockCallOptions = {},
  ): Promise<SessionOf<Source>> {
    return this.#change(target, ownFieldsOnly(unseen(fn)), options);
  }

  /** Notes now that the session is in use. Errors: those of {@link Sessions.validateOrThrow}. */
  async touch(target: string | SessionOf<Source>, options: BlockCallOptions = {}): Promise<SessionOf<Source>> {
    return this.#change(target, touched(this.#ctx, true), options);
  }

  /**
   * Gives a session another token, with `userId` at login: the former one, which somebody may have planted, is then worth nothing.
   * Requests that rotate one token within its grace get the same new one.
   * Errors: those of {@link Sessions.validateOrThrow}, with `userId` also `session.tooMany`.
   *
   * @example
   * ```ts
   * const { token } = await sessions.rotate(former, { userId: 'mia', change: (session) => session.roles.push('admin') });
   * ```
   */
  async rotate(token: string, { change, ...options }: RotateOptions<Source> = {}): Promise<IssuedSession<Source>> {
    const rotated = await rotateSession(this.#ctx, token, options, change === undefined ? () => {} : unseen(change));
    return { token: rotated.token, session: this.#out(rotated.session) };
  }

  /**
   * Ends a session, by a token or by its `id`; for good, with all tokens it ever had. `false`: there was none to end.
   *
   * @example
   * ```ts
   * for await (const session of sessions.list(userId)) if (session.device === 'old phone') await sessions.revoke(session);
   * ```
   */
  revoke(target: string | SessionRef, options: BlockCallOptions = {}): Promise<boolean> {
    return revokeSession(this.#ctx, target, options);
  }

  /** Ends every session of a user by one write, also such as `list` does not know. */
  revokeAll(userId: string, options: RevokeAllOptions = {}): Promise<void> {
    return revokeAllSessions(this.#ctx, userId, options);
  }

  /** The sessions of a user, in order of login. For showing: what it leaves out is ended by `revokeAll` all the same. */
  async *list(userId: string, options: BlockCallOptions = {}): AsyncGenerator<SessionOf<Source>, void, undefined> {
    for await (const session of listSessions(this.#ctx, userId, options)) yield this.#out(session);
  }

  /** Leaves a message that {@link Sessions.takeFlash} hands out once. */
  async flash(
    target: string | SessionOf<Source>,
    kind: string,
    message: string,
    options: BlockCallOptions = {},
  ): Promise<void> {
    await this.#change(target, flashed({ kind, message }), options);
  }

  /** The messages that were left, in order; each is handed out once, whoever asks at the same time. */
  async takeFlash(target: string | SessionOf<Source>, options: BlockCallOptions = {}): Promise<Flash[]> {
    const session = await this.#session(target, options);
    let flashes: Flash[] = [];
    const take = takenFlashes((taken) => {
      flashes = taken;
    });
    if (session.flashes !== undefined) await changeSession(this.#ctx, session, take, options);
    return flashes;
  }

  /** {@link SessionRecord.fresh} for sessions of `defineEntity`. */
  isFresh(session: SessionOf<Source>, within: Duration): boolean {
    return isFresh(session as SessionFields, this.#ctx.environment.clock, within);
  }

  /** A session that was validated before is believed: whatever is changed of it fails if it was revoked since. */
  async #session(target: string | SessionOf<Source>, options: BlockCallOptions): Promise<SessionFields> {
    // The entity of a source has the fields of a session.
    return typeof target === 'string' ? findOrThrow(this.#ctx, target, options) : (target as SessionFields);
  }

  async #change(
    target: string | SessionOf<Source>,
    change: (draft: Draft) => unknown,
    options: BlockCallOptions,
  ): Promise<SessionOf<Source>> {
    return this.#out(await changeSession(this.#ctx, await this.#session(target, options), change, options));
  }

  #out(session: SessionFields): SessionOf<Source> {
    // It comes from the repository of the source.
    return bindClock(session, this.#ctx.environment.clock) as SessionOf<Source>;
  }
}

/** A user's function, for drafts of whose own fields nothing is known here. */
function unseen<Source extends SessionSource>(fn: SessionMutation<Source>): (draft: Draft) => unknown {
  return fn as (draft: never) => unknown as (draft: Draft) => unknown;
}
