import { NorimakiError } from '../errors.ts';
import type { EmbeddingDeclaration, EmbeddingModel, EmbeddingSource, EntityDeclaration } from './model.ts';

/** The embeddings of a checked declaration. */
export function compileEmbeddings(declaration: EntityDeclaration): EmbeddingModel[] {
  return (declaration.embeddings ?? []).map((embedding) => ({
    name: embedding.name,
    isField: embedding.isField,
    source: embedding.from === undefined ? undefined : textSource(declaration, embedding.name, embedding.from),
    dimensions: embedding.dimensions,
    metric: embedding.metric ?? 'cosine',
    mode: embedding.mode ?? 'inline',
    embedder: embedding.embedder,
    index: embedding.index ?? 'hnsw',
    template: embedding.template ?? defaultTemplate(embedding),
    chunk: chunking(embedding),
  }));
}

function chunking({ chunk }: EmbeddingDeclaration): EmbeddingModel['chunk'] {
  if (chunk === undefined) return undefined;
  const { size, overlap = 0, limit } = chunk;
  return { size, overlap, limit };
}

/** The fields that a source names; none for a function. */
export function namedFields(from: EmbeddingSource): readonly string[] {
  if (typeof from === 'function') return [];
  return typeof from === 'string' ? [from] : from;
}

/** Other fields are another text. What a function makes cannot be seen: its author names it. */
function defaultTemplate({ from }: EmbeddingDeclaration): string {
  if (from === undefined) return 'given';
  return typeof from === 'function' ? '1' : `fields:${JSON.stringify(namedFields(from))}`;
}

function textSource(declaration: EntityDeclaration, name: string, from: EmbeddingSource): EmbeddingModel['source'] {
  const refuse = (message: string, cure: string): never => {
    throw new NorimakiError('validation.failed', `${declaration.name}.${name}: ${message}. ${cure}`, {
      entity: declaration.name,
      issues: [{ path: [name], message }],
    });
  };
  if (typeof from === 'function') {
    return (entity) => {
      // The compiler has checked that the function takes this entity.
      const text: unknown = (from as (entity: object) => unknown)(entity);
      if (isUnset(text) || typeof text === 'string') return usable(text);
      return refuse('the function in from made no text', 'Return a string, or undefined for no vector.');
    };
  }
  const fields = namedFields(from);
  return (entity) => {
    const lines = fields.flatMap((field) => {
      // An entity is read by field name.
      const value = (entity as Readonly<Record<string, unknown>>)[field];
      if (isUnset(value)) return [];
      const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (texts.every((text) => typeof text === 'string')) return texts;
      return refuse(`the field ${field} holds no text`, 'Make it one with a function in from: (entity) => text.');
    });
    return usable(lines.filter(isMeaningful).join('\n'));
  };
}

function isUnset(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isMeaningful(text: string): boolean {
  return text.trim() !== '';
}

/** A lone surrogate has no UTF-8: providers refuse the text, or read each something else. */
function usable(text: string | null | undefined): string | undefined {
  return !isUnset(text) && isMeaningful(text) ? text.toWellFormed() : undefined;
}
