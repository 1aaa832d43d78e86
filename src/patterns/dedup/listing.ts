import type { BlockCallOptions } from '../shared/options.ts';
import { getGroup, liveIn } from './claims.ts';
import { canonicalOf, membersOf, rootOf, unite } from './clusters.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import { unknownDocument } from './errors.ts';
import { placeStored } from './place.ts';
import type { Group } from './records.ts';
import { settleDifferent } from './review.ts';
import type { Cluster } from './types.ts';

interface Entered {
  readonly key: string;
  readonly document: Document;
}

/** The cluster of a document; `undefined` for one that is not known. */
export async function clusterOf(
  context: DedupContext,
  id: string,
  options: BlockCallOptions,
): Promise<Cluster | undefined> {
  const entered = await enteredAs(context, id, options);
  const root = entered && (await rootOf(context, entered.key, options));
  return root && (await whole(context, root, options));
}

/** Every cluster of two documents and more. */
export async function* allClusters(
  context: DedupContext,
  options: BlockCallOptions,
): AsyncGenerator<Cluster, void, undefined> {
  for await (const keys of context.sets.clusters.pages({ signal: options.signal })) {
    for (const key of keys) {
      const root = await getGroup(context, key, options);
      if (root === undefined || root.into !== undefined) continue;
      const cluster = await whole(context, root, options);
      if (cluster !== undefined && cluster.members.length > 1) yield cluster;
    }
  }
}

async function whole(context: DedupContext, root: Group, options: BlockCallOptions): Promise<Cluster | undefined> {
  const canonical = await canonicalOf(context, root, options);
  if (canonical === undefined) return undefined;
  const members = new Set([canonical.id]);
  for (const id of await documentsOf(context, root.key, options)) members.add(id);
  for await (const key of membersOf(context, root.key, options)) {
    for (const id of await documentsOf(context, key, options)) members.add(id);
  }
  return { id: root.key, canonical: canonical.id, members: [...members] };
}

/** The documents that have the text of a group. */
async function documentsOf(context: DedupContext, key: string, options: BlockCallOptions): Promise<string[]> {
  const group = await getGroup(context, key, options);
  const ids = group?.holder === undefined ? [] : [group.holder];
  for await (const copies of context.sets.copies(key).pages({ signal: options.signal })) ids.push(...copies);
  const live = await Promise.all(ids.map((id) => liveIn(context, key, id, options)));
  return live.filter((document) => document !== undefined).map(({ id }) => id);
}

/** Makes one cluster of those of two documents, because somebody says so. Errors: `dedup.unknownDocument`. */
export async function merge(
  context: DedupContext,
  one: string,
  other: string,
  options: BlockCallOptions,
): Promise<Cluster> {
  const pair = await keysOf(context, one, other, options);
  await unite(context, { ...pair, kind: 'merged', score: 1 }, { ...options, isRepair: true });
  return cluster(context, one, options);
}

/** Gives a document a cluster of its own. Errors: `dedup.unknownDocument`. */
export async function split(context: DedupContext, id: string, options: BlockCallOptions): Promise<Cluster> {
  const { document } = await known(context, id, options);
  await placeStored(context, document, { ...options, apart: 'anew' });
  return cluster(context, id, options);
}

/** Says of a pair that waits for review that it is not one. Errors: `dedup.unknownDocument`. */
export async function keepDifferent(
  context: DedupContext,
  one: string,
  other: string,
  options: BlockCallOptions,
): Promise<void> {
  await settleDifferent(context, await keysOf(context, one, other, options), options);
}

/** A document and the group that it is in; `undefined` if it is gone, or has a text that it was not submitted with. */
async function enteredAs(context: DedupContext, id: string, options: BlockCallOptions): Promise<Entered | undefined> {
  const { records, settings } = context;
  const entry = await records.entries.get({ name: settings.name, id }, { signal: options.signal });
  if (entry === undefined) return undefined;
  const document = await liveIn(context, entry.key, id, options);
  return document && { key: entry.key, document };
}

/** Errors: `dedup.unknownDocument`. */
async function known(context: DedupContext, id: string, options: BlockCallOptions): Promise<Entered> {
  const entered = await enteredAs(context, id, options);
  if (entered === undefined) throw unknownDocument(context.settings.name, id);
  return entered;
}

/** The groups of two documents. Errors: `dedup.unknownDocument`. */
async function keysOf(context: DedupContext, one: string, other: string, options: BlockCallOptions) {
  const [first, second] = await Promise.all([known(context, one, options), known(context, other, options)]);
  return { one: first.key, other: second.key };
}

async function cluster(context: DedupContext, id: string, options: BlockCallOptions): Promise<Cluster> {
  const found = await clusterOf(context, id, options);
  if (found === undefined) throw unknownDocument(context.settings.name, id);
  return found;
}
