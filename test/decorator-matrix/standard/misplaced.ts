import { z } from 'zod';
import { Embedding, Entity, Field, Id, Index } from '../../../src/decorators/index.ts';

/** What only standard decorators can stand on. */
@Entity('misplaced')
export class Misplaced {
  @Id() id!: string;
  // @ts-expect-error: a private field cannot be read by a repository.
  @Field(z.string()) #secret = '';
  // @ts-expect-error: an accessor is no plain field.
  @Field(z.string()) accessor kept = '';
  // @ts-expect-error: nor is a static field.
  @Field(z.string()) static shared = '';
  // @ts-expect-error: nor is a getter.
  @Field(z.string()) get computed(): string {
    return this.id;
  }
  // @ts-expect-error: nor is a setter.
  @Index() set written(value: string) {
    this.id = value;
  }
  // @ts-expect-error: nor is a method.
  @Field(z.string()) method(): string {
    return this.#secret;
  }
  // @ts-expect-error: nor does a method hold a vector.
  @Embedding({ from: 'id' }) embedded(): string {
    return this.id;
  }
}
