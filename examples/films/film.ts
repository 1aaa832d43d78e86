import { type Default, Entity, Field, Id, Index } from 'norimaki';
import { z } from 'zod';

/** One vote. Its id says who cast it and makes it countable: a rating that is there twice or not at all shows. */
export const Rating = z.object({ id: z.string(), points: z.int().min(1).max(10) });
export type Rating = z.infer<typeof Rating>;

/** The list was compiled in 2010, with some films announced for 2011. */
const LAST_YEAR = 2011;

@Entity('film')
export class Film {
  // Remakes share a title, so title and year are the id together.
  @Id(z.string().min(1)) title!: Id<string>;
  @Id(z.int().max(LAST_YEAR, `released after ${LAST_YEAR}, where the list ends`)) year!: Id<number>;

  @Field(z.date()) released!: Date;
  @Field(z.number().nonnegative()) budget!: number;
  @Field(z.number().nonnegative()) @Index() gross!: number;
  @Field(z.string().optional()) director?: string | undefined;
  @Field(z.string().optional()) genre?: string | undefined;
  /** The critics' percentage, where they wrote about it. */
  @Field(z.int().min(0).max(100).optional()) critics?: number | undefined;
  @Field(z.array(Rating)) ratings: Default<Rating[]> = [];

  average(): number {
    return this.ratings.reduce((sum, { points }) => sum + points, 0) / this.ratings.length;
  }
}
