import { NorimakiError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { EntitySource, Shape } from '../../core/model/types.ts';
import type { Metric } from '../../core/vectors/index.ts';
import type { Database, Repository, SearchHit, VectorRepository } from '../../repositories/index.ts';
import { type Inside, insideOf } from '../../repositories/internal.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import type { DedupSettings } from './settings.ts';
import { Fingerprint } from './text/fingerprint.ts';

/** What a user's entity looks like from here. */
export interface DocumentShape extends Shape {
  readonly entity: Readonly<Record<string, unknown>>;
  readonly input: Readonly<Record<string, unknown>>;
  readonly id: string;
}

/** A document that was read. */
export interface Document {
  readonly id: string;
  readonly print: Fingerprint;
}

const MAX_ID_BYTES = 512;

/** The user's entities: the texts in them, and their vectors. */
export class Documents {
  readonly #settings: DedupSettings;
  readonly #inside: Inside;
  readonly #model: EntityModel;
  readonly #idField: string;
  readonly #generate: EntityModel['ids'][number]['generate'];
  readonly #environment: Database['environment'];
  /** Its vectors can be searched only if there is a `semantic` part, for which that is checked. */
  readonly repository: Repository<DocumentShape> & VectorRepository<DocumentShape>;

  /** Errors: `argument.invalid`, those of `db.repo()`. */
  constructor(db: Database, source: EntitySource, settings: DedupSettings) {
    const repository = db.repo(source);
    // Every entity has fields with names; which of them are texts is checked here.
    this.repository = repository as unknown as Documents['repository'];
    const inside = insideOf(repository);
    const [id, ...others] = inside?.model.ids ?? [];
    if (inside === undefined || id === undefined || others.length > 0) {
      refuse('source', 'Deduplicator takes an entity with one id, which is a string.');
    }
    this.#settings = settings;
    this.#inside = inside;
    this.#model = inside.model;
    this.#idField = id.name;
    this.#generate = id.generate;
    this.#environment = db.environment;
    const { fields, semantic } = settings;
    const unknown = fields.filter((field) => !inside.model.fields.includes(field));
    if (unknown.length > 0) refuse('text', `${inside.model.name} has no field ${unknown.join(', ')}.`);
    if (semantic !== undefined && !inside.model.embeddings.some(({ name }) => name === semantic.embedding)) {
      refuse('semantic.embedding', `${inside.model.name} has no @Embedding ${semantic.embedding}.`);
    }
  }

  /** The input with an id, which is made here if the entity can. Errors: `argument.invalid`. */
  withId(input: object): { readonly id: string; readonly input: Readonly<Record<string, unknown>> } {
    // Read by field name, as the repository does.
    const given = input as Readonly<Record<string, unknown>>;
    const id = given[this.#idField] ?? this.#generate?.(this.#environment);
    return { id: checkId(id), input: { ...given, [this.#idField]: id } };
  }

  /** How the vectors of the embedding that is searched are compared. */
  get metric(): Metric {
    const { semantic } = this.#settings;
    return this.#model.embeddings.find(({ name }) => name === semantic?.embedding)?.metric ?? 'cosine';
  }

  /** The same document under another id. */
  renamed(input: Readonly<Record<string, unknown>>, id: string): Readonly<Record<string, unknown>> {
    return { ...input, [this.#idField]: id };
  }

  hasId(input: object): boolean {
    return this.#idField in input && (input as Readonly<Record<string, unknown>>)[this.#idField] !== undefined; // as above
  }

  idOf(entity: Readonly<Record<string, unknown>>): string {
    return checkId(entity[this.#idField]);
  }

  /** Errors: `argument.invalid` for a field that is no text. */
  printOf(values: Readonly<Record<string, unknown>>): Fingerprint {
    const texts = this.#settings.fields.map((field) => {
      const value = values[field] ?? '';
      return typeof value === 'string'
        ? value
        : refuse('text', `${this.#model.name}.${field} is compared and must be a string.`);
    });
    return new Fingerprint(texts, this.#settings);
  }

  /** The fingerprint of a text that is in no record. */
  printOfText(text: string | Readonly<Record<string, unknown>>): Fingerprint {
    const [first = ''] = this.#settings.fields;
    return this.printOf(typeof text === 'string' ? { [first]: text } : text);
  }

  async read(id: string, { signal }: BlockCallOptions): Promise<Document | undefined> {
    const found = await this.repository.get(id, { signal });
    return found && { id, print: this.printOf(found) };
  }

  /** Stores a document under an id that nobody has; `false`: somebody has. */
  async create(input: Readonly<Record<string, unknown>>, call: BlockCallOptions): Promise<boolean> {
    try {
      await this.repository.create(input, call);
      return true;
    } catch (error) {
      const isIdTaken = NorimakiError.is(error, 'already.exists') && error.details.fields === undefined;
      if (isIdTaken) return false;
      throw error;
    }
  }

  /** Deletes a document, unless it has another text by now. */
  async deleteSame({ id, print }: Document, { signal, retry }: BlockCallOptions): Promise<void> {
    for (;;) {
      const [seen] = await this.#inside.records([this.#inside.idParts(id)], { signal });
      // An entity is read by field name.
      const entity = seen?.entity() as DocumentShape['entity'] | undefined;
      if (seen === undefined || entity === undefined || !this.printOf(entity).equals(print)) return;
      try {
        await this.repository.delete(id, { ifMatch: seen.version, signal, retry });
        return;
      } catch (error) {
        if (!NorimakiError.is(error, 'version.mismatch')) throw error;
      }
    }
  }

  /** The nearest of a document by its own vector; none while that is still to be made. */
  async similarTo(id: string, { signal }: BlockCallOptions): Promise<readonly SearchHit<Document>[]> {
    const { semantic, candidates } = this.#settings;
    if (semantic === undefined) return [];
    try {
      const { hits } = await this.repository.similarTo(id, { field: semantic.embedding, limit: candidates, signal });
      return hits.map((hit) => this.#opened(hit));
    } catch (error) {
      if (NorimakiError.is(error, 'not.found')) return [];
      throw error;
    }
  }

  /** The nearest of a text. */
  async search({ text }: Fingerprint, { signal }: BlockCallOptions): Promise<readonly SearchHit<Document>[]> {
    const { semantic, candidates } = this.#settings;
    if (semantic === undefined) return [];
    const { hits } = await this.repository.search(text, { field: semantic.embedding, limit: candidates, signal });
    return hits.map((hit) => this.#opened(hit));
  }

  #opened({ entity, score, field }: SearchHit<DocumentShape['entity']>): SearchHit<Document> {
    return { entity: { id: this.idOf(entity), print: this.printOf(entity) }, score, field };
  }
}

/** Errors: `argument.invalid`. */
export function checkId(id: unknown): string {
  const isFit = typeof id === 'string' && id !== '' && id.isWellFormed() && Buffer.byteLength(id) <= MAX_ID_BYTES;
  if (isFit) return id;
  return refuse(
    'id',
    `The id of a document is a string of well-formed Unicode, not empty, of at most ${MAX_ID_BYTES} bytes.`,
  );
}
