import { NorimakiError } from '../core/errors.ts';
import type {
  EmbeddingDeclaration,
  EntityDeclaration,
  EntitySource,
  FieldDeclaration,
  FieldGroup,
  TtlDeclaration,
} from '../core/model/index.ts';
import { definitionOf } from './define-entity.ts';
import { type FieldNotes, type NotedEmbedding, type NotedProblem, ownNotes } from './notes.ts';

/**
 * What the decorators of a class and of its ancestors said, or what `defineEntity` was given; not yet checked.
 * Errors: `argument.invalid` for anything else.
 */
export function declarationOf(source: EntitySource): EntityDeclaration {
  const definition = definitionOf(source);
  if (definition !== undefined) return definition;
  if (typeof source === 'function') return classDeclaration(source);
  throw new NorimakiError(
    'argument.invalid',
    'This is no entity: pass a class with @Entity on it, or what defineEntity returned.',
    { argument: 'entity' },
  );
}

function classDeclaration(source: new () => object): EntityDeclaration {
  const className = source.name || '(anonymous class)';
  const entity = ownNotes(source)?.entity;
  const { fields, embeddings, ttl, tenantScoped, problems } = inheritedNotes(source);
  if (entity === undefined) problems.unshift({ text: missingEntity(source) });
  return {
    name: entity?.name ?? className,
    className,
    instantiate: () => new source(),
    fields: [...fields]
      .filter(([, notes]) => !isOnlyVector(notes))
      .map(([name, notes]) => fieldDeclaration(name, notes)),
    ids: [...fields].flatMap(([name, { id }]) => (id === undefined ? [] : [{ name, generate: id.generate }])),
    uniques: groups(fields, 'unique'),
    indexes: groups(fields, 'index'),
    embeddings: [...fieldEmbeddings(fields), ...classEmbeddings(embeddings)],
    schema: entity?.schema,
    upcast: entity?.upcast,
    ttl,
    ring: entity?.ring,
    tenantScoped,
    problems: problems.map(({ field, text }) =>
      field === undefined ? `${className} ${text}` : `${className}.${field} ${text}`,
    ),
  };
}

interface InheritedNotes {
  readonly fields: ReadonlyMap<string, FieldNotes>;
  readonly embeddings: ReadonlyMap<string, NotedEmbedding>;
  readonly ttl: TtlDeclaration | undefined;
  readonly tenantScoped: boolean | undefined;
  readonly problems: NotedProblem[];
}

function inheritedNotes(source: object): InheritedNotes {
  const fields = new Map<string, FieldNotes>();
  const embeddings = new Map<string, NotedEmbedding>();
  const problems: NotedProblem[] = [];
  let ttl: TtlDeclaration | undefined;
  let tenantScoped: boolean | undefined;
  for (const ancestor of lineage(source)) {
    const notes = ownNotes(ancestor);
    if (notes === undefined) continue;
    for (const [name, own] of notes.fields) fields.set(name, redeclared(fields.get(name), own));
    for (const embedding of notes.embeddings) embeddings.set(embedding.name, embedding);
    problems.push(...notes.problems);
    ttl = notes.ttl ?? ttl;
    tenantScoped = notes.tenantScoped ?? tenantScoped;
  }
  return { fields, embeddings, ttl, tenantScoped, problems };
}

/** The class and its ancestors, the oldest first. */
function lineage(source: object): object[] {
  const classes: object[] = [];
  for (let at: object | null = source; typeof at === 'function'; at = Object.getPrototypeOf(at)) classes.unshift(at);
  return classes;
}

/** A field of a parent, with what a child says of it anew. */
function redeclared(parent: FieldNotes | undefined, child: FieldNotes): FieldNotes {
  if (parent === undefined) return child;
  return {
    ...parent,
    ...child,
    unique: [...new Set([...parent.unique, ...child.unique])],
    index: [...new Set([...parent.index, ...child.index])],
  };
}

function fieldDeclaration(name: string, { schema, versioned, deadline }: FieldNotes): FieldDeclaration {
  return { name, schema, versioned, deadline };
}

/** A field for the vector alone is not stored; one that is more is a mistake, which the model tells. */
function isOnlyVector({ embedding, schema, id, versioned, deadline, unique, index }: FieldNotes): boolean {
  if (embedding === undefined || schema !== undefined || id !== undefined) return false;
  return !versioned && !deadline && unique.length === 0 && index.length === 0;
}

function fieldEmbeddings(fields: ReadonlyMap<string, FieldNotes>): EmbeddingDeclaration[] {
  return [...fields].flatMap(([name, { embedding }]) =>
    embedding === undefined ? [] : [{ ...embedding, name, isField: true }],
  );
}

function classEmbeddings(embeddings: ReadonlyMap<string, NotedEmbedding>): EmbeddingDeclaration[] {
  return [...embeddings.values()].map((embedding) => ({ ...embedding, isField: false }));
}

function groups(fields: ReadonlyMap<string, FieldNotes>, kind: 'unique' | 'index'): FieldGroup[] {
  const members = new Map<string, string[]>();
  for (const [field, notes] of fields) {
    for (const name of notes[kind]) members.set(name, [...(members.get(name) ?? []), field]);
  }
  return [...members].map(([name, fields]) => ({ name, fields }));
}

function missingEntity(source: object): string {
  const parent = lineage(source)
    .reverse()
    .find((ancestor) => ownNotes(ancestor)?.entity !== undefined) as { name: string } | undefined; // Only a class has notes.
  return parent === undefined
    ? "has no @Entity. Put @Entity('name') on the class."
    : `has no @Entity of its own, and inherits none from ${parent.name}. Put @Entity('name') on the class.`;
}
