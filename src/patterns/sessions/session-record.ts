import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';
import { Field, Id, Ttl } from '../../decorators/index.ts';

const moment = z.date();

/**
 * The fields that every session has, for `defineEntity`:
 *
 * @example
 * ```ts
 * const AppSession = defineEntity('session', z.object({ ...sessionFields, roles: z.array(z.string()) }), {
 *   id: 'id',
 *   deadline: 'expiresAt',
 * });
 * ```
 */
export const sessionFields = {
  id: z.string(),
  family: z.string(),
  userId: z.string().min(1).optional(),
  createdAt: moment,
  seenAt: moment,
  authenticatedAt: moment.optional(),
  expiresAt: moment,
  absoluteAt: moment,
  epoch: z.string(),
  revokedAt: moment.optional(),
  next: z.object({ id: z.string(), nonce: z.string(), until: moment, expiresAt: moment }).optional(),
  flashes: z.array(z.object({ kind: z.string(), message: z.string() })).optional(),
};

/** A message that is shown once, such as `{ kind: 'info', message: 'Saved.' }`. */
export type Flash = NonNullable<z.output<typeof sessionFields.flashes>>[number];

/** Where a rotated session lives on. */
export type NextSession = NonNullable<z.output<typeof sessionFields.next>>;

/**
 * What a class of sessions extends, adding fields of its own. `Sessions` sets the fields that are declared here; `create` takes of
 * them `userId` only, and `mutate` refuses to change them.
 *
 * @example
 * ```ts
 * @Entity('session')
 * class AppSession extends SessionRecord {
 *   @Field(z.array(z.string())) roles: Default<string[]> = [];
 * }
 * ```
 */
export abstract class SessionRecord {
  /** What may be shown of the token: it leads to the session, and opens nothing. Changes when the session is rotated. */
  @Id(sessionFields.id) id!: Id<string>;
  /** Its first `id`: stays the same when the session is rotated. */
  @Field(sessionFields.family) family!: string;
  /** Whose session it is; without, nobody has logged in yet. */
  @Field(sessionFields.userId) userId?: string | undefined;
  @Field(sessionFields.createdAt) createdAt!: Date;
  /** The last use that was noted: see `touchEvery`. */
  @Field(sessionFields.seenAt) seenAt!: Date;
  /** When the user last proved who it is. */
  @Field(sessionFields.authenticatedAt) authenticatedAt?: Date | undefined;
  /** When it ends if it is not used; never later than `absoluteAt`. */
  @Field(sessionFields.expiresAt) @Ttl() expiresAt!: Date;
  /** When it ends however much it is used. */
  @Field(sessionFields.absoluteAt) absoluteAt!: Date;
  /** The user's epoch at login: {@link Sessions.revokeAll} begins another. */
  @Field(sessionFields.epoch) epoch!: string;
  /** Of a session that was ended. */
  @Field(sessionFields.revokedAt) revokedAt?: Date | undefined;
  /** Of a session that was rotated. */
  @Field(sessionFields.next) next?: NextSession | undefined;
  /** Messages that {@link Sessions.takeFlash} hands out once. */
  @Field(sessionFields.flashes) flashes?: Flash[] | undefined;

  /**
   * Whether the user proved who it is within this time. For what a stolen cookie alone should not do.
   *
   * @example
   * ```ts
   * if (!session.fresh('5m')) return askForThePassword();
   * ```
   */
  fresh(within: Duration): boolean {
    return isFresh(this, clockOf(this), within);
  }
}

/** What `Sessions` knows of any session. */
export type SessionFields = Pick<SessionRecord, keyof typeof sessionFields>;

export function isFresh({ authenticatedAt }: SessionFields, clock: Clock, within: Duration): boolean {
  const limit = milliseconds(within, 'within');
  return authenticatedAt !== undefined && clock.now() - authenticatedAt.getTime() < limit;
}

/** The clocks of the databases that sessions were read from. */
const clocks = new WeakMap<object, Clock>();

/** Lets a session tell whether it is fresh. */
export function bindClock<S extends object>(session: S, clock: Clock): S {
  clocks.set(session, clock);
  return session;
}

function clockOf(session: object): Clock {
  const clock = clocks.get(session);
  if (clock !== undefined) return clock;
  throw new NorimakiError(
    'argument.invalid',
    'This session does not come from Sessions, so it has no clock to be fresh by. Ask the one that validate() or list() returned.',
    { argument: 'session' },
  );
}
