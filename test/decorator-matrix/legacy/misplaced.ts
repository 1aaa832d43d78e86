import { z } from 'zod';
import { Embedding, Entity, Field, Id, Index } from '../../../src/decorators/index.ts';

/** What legacy decorators can stand on beside fields. */
@Entity('misplaced')
export class Misplaced {
  @Id() id!: string;
  @Field(z.string()) static shared = '';
  // @ts-expect-error: a getter is no plain field.
  @Field(z.string()) get computed(): string {
    return this.id;
  }
  // @ts-expect-error: nor is a setter.
  @Index() set written(value: string) {
    this.id = value;
  }
  // @ts-expect-error: nor is a method.
  @Field(z.string()) method(): string {
    return this.id;
  }
  // @ts-expect-error: nor does a method hold a vector.
  @Embedding({ from: 'id' }) embedded(): string {
    return this.id;
  }
}
