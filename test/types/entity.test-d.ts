import { z } from 'zod';
import type { Default, IdPart } from '../../src/core/model/index.ts';
import type { Version } from '../../src/core/version.ts';
import { Entity, Field, Id, Index, Ttl, Unique, uuidv7, Versioned } from '../../src/decorators/index.ts';

const dateAsText = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});
enum Kind {
  Dry = 'dry',
  Fresh = 'fresh',
}
interface Address {
  street: string;
  city?: string | undefined;
}

@Entity('fields')
export class Fields {
  // The schema makes what the field holds.
  @Field(z.string()) text!: string;
  @Field(z.number()) initialised = 0;
  @Field(z.number()) withDefault: Default<number> = 0;
  @Field(z.date()) dateWithDefault: Default<Date> = new Date(0);
  @Field(z.array(z.string())) tags: Default<string[]> = [];
  @Field(z.boolean()) flagWithDefault: Default<boolean> = true;
  @Field(z.enum(['a', 'b'])) choiceWithDefault: Default<'a' | 'b'> = 'a';
  @Field(z.string().nullable()) nullWithDefault: Default<string | null> = null;
  @Field(z.object({ street: z.string() })) objectWithDefault: Default<{ street: string }> = { street: '' };
  @Field(z.string().optional()) optional?: string;
  @Field(z.string().optional()) orUndefined: string | undefined;
  @Field(z.string().nullable()) nullable!: string | null;
  @Field(z.string().nullish()) nullish?: string | null;
  @Field(z.string().default('x')) schemaDefault!: string;
  @Field(z.string().default('x')) schemaDefaultOptional?: string;
  @Field(z.string().prefault('x')) prefault?: string;
  @Field(dateAsText) codec!: Date;
  @Field(dateAsText.optional()) optionalCodec?: Date;
  @Field(z.enum(['a', 'b'])) choice!: 'a' | 'b';
  @Field(z.enum(Kind)) kind!: Kind;
  @Field(z.literal(1)) one!: 1;
  @Field(z.bigint()) big!: bigint;
  @Field(z.map(z.string(), z.number())) map!: Map<string, number>;
  @Field(z.object({ street: z.string(), city: z.string().optional() })) address!: Address;
  @Field(z.array(z.string()).readonly()) readonly frozen!: readonly string[];
  @Field(z.string().brand('Email')) branded!: string & z.core.$brand<'Email'>;
  @Field(z.custom<`${number}px`>()) custom!: `${number}px`;
  @Field(z.any()) anything!: unknown;
  @Field(z.unknown()) unknown!: unknown;

  // @ts-expect-error: a string is no number.
  @Field(z.string()) age!: number;
  // @ts-expect-error: nor where there is a default.
  @Field(z.string()) count: Default<number> = 0;
  // @ts-expect-error: the schema wants a string, the field may be empty.
  @Field(z.string()) maybe?: string;
  // @ts-expect-error: the schema may give nothing, the field is never empty.
  @Field(z.string().optional()) always!: string;
  // @ts-expect-error: the schema may give null.
  @Field(z.string().nullable()) never!: string;
  // @ts-expect-error: the field promises less than any string.
  @Field(z.string()) narrow!: 'a' | 'b';
  // @ts-expect-error: the field takes what the schema refuses.
  @Field(z.enum(['a', 'b'])) wide!: string;
  // @ts-expect-error: a codec is for its output.
  @Field(dateAsText) stored!: string;
  // @ts-expect-error: one of the fields within differs.
  @Field(z.object({ street: z.number(), city: z.string().optional() })) elsewhere!: Address;
  // @ts-expect-error: no schema.
  @Field() without!: string;
}

@Entity('marks')
@Ttl('30m', { onWrite: 'renew' })
export class Marks {
  @Id() plain!: string;
  @Id() branded!: Id<string>;
  @Id() number!: Id<number>;
  @Id() date!: Id<Date>;
  @Id() bytes!: Id<Uint8Array>;
  @Id(z.string()) withSchema!: Id<string>;
  @Id(z.uuid(), { generate: uuidv7 }) generated!: Default<Id<string>>;
  @Id({ generate: uuidv7 }) generatedToo!: Id<Default<string>>;
  @Id() @Field(z.uuid()) field!: Id<string>;
  @Versioned() version?: Version;
  @Versioned() versionOrNothing: Version | undefined;
  @Field(z.date()) @Ttl() until!: Date;
  @Field(z.date().nullish()) @Ttl() perhaps?: Date | null;
  @Field(z.string()) @Unique() unique!: string;
  @Field(z.string()) @Unique('a') @Index('b') @Index() several!: string;
  @Field(z.date().optional()) @Index() nothing?: Date;
  @Field(z.number()) @Index() stock: Default<number> = 0;
  @Field(z.instanceof(Uint8Array)) @Index() hash!: Uint8Array;

  // @ts-expect-error: an object is no id.
  @Id() object!: { a: string };
  // @ts-expect-error: an id cannot be empty.
  @Id() empty!: string | null;
  // @ts-expect-error: a string is no number.
  @Id(z.string()) wrong!: Id<number>;
  // @ts-expect-error: a uuid is no number.
  @Id({ generate: uuidv7 }) wrongGenerated!: Id<number>;
  // @ts-expect-error: the generator makes a number.
  @Id(z.string(), { generate: () => 1 }) wrongToo!: Id<string>;
  // @ts-expect-error: a version is not any string.
  @Versioned() text?: string;
  // @ts-expect-error: a version is no number.
  @Versioned() revision?: number;
  // @ts-expect-error: a number is no instant.
  @Field(z.number()) @Ttl() seconds!: number;
  // @ts-expect-error: a duration is for a class.
  @Field(z.date()) @Ttl('30m') tooMuch!: Date;
  // @ts-expect-error: an array is no part of a key.
  @Field(z.array(z.string())) @Index() tags!: string[];
  // @ts-expect-error: an object is no part of a key.
  @Field(z.object({ a: z.string() })) @Unique() nested!: { a: string };
  // @ts-expect-error: a method is no field.
  @Field(z.string()) method(): string {
    return '';
  }
}

@Ttl('1h')
export abstract class Base {
  @Id() id!: Id<string>;
}

// @ts-expect-error: an abstract class cannot be made.
@Entity('abstract')
export abstract class Abstract extends Base {}

// @ts-expect-error: an entity is made without arguments.
@Entity('arguments')
export class WithArguments extends Base {
  constructor(readonly name: string) {
    super();
  }
}

// @ts-expect-error: no duration.
@Ttl('30 minutes')
export class WrongTtl extends Base {}

// @ts-expect-error: no such policy.
@Ttl('30m', { onWrite: 'extend' })
export class WrongPolicy extends Base {}

// @ts-expect-error: a date is no duration.
@Ttl()
export class NoDuration extends Base {}

// @ts-expect-error: null is no part of an id.
export type NullId = Id<null>;
export type AnyId = Id<IdPart>;
