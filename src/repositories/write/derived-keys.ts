import { keyName } from '../../core/keys/index.ts';
import type { FieldGroup } from '../../core/model/model.ts';
import type { Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { LiveRecord } from '../snapshot.ts';

export interface Claim {
  readonly key: Key;
  readonly group: FieldGroup;
}

/** The keys that follow from a record's fields, by their bytes as text. */
export interface DerivedKeys {
  readonly claims: ReadonlyMap<string, Claim>;
  readonly entries: ReadonlyMap<string, Key>;
}

/** Whether anything follows from the fields of such records. */
export function derivesKeys({ model }: RepositoryContext): boolean {
  return model.uniques.length > 0 || model.indexes.length > 0;
}

const NONE: DerivedKeys = { claims: new Map(), entries: new Map() };
const known = new WeakMap<LiveRecord, DerivedKeys>();

/** The keys under which unique constraints and indexes hold a record. Errors: `record.corrupt`, `argument.invalid`. */
export function derivedKeys(context: RepositoryContext, record: LiveRecord | undefined): DerivedKeys {
  if (record === undefined || !derivesKeys(context)) return NONE;
  const cached = known.get(record);
  if (cached !== undefined) return cached;
  const { model, keys } = context;
  const { derived: held } = record.envelope;
  // Of the fields as stored, because a schema may normalise them (`z.string().toLowerCase()`).
  const { values } = record.decode();
  const claims = new Map<string, Claim>();
  for (const group of model.uniques) {
    const key = keys.holds(group, held) ? keys.unique(group, values) : undefined;
    if (key !== undefined) claims.set(keyName(key), { key, group });
  }
  const entries = new Map<string, Key>();
  for (const group of model.indexes) {
    const key = keys.holds(group, held) ? keys.indexEntry(group, values) : undefined;
    if (key !== undefined) entries.set(keyName(key), key);
  }
  const derived = { claims, entries };
  known.set(record, derived);
  return derived;
}
