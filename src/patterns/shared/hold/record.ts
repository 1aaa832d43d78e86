import { z } from 'zod';
import type { Store } from '../../../core/store.ts';
import { defineEntity } from '../../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../../repositories/index.ts';

const hold = z.object({
  /** Which block it belongs to, and which one of its kind. */
  block: z.string(),
  id: z.string(),
  state: z.enum(['pending', 'held', 'committing', 'committed', 'released', 'expired', 'abandoned']),
  expiresAt: z.date(),
  /** Which places it holds something at, in words of the block. */
  participants: z.array(z.string()),
  /** Only of a closed one: until then whoever meets a participant needs it. */
  forgetAt: z.date().optional(),
});

const Hold = defineEntity('norimaki.hold', hold, { id: ['block', 'id'], deadline: 'forgetAt' });

export type HoldRecord = z.output<typeof hold>;

export function holdRecords(db: Database): RepositoryOf<typeof Hold, Store> {
  return db.repo(Hold);
}
