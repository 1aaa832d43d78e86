import { z } from 'zod';
import type { Environment } from '../../core/clock.ts';
import { randomId } from '../../core/random-id.ts';
import type { ReadOptions, Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { SessionFields } from './session-record.ts';

const entry = z.object({
  id: z.string(),
  /** When it was listed, and when it ends at the latest; in milliseconds since 1970. */
  at: z.number(),
  until: z.number(),
});

const user = z.object({
  name: z.string(),
  userId: z.string(),
  /** Sessions of any other epoch are revoked. Never used again, so that a record that was lost revokes, too. */
  epoch: z.string(),
  /** The one session of an earlier epoch that the last `revokeAll` spared, whatever it is rotated to. */
  spared: z.object({ family: z.string(), epoch: z.string() }).optional(),
  /** The sessions of this epoch, and perhaps some that have ended. */
  sessions: z.array(entry),
  /** Outlives every session of the epoch. */
  until: z.date(),
});

const SessionUser = defineEntity('norimaki.session.user', user, {
  id: ['name', 'userId'],
  deadline: 'until',
  // Every login of the user writes to it.
  ring: 64,
});

/** A session in the list of its user. */
export type Entry = z.output<typeof entry>;
export type UserRecord = z.output<typeof user>;
type Change = (draft: Omit<UserRecord, 'name' | 'userId'>) => void;

/** One record for each user: it decides which sessions `revokeAll` has ended, and lists the others. */
export class Users {
  readonly #name: string;
  readonly #records: RepositoryOf<typeof SessionUser, Store>;
  readonly #environment: Environment;

  constructor(db: Database, name: string) {
    this.#name = name;
    this.#records = db.repo(SessionUser);
    this.#environment = db.environment;
  }

  get(userId: string, options: ReadOptions): Promise<UserRecord | undefined> {
    return this.#records.get({ name: this.#name, userId }, options);
  }

  /** Changes the record, which is made if there is none; it then lives until `until` at least. */
  change(userId: string, until: number, fn: Change, { signal, retry }: BlockCallOptions): Promise<UserRecord> {
    const ifAbsent = (): Omit<UserRecord, 'name' | 'userId'> => ({
      epoch: this.freshEpoch(),
      spared: undefined,
      sessions: [],
      until: new Date(until),
    });
    const change: Change = (draft) => {
      fn(draft);
      if (draft.until.getTime() < until) draft.until = new Date(until);
    };
    return this.#records.mutate({ name: this.#name, userId }, change, { ifAbsent, signal, retry });
  }

  freshEpoch(): string {
    return randomId(this.#environment.random, 12);
  }
}

/** Whether `revokeAll` has left a session alone. A user without a record has no sessions. */
export function isOfEpoch(
  { family, epoch }: Pick<SessionFields, 'family' | 'epoch'>,
  record: Pick<UserRecord, 'epoch' | 'spared'> | undefined,
): boolean {
  if (record === undefined) return false;
  return epoch === record.epoch || (family === record.spared?.family && epoch === record.spared.epoch);
}
