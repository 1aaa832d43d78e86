import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import type { EmbeddingModel } from '../../core/model/model.ts';
import type { Stored } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { hydrate } from '../entity.ts';
import { describeRecord, isExpired, openStored } from '../snapshot.ts';
import type { CatalogState, SpacesInUse } from './catalog.ts';
import { parseEntries } from './entry.ts';
import type { OutboxItem } from './outbox-item.ts';
import { textsBehind } from './passages.ts';
import { hashOfText } from './space.ts';
import type { VectorContext } from './vector-context.ts';
import { vectorIds } from './vector-id.ts';

/** A vector that a record names and the store does not have. */
export interface MissingVector {
  readonly embedder: string;
  readonly namespace: string;
  readonly id: string;
  readonly text: string;
}

/** What an entry of the outbox asks for, by the record as it stands. */
export type OutboxPlan =
  /** There is no record, so nothing is asked for. */
  | { readonly kind: 'gone' }
  /** It has expired by this clock, and may live on by another: until the store drops it that is open. */
  | { readonly kind: 'expired' }
  /** The code makes another text than that which was saved. */
  | { readonly kind: 'refresh'; readonly renew?: string | undefined }
  | { readonly kind: 'failed'; readonly version: Version; readonly error: unknown }
  | {
      readonly kind: 'make';
      readonly version: Version;
      readonly missing: readonly MissingVector[];
      /** An embedding of which this program cannot make all vectors: another one can. */
      readonly foreign: string | undefined;
    };

/** Which version of a record this worker has brought up to date with its code. */
export type Refreshed = Map<string, Version | undefined>;

/** Reads the records of entries and finds out what they lack. */
export async function planOutbox(
  context: RepositoryContext,
  vectors: VectorContext,
  items: readonly OutboxItem[],
  catalog: CatalogState,
  refreshed: Refreshed,
  signal: AbortSignal,
): Promise<OutboxPlan[]> {
  const { client, keys } = context;
  const records = await client.getMany(
    items.map(({ id }) => keys.record(id)),
    { signal },
  );
  const plans = items.map((item, i) => planOne(context, vectors, item, records[i], catalog, refreshed));
  return withoutPresent(context, plans, signal);
}

function planOne(
  context: RepositoryContext,
  vectors: VectorContext,
  { id, key }: OutboxItem,
  stored: Stored | undefined,
  catalog: CatalogState,
  refreshed: Refreshed,
): OutboxPlan {
  if (stored === undefined) return { kind: 'gone' };
  const { version } = stored;
  const { model } = context;
  const describe = (): string => describeRecord(model, id);
  try {
    const opened = openStored(context, id, stored);
    if (opened.envelope.tombstone === true) return { kind: 'gone' };
    if (isExpired(context, opened.envelope)) return { kind: 'expired' };
    const entity = hydrate(model, model.codec.decode(opened, describe).values, undefined);
    const entries = parseEntries(opened.envelope.vectors);
    const missing: MissingVector[] = [];
    let foreign: string | undefined;
    for (const embedding of model.embeddings) {
      if (embedding.mode !== 'deferred') continue;
      const text = embedding.source?.(entity);
      for (const { id: space, namespace, spec } of inUse(catalog, embedding)) {
        const entry = entries.find((known) => known.space === space);
        if (entry?.state !== 'wanted' || entry.given !== undefined) continue;
        if (spec.template !== embedding.template || vectors.embedders.get(spec.embedder) === undefined) {
          foreign = embedding.name;
        } else if (text === undefined || hashOfText(text) !== entry.source) {
          if (refreshed.get(keyName(key)) !== version) return { kind: 'refresh' };
          return { kind: 'failed', version, error: unsteady(context, embedding) };
        } else {
          const texts = textsBehind(spec, entry, text);
          if (texts === undefined) return { kind: 'refresh', renew: entry.generation };
          for (const [i, name] of vectorIds(describe, id, entry).entries()) {
            missing.push({ embedder: spec.embedder, namespace, id: name, text: texts[i] ?? text });
          }
        }
      }
    }
    return { kind: 'make', version, missing, foreign };
  } catch (error) {
    return { kind: 'failed', version, error };
  }
}

function inUse({ spaces }: CatalogState, { name }: EmbeddingModel) {
  const { active, building, previous }: Partial<SpacesInUse> = spaces.get(name) ?? {};
  return [active, building, previous].filter((space) => space !== undefined);
}

/** Of the plans, what the store does not have yet: after a crash, or where two embeddings came one by one. */
async function withoutPresent(
  { client }: RepositoryContext,
  plans: readonly OutboxPlan[],
  signal: AbortSignal,
): Promise<OutboxPlan[]> {
  const asked = new Map<string, string[]>();
  for (const plan of plans) {
    for (const { namespace, id } of plan.kind === 'make' ? plan.missing : []) {
      const ids = asked.get(namespace) ?? [];
      ids.push(id);
      asked.set(namespace, ids);
    }
  }
  const present = new Set<string>();
  for (const [namespace, ids] of asked) {
    const found = await client.vectors.getMany(namespace, ids, { signal });
    for (const [i, id] of ids.entries()) if (found[i] !== undefined) present.add(`${namespace} ${id}`);
  }
  return plans.map((plan) =>
    plan.kind === 'make'
      ? { ...plan, missing: plan.missing.filter(({ namespace, id }) => !present.has(`${namespace} ${id}`)) }
      : plan,
  );
}

function unsteady({ model }: RepositoryContext, { name }: EmbeddingModel): NorimakiError<'validation.failed'> {
  const message = 'makes another text of the same entity each time';
  return new NorimakiError(
    'validation.failed',
    `The function in from of ${model.name}.${name} ${message}. Let it depend on nothing but the entity.`,
    { entity: model.name, issues: [{ path: [name], message }] },
  );
}
