import 'reflect-metadata/lite';
import type { $ZodType } from 'zod/v4/core';
import { NorimakiError } from '../core/errors.ts';
import type { IdGenerator, TtlDeclaration, Upcast } from '../core/model/index.ts';
import type { EmbeddingOptions } from './embedding-types.ts';

// Node 20 has no Symbol.metadata. tsc records no metadata without it; esbuild and SWC fall back to this very symbol. It is
// set here, in the module whose exports every decorator uses, so that no bundler drops it as a mere side effect.
const symbols: { metadata?: symbol } = Symbol;
symbols.metadata ??= Symbol.for('Symbol.metadata');
const metadataSymbol = symbols.metadata;

/** What `@Entity` was told beside the name. */
export interface EntityOptions {
  /** The version of the shape of the fields; 1 if not given. */
  readonly schema?: number | undefined;
  /** Step `n` turns the fields of schema version `n` into those of `n + 1`. */
  readonly upcast?: Readonly<Record<number, Upcast>> | undefined;
  /** How many operation ids a record remembers; 32 if not given. */
  readonly ring?: number | undefined;
}

/** What the decorators on one field of one class said. */
export interface FieldNotes {
  schema?: $ZodType;
  id?: { readonly generate?: IdGenerator | undefined };
  versioned?: boolean;
  deadline?: boolean;
  embedding?: EmbeddingOptions;
  /** In the order in which a reader meets them. */
  readonly unique: string[];
  readonly index: string[];
}

/** A mistake that a decorator saw; `field` is undefined for one of the class. */
export interface NotedProblem {
  readonly field?: string | undefined;
  readonly text: string;
}

/** An embedding of the class, without a field. */
export type NotedEmbedding = { readonly name: string } & EmbeddingOptions;

/** What the decorators on one class said, without its ancestors. */
export interface ClassNotes {
  entity?: { readonly name: string } & EntityOptions;
  ttl?: TtlDeclaration;
  tenantScoped?: boolean;
  /** In the order in which a reader meets them. */
  readonly embeddings: NotedEmbedding[];
  readonly fields: Map<string, FieldNotes>;
  readonly problems: NotedProblem[];
}

/** The legacy way passes a class, the standard way a context as well. */
export type ClassContext = ClassDecoratorContext | undefined;

// Registered, so that two copies of this library in one tree read each other's entities.
const NOTES = Symbol.for('norimaki.notes');

type Metadata = Record<PropertyKey, unknown>;

function emptyNotes(): ClassNotes {
  return { embeddings: [], fields: new Map(), problems: [] };
}

function standardNotes(metadata: Metadata | undefined): ClassNotes {
  if (metadata === undefined) {
    const problem =
      "The compiler made decorators without metadata. Set SWC's decoratorVersion or Babel's version to 2023-11.";
    throw new NorimakiError('model.invalid', problem, { entity: '', problems: [problem] });
  }
  // A subclass's metadata inherits from its parent's, which must not change.
  if (!Object.hasOwn(metadata, NOTES)) metadata[NOTES] = emptyNotes();
  return metadata[NOTES] as ClassNotes; // Written by the line above, here or in a sibling decorator.
}

function legacyNotes(target: object): ClassNotes {
  const known: ClassNotes | undefined = Reflect.getOwnMetadata(NOTES, target);
  if (known !== undefined) return known;
  const notes = emptyNotes();
  Reflect.defineMetadata(NOTES, notes, target);
  return notes;
}

/** The notes that the decorators of this very class made, in either mode. */
export function ownNotes(target: object): ClassNotes | undefined {
  const legacy: ClassNotes | undefined = Reflect.getOwnMetadata(NOTES, target);
  if (legacy !== undefined || !Object.hasOwn(target, metadataSymbol)) return legacy;
  const metadata = (target as Metadata)[metadataSymbol] as Metadata;
  return Object.hasOwn(metadata, NOTES) ? (metadata[NOTES] as ClassNotes) : undefined;
}

/** Notes what a decorator of a class says. */
export function noteClass(target: object, context: ClassContext, note: (notes: ClassNotes) => void): void {
  note(context === undefined ? legacyNotes(target) : standardNotes(context.metadata));
}

/** What a decorator of a property is called with; legacy mode passes a descriptor for methods and accessors. */
export type PropertyArguments = readonly [
  target: object | undefined,
  context: string | symbol | ClassMemberDecoratorContext,
  descriptor?: PropertyDescriptor | undefined,
];

/** Notes what a decorator of a property says, unless it stands where there is no field. */
export function noteField(
  decorator: string,
  [target, context, descriptor]: PropertyArguments,
  note: (field: FieldNotes, name: string, problem: (text: string) => void) => void,
): void {
  const standard = typeof context === 'object';
  // The legacy way passes the prototype, or the constructor for a static member.
  const legacyClass = typeof target === 'function' ? target : target?.constructor;
  const notes = standard ? standardNotes(context.metadata) : legacyNotes(legacyClass as object);
  // Types refuse it there; a program that is not checked may have it.
  if (standard ? (context.kind as string) === 'class' : context === undefined) {
    notes.problems.push({ text: `is a class, and ${decorator} goes on one of its fields.` });
    return;
  }
  const key = standard ? context.name : context;
  const kind = standard
    ? standardKind(context)
    : legacyKind(typeof target === 'function', typeof key === 'symbol', descriptor);
  const name = String(key);
  const problem = (text: string) => notes.problems.push({ field: name, text });
  if (kind !== 'field') {
    problem(`is ${kind}, and ${decorator} goes on a plain field.`);
    return;
  }
  const field = notes.fields.get(name) ?? { unique: [], index: [] };
  notes.fields.set(name, field);
  note(field, name, problem);
}

function standardKind({ kind, name, static: isStatic, private: isPrivate }: ClassMemberDecoratorContext): string {
  if (isStatic) return 'static';
  if (isPrivate) return 'private';
  if (typeof name === 'symbol') return 'named by a symbol';
  return kind === 'field' ? kind : article(kind);
}

function legacyKind(isStatic: boolean, isSymbol: boolean, descriptor: PropertyDescriptor | undefined): string {
  if (isStatic) return 'static';
  if (isSymbol) return 'named by a symbol';
  if (descriptor?.get !== undefined) return 'a getter';
  if (descriptor?.set !== undefined) return 'a setter';
  return typeof descriptor?.value === 'function' ? 'a method' : 'field';
}

function article(kind: string): string {
  return kind === 'accessor' ? 'an accessor' : `a ${kind}`;
}
