import { fieldNameProblem } from '../codec/index.ts';
import { MAX_DIMENSIONS } from '../vectors/index.ts';
import { namedFields } from './embeddings.ts';
import { label } from './label.ts';
import type { EmbeddingDeclaration, EntityDeclaration, FieldDeclaration } from './model.ts';
import { listed, untextual } from './value-kinds.ts';

const MAX_NAME_BYTES = 64;

const CHOICES = {
  metric: ['cosine', 'euclidean', 'innerProduct'],
  mode: ['inline', 'deferred'],
  index: ['hnsw', 'exact'],
} as const satisfies { [K in keyof EmbeddingDeclaration]?: readonly EmbeddingDeclaration[K][] };

/** The mistakes in embeddings. */
export function embeddingProblems(declaration: EntityDeclaration): string[] {
  const { embeddings = [] } = declaration;
  return embeddings.flatMap((embedding, index) => {
    const bad = nameProblem(declaration, embedding);
    if (bad !== undefined) return [bad];
    const first = embeddings.findIndex(({ name }) => name === embedding.name);
    const place = first === index ? placeProblem(declaration, embedding) : twice(declaration, embedding);
    return [
      ...(place === undefined ? [] : [place]),
      ...sourceProblems(declaration, embedding),
      ...choiceProblems(declaration, embedding),
      ...chunkProblems(declaration, embedding),
    ];
  });
}

/** How messages call an embedding: as its author wrote it. */
function has(declaration: EntityDeclaration, { name, isField }: EmbeddingDeclaration): string {
  const entity = label(declaration);
  return isField ? `${entity}.${name} has @Embedding` : `${entity} has @Embedding(${JSON.stringify(name)})`;
}

function nameProblem(declaration: EntityDeclaration, embedding: EmbeddingDeclaration): string | undefined {
  const { name } = embedding;
  if (name === '' || !name.isWellFormed() || /\p{Cc}/u.test(name) || name.trim() !== name) {
    return `${label(declaration)} has @Embedding(${JSON.stringify(name)}), an ill-formed name. Use a plain word.`;
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    return `${label(declaration)} has @Embedding with a name of ${bytes} bytes. Use at most ${MAX_NAME_BYTES}.`;
  }
  const problem = fieldNameProblem(name);
  return problem === undefined ? undefined : `${has(declaration, embedding)}. ${problem}`;
}

function twice(declaration: EntityDeclaration, { name }: EmbeddingDeclaration): string {
  return `${label(declaration)} has two embeddings named ${name}, on the field and on the class. Keep one.`;
}

function placeProblem(declaration: EntityDeclaration, embedding: EmbeddingDeclaration): string | undefined {
  const field = declaration.fields.find(({ name }) => name === embedding.name);
  if (field === undefined) return undefined;
  if (!embedding.isField) {
    return `${has(declaration, embedding)}, the name of a field. Give the embedding another name.`;
  }
  const others = new Intl.ListFormat('en').format(marksOf(declaration, field));
  return `${has(declaration, embedding)} and ${others}. The field only takes a vector and is not stored: remove ${others}, or give the embedding a field of its own.`;
}

function marksOf({ ids, uniques, indexes }: EntityDeclaration, field: FieldDeclaration): string[] {
  const marks = {
    '@Field': field.schema !== undefined,
    '@Id': ids.some(({ name }) => name === field.name),
    '@Versioned': field.versioned,
    '@Ttl': field.deadline,
    '@Unique': uniques.some(({ fields }) => fields.includes(field.name)),
    '@Index': indexes.some(({ fields }) => fields.includes(field.name)),
  };
  return Object.entries(marks).flatMap(([mark, isThere]) => (isThere ? [mark] : []));
}

function sourceProblems(declaration: EntityDeclaration, embedding: EmbeddingDeclaration): string[] {
  const at = has(declaration, embedding);
  const { from, dimensions, mode, embedder } = embedding;
  if (from === undefined) {
    const found: string[] = [];
    if (dimensions === undefined) {
      found.push(
        `${at} without a source. Say what it embeds: { from: 'name' }; or, for vectors that you give, how long they are: { dimensions: 384 }.`,
      );
    } else if (!isDimensions(dimensions)) {
      found.push(`${at} with dimensions that are no whole number from 1 to ${MAX_DIMENSIONS}.`);
    }
    if (mode === 'deferred') {
      found.push(`${at} in mode 'deferred' without from. A vector that is given is there at once: remove mode.`);
    }
    if (embedder !== undefined) {
      found.push(`${at} with an embedder but without from. Say what to embed, or remove embedder.`);
    }
    return found;
  }
  const found = fromProblems(declaration, embedding, from);
  if (dimensions !== undefined) {
    found.push(`${at} with from and dimensions. The embedder knows its dimensions: remove them.`);
  }
  if (embedder !== undefined && !isEmbedder(embedder)) {
    found.push(
      `${at} with an embedder that is none. An embedder has an id, dimensions from 1 to ${MAX_DIMENSIONS} and a function embed.`,
    );
  }
  return found;
}

