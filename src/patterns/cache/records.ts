import { z } from 'zod';
import type { Random } from '../../core/clock.ts';
import { randomId } from '../../core/random-id.ts';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import { leaseFields } from '../shared/lease/index.ts';

const DAY = 86_400_000;

/** No value is served for longer without being loaded anew, because no tag is remembered for longer. */
export const MAX_LIFE = 30 * DAY;

/** What is left for clocks that differ and loaders that are late. */
const SLACK = DAY;

/** How long the store keeps what became of a tag: longer than any value that was loaded before. */
export const TAG_LIFE = 2 * MAX_LIFE + SLACK;

/** How long the store keeps an entry after its value is gone, beyond the time of a load: the mark of an invalidation is in it. */
export const MARK_LIFE = 3_600_000;

/** A write that was not heard of for so long, in milliseconds, has failed or been applied. */
export const HOLD_LIFE = 120_000;

const instant = z.number();

/** An entry and a tag are one kind of record, so that one read of the store gets an entry together with its tags. */
const record = z.object({
  name: z.string(),
  kind: z.enum(['entry', 'tag']),
  /** Of an entry its key, of a tag the tag itself; `''` is the tag that every entry has. */
  key: z.string(),
  /** Never used twice: another one whenever a load that is under way must not be stored any more. */
  gen: z.string(),
  /** The value, as its codec writes it. */
  text: z.string().optional(),
  /** It is known that there is no value. */
  isAbsent: z.boolean().optional(),
  expiresAt: instant.optional(),
  staleUntil: instant.optional(),
  /** How long the loader took, in milliseconds. */
  cost: z.number().optional(),
  /** The generations of its tags, as they were before the value was loaded. */
  tags: z.array(z.object({ tag: z.string(), gen: z.string() })).optional(),
  /** Writes behind the cache that are under way: until they are over nothing is stored. */
  holds: z.array(z.object({ id: z.string(), until: instant })).optional(),
  /** Whoever loads it at the moment. */
  lease: z.object(leaseFields).optional(),
  /** The store may forget it then. */
  keptUntil: z.date().optional(),
  /** Of the tag that every entry has: how many tags were ever invalidated, and the newest of them. */
  bumps: z.number().optional(),
  bumped: z.array(z.string()).optional(),
});

const CacheRecord = defineEntity('norimaki.cache', record, {
  id: ['name', 'kind', 'key'],
  versioned: 'version',
  deadline: 'keptUntil',
  // Nothing here is counted: an invalidation that is applied twice is one that is applied.
  ring: 8,
});

/** The tag that every entry has. */
export const ROOT = '';

export type CacheRecordFields = z.output<typeof record>;
export type CacheRecords = RepositoryOf<typeof CacheRecord, Store>;
export type StoredRecord = NonNullable<Awaited<ReturnType<CacheRecords['get']>>>;

export function cacheRecords(db: Database): CacheRecords {
  return db.repo(CacheRecord);
}

/** A generation that was never used. */
export function newGeneration(random: Random): string {
  return randomId(random, 12);
}
