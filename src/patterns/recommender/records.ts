import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';
import { ringForm } from '../shared/key-ring.ts';
import { PRINT_LENGTH, REMEMBERED_EVENTS } from './profile.ts';

const at = z.int().nonnegative();
// Too long for the counting form of a regular expression.
const prints = z
  .string()
  .regex(/^[\w-]*$/)
  .refine(({ length }) => length % PRINT_LENGTH === 0);
const tallied = z.object({ item: z.string(), weight: z.number(), at });

/** The one record that decides what is known of a user. */
const RecommenderProfile = defineEntity(
  'norimaki.recommender.profile',
  z.object({
    name: z.string(),
    user: z.string(),
    items: z.array(z.object({ item: z.string(), weight: z.number(), at, signal: z.string(), best: z.number() })),
    events: z.string().regex(ringForm(REMEMBERED_EVENTS)),
    seen: prints,
    rejected: prints,
  }),
  { id: ['name', 'user'], versioned: 'version' },
);

/** A part of what is popular. */
const RecommenderPopular = defineEntity(
  'norimaki.recommender.popular',
  z.object({ name: z.string(), shard: z.int().nonnegative(), items: z.array(tallied) }),
  // Written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  { id: ['name', 'shard'], ring: 64 },
);

/** Which items were liked by those who like one. */
const RecommenderCoVisit = defineEntity(
  'norimaki.recommender.coVisit',
  z.object({ name: z.string(), item: z.string(), items: z.array(tallied) }),
  { id: ['name', 'item'], ring: 64 },
);

export interface RecommenderRecords {
  readonly profiles: RepositoryOf<typeof RecommenderProfile, Store>;
  readonly popular: RepositoryOf<typeof RecommenderPopular, Store>;
  readonly coVisits: RepositoryOf<typeof RecommenderCoVisit, Store>;
}

export function recommenderRecords(db: Database): RecommenderRecords {
  return {
    profiles: db.repo(RecommenderProfile),
    popular: db.repo(RecommenderPopular),
    coVisits: db.repo(RecommenderCoVisit),
  };
}
