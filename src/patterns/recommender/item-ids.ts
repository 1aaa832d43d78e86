import { decodeTuple, encodeTuple } from '../../core/keys/index.ts';
import type { EntityModel, IdPart } from '../../core/model/model.ts';
import type { Inside } from '../../repositories/internal.ts';

/** Names items by one string each, in records and in memory: their ids may have several parts, of any kind. */
export class ItemIds {
  readonly #inside: Inside;

  constructor(inside: Inside) {
    this.#inside = inside;
  }

  get #ids(): EntityModel['ids'] {
    return this.#inside.model.ids;
  }

  /** Errors: `argument.invalid`. */
  nameOf(id: unknown): string {
    return named(this.#inside.idParts(id));
  }

  /** Of an entity that was read. */
  nameOfItem(item: object): string {
    // An entity is read by field name, and its ids are parts of keys.
    return named(this.#ids.map(({ name }) => (item as Record<string, IdPart>)[name] as IdPart));
  }

  /** The id, as `get` takes it. */
  idOf(name: string): unknown {
    const parts = decodeTuple(Buffer.from(name, 'base64url'));
    if (this.#ids.length === 1) return parts[0];
    return Object.fromEntries(this.#ids.map((id, i) => [id.name, parts[i]]));
  }
}

function named(parts: readonly IdPart[]): string {
  return Buffer.from(encodeTuple(parts)).toString('base64url');
}
