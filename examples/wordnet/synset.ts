import { Embedding, Entity, Field, Id, Index } from 'norimaki';
import { hashingEmbedder } from 'norimaki/embedders';
import { z } from 'zod';

export const PARTS = ['noun', 'verb', 'adj', 'adv'] as const;

/** Words of one meaning, and what they mean. */
@Entity('synset')
export class Synset {
  /** The part of speech and the position in its file, such as `noun 02124272`. */
  @Id() id!: Id<string>;
  @Field(z.enum(PARTS)) @Index() part!: (typeof PARTS)[number];
  @Field(z.array(z.string())) words!: string[];
  @Field(z.string()) gloss!: string;
  @Embedding({ from: ['words', 'gloss'] }) meaning?: Float32Array;
}

/** Works without a network, and finds words and spellings; a model would find meanings. */
export const embedder = hashingEmbedder({ dimensions: 192 });
