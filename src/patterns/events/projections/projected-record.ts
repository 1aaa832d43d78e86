import { z } from 'zod';
import type { Default } from '../../../core/model/types.ts';
import { Field } from '../../../decorators/index.ts';

/**
 * The field that every view has, for `defineEntity`:
 *
 * @example
 * ```ts
 * const Balance = defineEntity('balance', z.object({ id: z.string(), total: z.number().default(0), ...projectedFields }), { id: 'id' });
 * ```
 */
export const projectedFields = {
  projected: z
    .record(z.string(), z.object({ fence: z.int().nonnegative(), upTo: z.record(z.string(), z.int().positive()) }))
    .default({}),
};

/**
 * Which events a view has seen, by the partition that they came from: the newest worker that wrote it, and up to which event of
 * which stream. Streams whose events cannot come again are left out.
 */
export type Projected = z.output<typeof projectedFields.projected>;

/**
 * What a class of views extends, adding fields of its own. The view and what it has seen are one record, so that an event that comes
 * twice counts once.
 *
 * @example
 * ```ts
 * @Entity('balance')
 * class Balance extends ProjectedRecord {
 *   @Id() id!: Id<string>;
 *   @Field(z.number()) total: Default<number> = 0;
 * }
 * ```
 */
export abstract class ProjectedRecord {
  /** Set by the projection. */
  @Field(projectedFields.projected) projected: Default<Projected> = {};
}