function fromProblems(
  declaration: EntityDeclaration,
  embedding: EmbeddingDeclaration,
  from: NonNullable<EmbeddingDeclaration['from']>,
): string[] {
  if (typeof from === 'function') return [];
  const at = has(declaration, embedding);
  // A program without types may pass anything.
  const names: unknown = namedFields(from);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    return [`${at} with a from that is no field, list of fields or function. Write from: 'name'.`];
  }
  if (names.length === 0) return [`${at} from no field. Name one, or leave from out and give the vectors.`];
  if (new Set(names).size < names.length) return [`${at} from a field twice. Name each once.`];
  return names.flatMap((name) => {
    const field = declaration.fields.find((field) => field.name === name && !field.versioned);
    if (field === undefined) {
      return [
        `${at} from ${JSON.stringify(name)}, which is no stored field. Name one, or use a function: (entity) => text.`,
      ];
    }
    // An id without a schema holds whatever a key can, and is looked at when there is one.
    const bad = field.schema === undefined ? [] : untextual(field.schema);
    return bad.length === 0
      ? []
      : [`${at} from ${name}, which holds ${listed(bad)}. Make it a text with a function: (entity) => text.`];
  });
}

function choiceProblems(declaration: EntityDeclaration, embedding: EmbeddingDeclaration): string[] {
  const at = has(declaration, embedding);
  const found = Object.entries(CHOICES).flatMap(([option, choices]) => {
    const value: unknown = embedding[option as keyof typeof CHOICES]; // Its own keys.
    if (value === undefined || (choices as readonly unknown[]).includes(value)) return [];
    const list = new Intl.ListFormat('en', { type: 'disjunction' }).format(choices.map((choice) => `'${choice}'`));
    return [`${at} with another ${option} than there is. Take ${list}.`];
  });
  const template: unknown = embedding.template;
  if (template !== undefined && (typeof template !== 'string' || template === '')) {
    found.push(`${at} with a template that is no name. Take a text, such as template: '2'.`);
  }
  return found;
}

const MIN_CHUNK = 16;
const MAX_CHUNK = 100_000;
/** What the entry of a record has room for. */
const MAX_PASSAGES = 4095;

function chunkProblems(declaration: EntityDeclaration, { chunk, from, ...embedding }: EmbeddingDeclaration): string[] {
  if (chunk === undefined) return [];
  const at = has(declaration, embedding);
  if (from === undefined) return [`${at} with chunk but without from. Only a text is cut: remove chunk.`];
  // A program without types may pass anything.
  const given: unknown = chunk;
  if (typeof given !== 'object' || given === null) {
    return [`${at} with a chunk that is none. Write chunk: { size: 800, overlap: 100 }.`];
  }
  const { size, overlap = 0, limit = 1 } = chunk;
  const isBetween = (value: unknown, least: number, most: number): boolean =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most; // An integer is a number.
  if (!isBetween(size, MIN_CHUNK, MAX_CHUNK)) {
    return [`${at} with a chunk.size that is no whole number from ${MIN_CHUNK} to ${MAX_CHUNK}.`];
  }
  const found: string[] = [];
  if (!isBetween(overlap, 0, Math.floor(size / 2))) {
    found.push(`${at} with a chunk.overlap that is no whole number from 0 to half of chunk.size.`);
  }
  if (!isBetween(limit, 1, MAX_PASSAGES)) {
    found.push(`${at} with a chunk.limit that is no whole number from 1 to ${MAX_PASSAGES}.`);
  }
  return found;
}

function isDimensions(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_DIMENSIONS; // An integer is a number.
}

/** A program without types may pass anything. */
function isEmbedder(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, dimensions, embed } = value as Readonly<Record<string, unknown>>; // Any object can be asked for a property.
  return typeof id === 'string' && id !== '' && isDimensions(dimensions) && typeof embed === 'function';
}
