import type { Environment } from '../../core/clock.ts';
import { earlyStretch } from './call.ts';
import type { Entries } from './entries.ts';
import type { LocalEntry, LocalTier } from './l1/local.ts';
import type { Ticket } from './l1/tickets.ts';
import type { Lookups } from './lookups.ts';
import type { CacheRecords } from './records.ts';
import type { CacheSettings } from './settings.ts';
import type { Counts } from './stats.ts';
import type { Servable } from './value-codec.ts';

/** What the parts of one cache share. */
export interface CacheParts {
  readonly settings: CacheSettings;
  readonly environment: Environment;
  readonly records: CacheRecords;
  readonly lookups: Lookups;
  readonly entries: Entries;
  /** The type of a value is that of whoever asks for its key. */
  readonly local: LocalTier<unknown> | undefined;
  readonly counts: Counts;
}

/** A value that is known, and how long it may be served; instants of the wall clock. */
export interface Known<T> extends Pick<LocalEntry<T>, 'expiresAt' | 'staleUntil' | 'cost' | 'version' | 'tags'> {
  readonly servable: Servable<T | undefined>;
}

/** Remembers a value in memory. `verifiedAt`: when, on the monotonic clock, the store was asked. */
export function admit<T>(
  { settings, environment, local }: CacheParts,
  key: string,
  ticket: Ticket | undefined,
  known: Known<T>,
  verifiedAt: number,
): void {
  if (local === undefined || settings.l1 === undefined || ticket === undefined) return;
  const { clock } = environment;
  const mono = clock.mono();
  const now = clock.now();
  const isStale = known.expiresAt <= now;
  const until = verifiedAt + settings.l1.ttl;
  const end = isStale ? known.staleUntil : known.expiresAt - earlyStretch(known.cost, settings.early);
  const calmUntil = settings.validates ? Number.NEGATIVE_INFINITY : Math.min(until, mono + end - now);
  const { shared } = known.servable;
  local.admit(key, ticket, { ...known, shared, calmUntil, until, isStale });
}
