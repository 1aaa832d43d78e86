import type { Version } from '../../core/version.ts';
import { FREE, type LeaseState } from '../shared/lease/index.ts';
import { ROOT, type StoredRecord } from './records.ts';

/** What a record of the store serves. */
export interface Entry {
  /** `undefined`: it is known that there is no value. */
  readonly text: string | undefined;
  /** On the wall clock. */
  readonly expiresAt: number;
  readonly staleUntil: number;
  readonly cost: number;
  readonly tags: readonly string[];
  readonly version: Version | undefined;
}

/** Generations of tags. One that was never invalidated has none: `''`. */
export type TagGenerations = ReadonlyMap<string, string>;

/** What one read of the store said about a key; what a fill will be held against. */
export interface Lookup {
  /** `''` where there is no record. */
  readonly gen: string;
  /** Of the record, as it was read. */
  readonly version: Version | undefined;
  readonly lease: LeaseState;
  /** A write behind the cache is under way: nothing that is loaded now may be stored. */
  readonly isHeld: boolean;
  /** Of the tag that all have, of the tags asked for, and of those that the entry has. */
  readonly tags: TagGenerations;
  /** How many tags were ever invalidated. */
  readonly bumps: number;
  /** `undefined` if there is none that may be served, fresh or stale. */
  readonly entry: Entry | undefined;
}

/** Reads a record's answer; `tags` has at least the generations of the tags that it has. */
export function lookupOf(
  record: StoredRecord | undefined,
  root: StoredRecord | undefined,
  tags: TagGenerations,
  now: number,
): Lookup {
  const isValid = (record?.tags ?? []).every(({ tag, gen }) => tags.get(tag) === gen);
  return {
    gen: record?.gen ?? '',
    version: record?.version,
    lease: record?.lease ?? FREE,
    isHeld: record?.holds?.some(({ until }) => until > now) ?? false,
    tags,
    bumps: root?.bumps ?? 0,
    entry: record !== undefined && isValid ? entryOf(record, now) : undefined,
  };
}

function entryOf(record: StoredRecord, now: number): Entry | undefined {
  const { text, isAbsent, expiresAt = 0, staleUntil = 0, cost = 0, tags = [], version } = record;
  if (text === undefined && isAbsent !== true) return undefined;
  if (Math.max(expiresAt, staleUntil) <= now) return undefined;
  const names = tags.map(({ tag }) => tag).filter((tag) => tag !== ROOT);
  return { text, expiresAt, staleUntil, cost, tags: names, version };
}
