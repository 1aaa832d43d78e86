import { z } from 'zod';
import { openRecord } from '../core/codec/index.ts';
import { NorimakiError } from '../core/errors.ts';
import { decodeTuple, encodeTuple, type KeyPart, prefixRange } from '../core/keys/index.ts';
import type { IdPart } from '../core/model/model.ts';
import { canScan, type Key, type ScanStore, type Store, type Stored } from '../core/store.ts';
import { defineEntity } from '../decorators/define-entity.ts';
import { modelOf } from '../decorators/index.ts';
import { Keyspace } from '../repositories/keyspace.ts';
import { UsageError } from './usage-error.ts';

/** A record as it is stored, without what only its class knows. */
export interface RawRecord {
  readonly entity: string;
  readonly id: readonly IdPart[];
  readonly version: string;
  /** ISO 8601. */
  readonly expiresAt: string | undefined;
  /** Of the value in the store. */
  readonly bytes: number;
  /** The schema version that it was written with. */
  readonly schema?: number;
  readonly fields?: unknown;
  /** Why it cannot be read. */
  readonly problem?: string;
}

/** Where records are: as for `open` and `forTenant`, and the generation of a managed tenant. */
export interface Where {
  readonly root: string;
  readonly tenant: string | undefined;
  readonly generation: number;
  readonly entity: string;
}

/** The keys of an entity whose class nobody knows. */
export function keyspaceOf({ root, tenant, generation, entity }: Where): Keyspace {
  const source = defineEntity(entity, z.object({ id: z.string() }), { id: 'id' });
  return new Keyspace(modelOf(source), root, { tenant, generation });
}

export function rawRecord(entity: string, id: readonly IdPart[], { value, version, expiresAt }: Stored): RawRecord {
  const deadline = expiresAt === undefined ? undefined : isoOf(expiresAt);
  const known = { entity, id, version, expiresAt: deadline, bytes: value.length };
  try {
    const { envelope, json } = openRecord(value, () => entity, entity);
    return { ...known, schema: envelope.schema, fields: json };
  } catch (error) {
    if (!NorimakiError.is(error, 'record.corrupt')) throw error;
    return { ...known, problem: error.details.issues.map(({ message }) => message).join('; ') };
  }
}

/** What an id on a command line may stand for: texts first, then numbers, bigints, booleans and dates where they fit. */
export function idCandidates(words: readonly string[]): IdPart[][] {
  const readings: ((word: string) => IdPart | undefined)[] = [
    (word) => word,
    (word) => (word.trim() !== '' && Number.isFinite(Number(word)) ? Number(word) : undefined),
    (word) => (/^-?\d+$/.test(word) ? BigInt(word) : undefined),
    (word) => (word === 'true' || word === 'false' ? word === 'true' : undefined),
    (word) => (/^\d{4}-/.test(word) && !Number.isNaN(Date.parse(word)) ? new Date(word) : undefined),
  ];
  return readings
    .map((read) => words.map((word) => read(word) ?? word))
    .filter((id, i) => i === 0 || id.some((part) => typeof part !== 'string'));
}

/** A store that scans. Errors: `UsageError`. */
export function requireScan(store: Store): ScanStore {
  if (canScan(store)) return store;
  throw new UsageError('This server cannot list what it has (a plain NoriKV server): name an id.');
}

const MOST_NAMES = 20;

/** What stands behind these parts in the keys of a store, each once. */
export async function namesBehind(
  store: ScanStore,
  parts: readonly KeyPart[],
  signal: AbortSignal,
): Promise<KeyPart[]> {
  const names: KeyPart[] = [];
  let range = prefixRange(encodeTuple(parts));
  while (names.length < MOST_NAMES) {
    const [first] = (await store.scan(range, { limit: 1, signal })).entries;
    const name = first === undefined ? undefined : partAt(first.key, parts.length);
    if (name === undefined) break;
    names.push(name);
    // On behind all keys of this name.
    range = { start: prefixRange(encodeTuple([...parts, name])).end, end: range.end };
  }
  return names;
}

/** `undefined` for a key that no program of norimaki's made. */
function partAt(key: Key, index: number): KeyPart | undefined {
  try {
    return decodeTuple(key)[index];
  } catch (error) {
    if (NorimakiError.is(error, 'argument.invalid')) return undefined;
    throw error;
  }
}

function isoOf(instant: number): string {
  const date = new Date(instant);
  // A deadline may lie beyond all dates.
  return Number.isNaN(date.getTime()) ? String(instant) : date.toISOString();
}
