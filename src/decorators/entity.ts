import { type ClassContext, type EntityOptions, noteClass } from './notes.ts';

/** A decorator of a class that is made with `new` and no arguments. */
export type EntityDecorator = (target: new () => object, context?: ClassDecoratorContext) => void;

/**
 * Makes a class an entity under a name, which is part of every key: two programs that share data share the name.
 * A subclass inherits the fields, not the name.
 *
 * @example
 * ```ts
 * @Entity('product', { schema: 2, upcast: { 1: ({ title, ...rest }) => ({ ...rest, name: title }) } })
 * class Product {
 *   @Id() sku!: Id<string>;
 *   @Field(z.string()) name!: string;
 * }
 * ```
 */
export function Entity(name: string, options: EntityOptions = {}): EntityDecorator {
  return (target: object, context: ClassContext) => {
    noteClass(target, context, (notes) => {
      if (notes.entity === undefined) notes.entity = { ...options, name };
      else notes.problems.push({ text: 'has @Entity twice. Keep one.' });
    });
  };
}
