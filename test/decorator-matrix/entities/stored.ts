import { z } from 'zod';
import type { Default } from '../../../src/core/model/index.ts';
import type { Version } from '../../../src/core/version.ts';
import { Field, Id, Index, Ttl, uuidv7, Versioned } from '../../../src/decorators/index.ts';

/** No entity itself: gives its fields and its time to live to those that extend it. */
@Ttl('30m', { onWrite: 'renew' })
export abstract class Stored {
  @Id(z.uuid(), { generate: uuidv7 }) id!: Default<Id<string>>;
  @Field(z.date()) @Index('recent') addedAt: Default<Date> = new Date(0);
  @Versioned() version?: Version;
}
