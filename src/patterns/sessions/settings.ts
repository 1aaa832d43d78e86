import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, refuse } from '../shared/options.ts';
import type { Secret } from './tokens.ts';

/** How long sessions live. */
export interface SessionTtl {
  /** Without use; default `'30m'`. */
  readonly idle?: Duration | undefined;
  /** However much it is used; default `'12h'`. */
  readonly absolute?: Duration | undefined;
}

/** What `Sessions` is told when it is made. */
export interface SessionsOptions extends BlockOptions {
  readonly ttl?: SessionTtl | undefined;
  /**
   * What tokens are signed with, at least 32 bytes each: the current one, then earlier ones that still hold. To change the secret
   * put a new one in front, and take the old one off after `ttl.absolute`.
   */
  readonly secrets: readonly Secret[];
  /** How often the use of a session is noted, at most; default `'1m'`, or a tenth of `ttl.idle` if that is shorter. */
  readonly touchEvery?: Duration | undefined;
  /** Sessions that one user may have at once, 1 to 1,000; default 1,000. */
  readonly maxPerUser?: number | undefined;
  /** What a login does beyond that: fail with `session.tooMany` (default), or end the oldest session. */
  readonly whenFull?: 'refuse' | 'revokeOldest' | undefined;
}

/** The options, checked; times in milliseconds. */
export interface SessionSettings {
  readonly name: string;
  readonly idle: number;
  readonly absolute: number;
  readonly touchEvery: number;
  readonly secrets: readonly [Secret, ...Secret[]];
  readonly maxPerUser: number;
  readonly whenFull: 'refuse' | 'revokeOldest';
}

/** The list of a user's sessions is one record: so many keep it small. */
const MAX_PER_USER = 1000;
const MIN_SECRET_BYTES = 32;
const MINUTE = 60_000;

export function settingsOf(options: SessionsOptions): SessionSettings {
  const name = checkName('Sessions', options.name);
  const { ttl = {}, maxPerUser = MAX_PER_USER, whenFull = 'refuse' } = options;
  const idle = milliseconds(ttl.idle ?? '30m', 'ttl.idle');
  const absolute = milliseconds(ttl.absolute ?? '12h', 'ttl.absolute');
  if (idle === 0 || idle > absolute) {
    refuse(
      'ttl',
      'A session lives for some time without use, and not longer than in all: 0 < ttl.idle <= ttl.absolute.',
    );
  }
  const touchEvery = milliseconds(options.touchEvery ?? Math.min(MINUTE, idle / 10), 'touchEvery');
  if (touchEvery > idle / 2) {
    refuse(
      'touchEvery',
      'touchEvery is at most half of ttl.idle: a session in use would end, as its use is not noted.',
    );
  }
  if (!Number.isSafeInteger(maxPerUser) || maxPerUser < 1 || maxPerUser > MAX_PER_USER) {
    refuse('maxPerUser', `maxPerUser is a whole number from 1 to ${MAX_PER_USER}.`);
  }
  if (whenFull !== 'refuse' && whenFull !== 'revokeOldest') {
    refuse('whenFull', "whenFull is 'refuse' or 'revokeOldest'.");
  }
  return { name, idle, absolute, touchEvery, secrets: secretsOf(options.secrets), maxPerUser, whenFull };
}

function secretsOf(secrets: readonly Secret[]): SessionSettings['secrets'] {
  const [current, ...previous] = Array.isArray(secrets) ? (secrets as readonly Secret[]) : [];
  if (current === undefined) return refuse('secrets', 'secrets is a list: the current secret, then earlier ones.');
  for (const secret of [current, ...previous]) {
    const isLong =
      typeof secret === 'string'
        ? Buffer.byteLength(secret) >= MIN_SECRET_BYTES
        : secret instanceof Uint8Array && secret.length >= MIN_SECRET_BYTES;
    if (!isLong) {
      refuse(
        'secrets',
        `A secret is a string or bytes, at least ${MIN_SECRET_BYTES} bytes of chance: openssl rand -base64 32.`,
      );
    }
  }
  return [current, ...previous];
}
