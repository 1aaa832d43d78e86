import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { changeGroup, getGroup, holderOf } from './claims.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import type { Group, Link } from './records.ts';

// Clusters are a forest: each group leads into another or is the first of its cluster. One compare-and-swap of the group that
// leads on makes one cluster of two. It leads to one that comes before it, so that there are no rings: see `comesBefore`.

/** The first group of the cluster of a group; `undefined` if nobody has claimed the text yet. */
export async function rootOf(
  context: DedupContext,
  key: string,
  options: BlockCallOptions,
): Promise<Group | undefined> {
  return (await wayFrom(context, key, options)).at(-1);
}

/** A group, and all that lead on from it to the first of its cluster. */
async function wayFrom(context: DedupContext, key: string, options: BlockCallOptions): Promise<Group[]> {
  const way: Group[] = [];
  let next: string | undefined = key;
  while (next !== undefined) {
    const group: Group | undefined = await getGroup(context, next, options);
    if (group !== undefined) way.push(group);
    // Groups are never deleted, so that what leads on leads somewhere.
    next = group?.into?.key;
  }
  return way;
}

/** The same as {@link rootOf}. Whoever comes next has a shorter way. */
async function shortenTo(context: DedupContext, key: string, options: BlockCallOptions): Promise<Group | undefined> {
  const way = await wayFrom(context, key, options);
  const root = way.at(-1);
  for (const { key: passed } of way.slice(0, -2)) {
    await changeGroup(
      context,
      passed,
      (draft) => {
        if (root === undefined || draft.into === undefined || draft.into.key === root.key) return false;
        draft.into.key = root.key;
        return true;
      },
      options,
    );
  }
  return root;
}

/**
 * Whether a cluster stays when it becomes one with another: what was told to be unique before what was not, then what is older.
 * A group comes no later in this order while time passes, and no earlier once it leads on.
 */
function comesBefore(one: Group, other: Group): boolean {
  if (one.isSettled !== other.isSettled) return one.isSettled;
  return one.at !== other.at ? one.at < other.at : one.key < other.key;
}

/** Whether two clusters do not join by themselves. */
export function areApart(one: Group, other: Group): boolean {
  return one.isSettled && other.isSettled && (one.isApart || other.isApart);
}

/**
 * Makes one cluster of those of two texts. `'apart'` if one of them is kept apart from the other, or has not been claimed yet: then
 * who does so will look for the other. A repair also lists what was made one before.
 */
export async function unite(
  context: DedupContext,
  link: Omit<Link, 'key'>,
  { isRepair, ...options }: BlockCallOptions & { readonly isRepair: boolean },
): Promise<'joined' | 'one' | 'apart'> {
  const { settings, environment } = context;
  const patience = new Patience(`A cluster of the deduplicator '${settings.name}'`, environment, options);
  for (;;) {
    const [one, other] = await Promise.all([
      shortenTo(context, link.one, options),
      shortenTo(context, link.other, options),
    ]);
    if (one === undefined || other === undefined) return 'apart';
    if (one.key === other.key) {
      // Whoever made them one may have crashed before it listed them.
      if (isRepair) for (const key of [link.one, link.other]) await listAlong(context, key, options);
      return 'one';
    }
    if (link.kind !== 'merged' && areApart(one, other)) return 'apart';
    const [stays, joins] = comesBefore(one, other) ? [one, other] : [other, one];
    const seen = await changeGroup(
      context,
      joins.key,
      (draft) => {
        if (draft.into !== undefined || draft.isSettled !== joins.isSettled) return false;
        draft.into = { ...link, key: stays.key };
        return true;
      },
      options,
    );
    if (seen?.into !== undefined) await listUnder(context, seen, options);
    if (seen?.into?.key === stays.key) return 'joined';
    await patience.next();
  }
}

/** Lists a group that leads on, with all that joined it, under the first of its cluster. */
export async function listUnder(context: DedupContext, group: Group, options: BlockCallOptions): Promise<void> {
  const { sets } = context;
  let root = await rootOf(context, group.key, options);
  while (root !== undefined && root.key !== group.key) {
    const list = sets.members(root.key);
    await list.add(memberOf(group), options);
    for await (const members of sets.members(group.key).pages({ signal: options.signal })) {
      for (const member of members) await list.add(member, options);
    }
    await sets.clusters.add(root.key, options);
    // One that has joined another meanwhile may have been listed there before this was added.
    const now = await rootOf(context, root.key, options);
    if (now?.key === root.key) return;
    root = now;
  }
}

async function listAlong(context: DedupContext, key: string, options: BlockCallOptions): Promise<void> {
  const way = await wayFrom(context, key, options);
  for (const group of way.slice(0, -1)) await listUnder(context, group, options);
}

/** The document that stands for a cluster: of the oldest text that anybody has, its holder. */
export async function canonicalOf(
  context: DedupContext,
  root: Group,
  options: BlockCallOptions,
): Promise<Document | undefined> {
  const first = await holderOf(context, root, options);
  if (first !== undefined) return first;
  for await (const key of membersOf(context, root.key, options)) {
    const group = await getGroup(context, key, options);
    const holder = group && (await holderOf(context, group, options));
    if (holder !== undefined) return holder;
  }
  return undefined;
}

/** The groups that joined a cluster, the oldest first. */
export async function* membersOf(
  { sets }: DedupContext,
  root: string,
  { signal }: BlockCallOptions,
): AsyncGenerator<string, void, undefined> {
  for await (const members of sets.members(root).pages({ signal })) {
    for (const member of members) yield member.slice(AGE_LENGTH);
  }
}

/** Milliseconds since 1970 in base 36, for five thousand years. */
const AGE_LENGTH = 9;

function memberOf({ at, key }: Group): string {
  return Math.max(0, Math.floor(at)).toString(36).padStart(AGE_LENGTH, '0') + key;
}
