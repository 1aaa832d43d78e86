import { z } from 'zod';
import { type Default, defineEntity, Embedding, Entity, Field, Id } from '../../../src/index.ts';
import { cut } from '../../../src/repositories/vectors/cut.ts';

export const CHUNK = { size: 16, overlap: 4 };

/** What tests of passages save and search. */
@Entity('long')
export class Long {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact', chunk: CHUNK }) vector?: Float32Array;
}

@Entity('late')
export class Late {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact', mode: 'deferred', chunk: CHUNK }) vector?: Float32Array;
}

/** Found by a condition on an index. */
export const Tagged = defineEntity('tagged', z.object({ id: z.string(), tag: z.string(), text: z.string() }), {
  id: 'id',
  index: ['tag'],
  embeddings: { vector: { from: 'text', index: 'exact', chunk: CHUNK } },
});

/** Of `n` words that are as long as a passage. */
export const words = (...names: readonly string[]): string => names.map((name) => name.padEnd(14, 'x')).join(' ');

export const passagesOf = (text: string | null | undefined): string[] =>
  cut(text ?? '', CHUNK).map((passage) => passage.text);
