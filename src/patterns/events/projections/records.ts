import { z } from 'zod';
import type { Store } from '../../../core/store.ts';
import { defineEntity } from '../../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../../repositories/index.ts';

const build = z.object({ generation: z.int().positive(), version: z.int().positive() });

const ProjectionEntity = defineEntity(
  'norimaki.events.projection',
  z.object({
    store: z.string(),
    name: z.string(),
    /** The newest generation that there ever was. */
    last: z.int().positive(),
    /** What readers see. */
    live: build,
    /** What takes its place once it is complete. */
    building: build.optional(),
    /** Generations whose records are to be deleted. */
    retired: z.array(z.int()),
  }),
  { id: ['store', 'name'] },
);

/** One set of views, and the version of the projection that makes it. */
export type Build = z.output<typeof build>;

export type ProjectionRecords = RepositoryOf<typeof ProjectionEntity, Store>;
/** Which generations of a projection there are. */
export type Generations = NonNullable<Awaited<ReturnType<ProjectionRecords['get']>>>;

export function projectionRecords(db: Database): ProjectionRecords {
  return db.repo(ProjectionEntity);
}
