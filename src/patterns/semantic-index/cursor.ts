import { createHash } from 'node:crypto';
import { wrongCursor } from './errors.ts';

/** Bytes of the hash of a query, and of each entity that was on a page before. */
const HASH = 8;

/** Hits of all pages of one search. */
export const MAX_SEEN = 1000;

/**
 * What a cursor carries: a hash of the query, and of each entity that came before. So no entity comes twice, however
 * the ranks move while somebody turns pages; an offset could promise neither that nor the opposite.
 */
export class Seen {
  readonly #query: Buffer;
  readonly #entities: ReadonlySet<string>;

  /** `query`: all that makes it another one. Errors: `search.wrongCursor`. */
  constructor(search: string, query: unknown, cursor: string | undefined) {
    this.#query = hashOf(JSON.stringify(query, bigintAsText));
    const bytes = Buffer.from(cursor ?? '', 'base64url');
    const entities = new Set<string>();
    if (cursor !== undefined) {
      const isFit = bytes.length % HASH === 0 && bytes.length > HASH && bytes.length <= (MAX_SEEN + 1) * HASH;
      if (!isFit || bytes.toString('base64url') !== cursor || !bytes.subarray(0, HASH).equals(this.#query)) {
        throw wrongCursor(search);
      }
      for (let at = HASH; at < bytes.length; at += HASH) entities.add(bytes.toString('base64url', at, at + HASH));
    }
    this.#entities = entities;
  }

  get size(): number {
    return this.#entities.size;
  }

  has(key: string): boolean {
    return this.#entities.has(hashOf(key).toString('base64url'));
  }

  /** The cursor behind these as well. */
  next(keys: readonly string[]): string {
    const before = [...this.#entities].map((entity) => Buffer.from(entity, 'base64url'));
    return Buffer.concat([this.#query, ...before, ...keys.map(hashOf)]).toString('base64url');
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, HASH);
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
