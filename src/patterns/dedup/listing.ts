import type { BlockCallOptions } from '../shared/options.ts';
import { getGroup, hashOf, liveIn } from './claims.ts';
import { canonicalOf, membersOf, rootOf, unite } from './clusters.ts';
import type { DedupContext } from './context.ts';
import { unknownDocument } from './errors.ts';
import { placeStored } from './place.ts';
import type { Entry, Group } from './records.ts';
import { settleReview } from './review.ts';
import type { Cluster } from './types.ts';

/** The cluster of a document; `undefined` for one that is not known. */
export async function clusterOf(
  context: DedupContext,
  id: string,
  options: BlockCallOptions,
): Promise<Cluster | undefined> {
  const { records, settings } = context;
  const entry = await records.entries.get({ name: settings.name, id }, { signal: options.signal });
  if (entry === undefined || (await liveIn(context, entry.key, id, options)) === undefined) return undefined;
  const root = await rootOf(context, entry.key, options);
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
  const [first, second] = await Promise.all([knownEntry(context, one, options), knownEntry(context, other, options)]);
  const pair = { one: first.key, other: second.key };
  if (pair.one !== pair.other)
    await unite(context, { ...pair, kind: 'merged', score: 1 }, { ...options, isRepair: true });
  await settleReview(context, pair, false, options);
  return cluster(context, one, options);
}

/** Gives a document a cluster of its own. Errors: `dedup.unknownDocument`. */
export async function split(context: DedupContext, id: string, options: BlockCallOptions): Promise<Cluster> {
  const entry = await knownEntry(context, id, options);
  const document = await context.documents.read(id, options);
  if (document === undefined || document.print.hash !== hashOf(entry.key))
    throw unknownDocument(context.settings.name, id);
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
  const [first, second] = await Promise.all([knownEntry(context, one, options), knownEntry(context, other, options)]);
  await settleReview(context, { one: first.key, other: second.key }, true, options);
}

async function knownEntry({ records, settings }: DedupContext, id: string, options: BlockCallOptions): Promise<Entry> {
  const entry = await records.entries.get({ name: settings.name, id }, { signal: options.signal });
  if (entry === undefined) throw unknownDocument(settings.name, id);
  return entry;
}

async function cluster(context: DedupContext, id: string, options: BlockCallOptions): Promise<Cluster> {
  const found = await clusterOf(context, id, options);
  if (found === undefined) throw unknownDocument(context.settings.name, id);
  return found;
}
