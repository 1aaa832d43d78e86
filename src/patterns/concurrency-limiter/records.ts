import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';

const record = z.object({
  name: z.string(),
  key: z.string(),
  /** The latest instant that whoever wrote it has seen: time does not go back. */
  now: z.int().nonnegative(),
  /** Who holds a slot, and until when: an id, `=`, an instant. */
  slots: z.array(z.string().regex(/^[\w-]{16}=\d{1,16}$/)),
  /** When it says nothing any more. */
  expiresAt: z.date(),
});

const ConcurrencyEntity = defineEntity('norimaki.concurrency-limit', record, {
  id: ['name', 'key'],
  deadline: 'expiresAt',
  // It is written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  ring: 64,
});

type SlotsRecord = z.output<typeof record>;
export type SlotsState = Omit<SlotsRecord, 'name' | 'key'>;
export type ConcurrencyRecords = RepositoryOf<typeof ConcurrencyEntity, Store>;

export function concurrencyRecords(db: Database): ConcurrencyRecords {
  return db.repo(ConcurrencyEntity);
}

/** A key of which nobody holds a slot. */
export function noSlots(): SlotsState {
  return { now: 0, slots: [], expiresAt: new Date(0) };
}
