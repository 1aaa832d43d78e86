import { type $ZodType, safeDecode, safeEncode } from 'zod/v4/core';
import { issuesOf, notValid } from '../../core/codec/issues.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { EarlierEvent, EventSchemas } from './aggregate-types.ts';
import { unknownType } from './errors.ts';
import { describeStream, type StreamId } from './stream-id.ts';

/** How the personal fields of one type of event are found and replaced. */
export interface PersonalPlan {
  subjectOf(data: unknown): string;
  /** By field, as it is stored: what stands in its place once the subject was forgotten. */
  readonly replacements: ReadonlyMap<string, unknown>;
}

export interface EventCodecOptions {
  readonly aggregate: string;
  readonly version: number;
  readonly events: EventSchemas;
  readonly upcast: Readonly<Record<number, (event: EarlierEvent) => EarlierEvent>>;
  readonly personal: ReadonlyMap<string, PersonalPlan>;
}

/** Checks events, and turns their data into what is stored and back. */
export class EventCodec {
  readonly version: number;
  readonly #aggregate: string;
  readonly #schemas: ReadonlyMap<string, $ZodType>;
  readonly #upcast: EventCodecOptions['upcast'];
  readonly #personal: ReadonlyMap<string, PersonalPlan>;

  constructor({ aggregate, version, events, upcast, personal }: EventCodecOptions) {
    this.version = version;
    this.#aggregate = aggregate;
    this.#schemas = new Map(Object.entries(events));
    this.#upcast = upcast;
    this.#personal = personal;
  }

  /** The data as it is stored. Errors: `events.unknownType`, `validation.failed`. */
  encode(stream: StreamId, type: string, data: unknown): unknown {
    const schema = this.#schemas.get(type);
    if (schema === undefined) throw unknownType(stream, type);
    const entity = `${this.#aggregate}.${type}`;
    try {
      const result = safeEncode(schema, data as never); // zod types the input of an encode by the schema
      if (result.success) return result.data;
      throw invalid(entity, issuesOf(result.error.issues));
    } catch (error) {
      throw error instanceof NorimakiError ? error : notValid(entity, schema, error);
    }
  }

  /** Which of its fields are personal, if any are. */
  personalOf(type: string): PersonalPlan | undefined {
    return this.#personal.get(type);
  }

  /**
   * An event as the definition knows it now, from what a version of it stored. Errors: `events.unknownType`,
   * `record.corrupt`, and what an upcast throws.
   */
  decode(stream: StreamId, schema: number, stored: EarlierEvent): { readonly type: string; readonly data: unknown } {
    if (schema > this.version) throw newer(stream, schema, this.version);
    let event = stored;
    for (let version = schema; version < this.version; version++) event = this.#upcast[version]?.(event) ?? event;
    const { type, data } = event;
    const found = this.#schemas.get(type);
    if (found === undefined) throw unknownType(stream, type);
    const result = safeDecode(found, data as never); // as in encode
    if (result.success) return { type, data: result.data };
    const issues = issuesOf(result.error.issues);
    throw new NorimakiError(
      'record.corrupt',
      `An event of ${describeStream(stream)} does not fit the schema of ${this.#aggregate}.${type}. Raise the version of the aggregate and give it an upcast.`,
      { entity: `${this.#aggregate}.${type}`, issues },
    );
  }
}

function invalid(entity: string, issues: ReturnType<typeof issuesOf>): NorimakiError<'validation.failed'> {
  const places = issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`));
  return new NorimakiError('validation.failed', `${entity} is not valid: ${places.join('; ')}`, { entity, issues });
}

function newer(stream: StreamId, found: number, known: number): NorimakiError<'record.newer'> {
  return new NorimakiError(
    'record.newer',
    `An event of ${describeStream(stream)} was written by version ${found} of its aggregate, and this program knows ${known}. Update the program.`,
    { entity: stream.category, found, known },
  );
}
