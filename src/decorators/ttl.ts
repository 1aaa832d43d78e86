import type { Duration } from '../core/duration.ts';
import type { OnWrite } from '../core/model/index.ts';
import { type ClassContext, noteClass, noteField, type PropertyArguments } from './notes.ts';
import type { RangeDecorator } from './types.ts';

/** Options of `@Ttl` on a class. */
export interface TtlOptions {
  /** What an update does to the deadline: `'keep'` it (the default), or `'renew'` it from now. */
  readonly onWrite?: OnWrite | undefined;
}

/** A decorator of a class, also of an abstract one that entities extend. */
export type TtlDecorator = (target: abstract new () => object, context?: ClassDecoratorContext) => void;

/**
 * On a class: every record lives for so long, its subclasses' too. On a field that holds a date: the record's own
 * deadline. Both together: the field, and the class for records whose field is empty.
 *
 * @example
 * ```ts
 * @Entity('session')
 * @Ttl('30m', { onWrite: 'renew' })
 * class Session {
 *   @Id() token!: Id<string>;
 *   @Field(z.date().optional()) @Ttl() until?: Date;
 * }
 * ```
 */
export function Ttl(duration: Duration, options?: TtlOptions): TtlDecorator;
export function Ttl(): RangeDecorator<Date, Date | null | undefined>;
export function Ttl(duration?: Duration, { onWrite }: TtlOptions = {}): (...args: never) => void {
  return (
    target: object | undefined,
    context: ClassContext | PropertyArguments[1],
    descriptor?: PropertyDescriptor,
  ) => {
    if (context === undefined || (typeof context === 'object' && context.kind === 'class')) {
      ttlOfClass(target as object, context, duration, onWrite); // A class decorator always has a target.
    } else {
      ttlOfField([target, context, descriptor], duration);
    }
  };
}

function ttlOfClass(
  target: object,
  context: ClassContext,
  duration: Duration | undefined,
  onWrite: OnWrite | undefined,
): void {
  noteClass(target, context, (notes) => {
    const problem = (text: string) => notes.problems.push({ text });
    if (duration === undefined) problem("has @Ttl() without a duration. Say how long: @Ttl('30m').");
    else if (notes.ttl !== undefined) problem('has @Ttl twice. Keep one.');
    else notes.ttl = { duration, onWrite };
  });
}

function ttlOfField(args: PropertyArguments, duration: Duration | undefined): void {
  noteField('@Ttl', args, (field, _name, problem) => {
    if (duration !== undefined) {
      problem('has @Ttl with a duration. On a field @Ttl() takes none: the date in the field is the deadline.');
    }
    field.deadline = true;
  });
}
