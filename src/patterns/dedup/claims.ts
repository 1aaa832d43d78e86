import { randomId } from '../../core/random-id.ts';
import { type Change, changeRecord } from '../shared/change-record.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { leaveBuckets } from './buckets.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import type { Group } from './records.ts';

/** Of a document that is kept apart: what follows the hash of its text. */
const APART = '~';

/** The key of a group that only one document will ever be in. */
export function apartKey(hash: string, { environment }: DedupContext): string {
  return `${hash}${APART}${randomId(environment.random, 9)}`;
}

function isApartKey(key: string): boolean {
  return key.includes(APART);
}

/** The hash of the text of a group. */
export function hashOf(key: string): string {
  return key.split(APART, 1)[0] as string; // what is split has a first part
}

export function getGroup(
  { records, settings }: DedupContext,
  key: string,
  { signal }: BlockCallOptions,
): Promise<Group | undefined> {
  return records.groups.get({ name: settings.name, key }, { signal });
}

export function changeGroup(
  { records, settings }: DedupContext,
  key: string,
  change: Change<Group>,
  options: BlockCallOptions,
): Promise<Group | undefined> {
  return changeRecord(records.groups, { name: settings.name, key }, change, options);
}

/** A document, if it is there and has the text of the group, and is known to be in it. */
export async function liveIn(
  { documents, records, settings }: DedupContext,
  key: string,
  id: string,
  options: BlockCallOptions,
): Promise<Document | undefined> {
  const [document, entry] = await Promise.all([
    documents.read(id, options),
    records.entries.get({ name: settings.name, id }, { signal: options.signal }),
  ]);
  return document !== undefined && document.print.hash === hashOf(key) && entry?.key === key ? document : undefined;
}

/** The document that holds the text of a group, or a copy that can stand for it. */
export async function holderOf(
  context: DedupContext,
  { key, holder }: Pick<Group, 'key' | 'holder'>,
  options: BlockCallOptions,
  except?: string,
): Promise<Document | undefined> {
  const isHeld = holder !== undefined && holder !== except;
  const live = isHeld ? await liveIn(context, key, holder, options) : undefined;
  return live ?? heirOf(context, key, options, except);
}

async function heirOf(
  context: DedupContext,
  key: string,
  options: BlockCallOptions,
  except: string | undefined,
): Promise<Document | undefined> {
  if (isApartKey(key)) return undefined;
  for await (const ids of context.sets.copies(key).pages({ signal: options.signal })) {
    for (const id of ids) {
      const live = id === except ? undefined : await liveIn(context, key, id, options);
      if (live !== undefined) return live;
    }
  }
  return undefined;
}

export interface Claim {
  readonly group: Group;
  /** The document that holds the text, if it is another. */
  readonly other: Document | undefined;
}

/**
 * Claims a text for a document, which is stored and entered already. Of all who do so at the same time one holds it; whoever holds
 * it and is not there any more is replaced.
 */
export async function claim(
  context: DedupContext,
  key: string,
  id: string,
  buckets: readonly string[],
  options: BlockCallOptions,
): Promise<Claim> {
  const { records, settings, environment, sets } = context;
  const patience = new Patience(`A text of the deduplicator '${settings.name}'`, environment, options);
  /** At which turn whoever held it was gone, and who shall instead. */
  let gone: { readonly turn: number; readonly heir: Document | undefined } | undefined;
  for (;;) {
    const { clock, random } = environment;
    const mark = randomId(random, 6);
    const blank = (): Omit<Group, 'name' | 'key'> => ({
      holder: id,
      turn: 0,
      at: clock.now(),
      mark,
      buckets: [...buckets],
      isReady: false,
      isSettled: isApartKey(key),
      isApart: isApartKey(key),
    });
    const replaced = gone;
    const seen = await changeRecord(
      records.groups,
      { name: settings.name, key },
      (draft: Group, wasAbsent) => {
        if (wasAbsent) return true;
        if (draft.holder !== id) {
          if (replaced?.turn !== draft.turn) return false;
          // Whoever left it may still be taking it out of its buckets; and what came while nobody had it has not found it.
          if (draft.holder === undefined || replaced.heir === undefined) comeBack(draft, mark, buckets);
          draft.holder = replaced.heir?.id ?? id;
        }
        draft.turn += 1;
        return true;
      },
      options,
      blank,
    );
    const group = seen as Group; // there is one now: the call makes it
    if (group.holder === id) return { group, other: undefined };
    const live = group.holder === undefined ? undefined : await liveIn(context, key, group.holder, options);
    if (live !== undefined) {
      await sets.copies(key).add(id, options);
      const now = await getGroup(context, key, options);
      // Otherwise who held it may have left without having seen this copy.
      if (now?.holder === group.holder) return { group, other: live };
    } else {
      gone = { turn: group.turn, heir: await heirOf(context, key, options, id) };
      if (replaced === undefined) continue;
    }
    await patience.next();
  }
}

function comeBack(draft: Group, mark: string, buckets: readonly string[]): void {
  draft.mark = mark;
  draft.buckets = [...buckets];
  draft.isReady = false;
}

/** Takes a document out of a group whose text it has no more. Nothing happens to one that has it. */
export async function leave(context: DedupContext, key: string, id: string, options: BlockCallOptions): Promise<void> {
  const { sets, settings, environment } = context;
  const copies = sets.copies(key);
  const isBack = async (): Promise<boolean> => (await liveIn(context, key, id, options)) !== undefined;
  if (await isBack()) return;
  const wasCopy = await copies.remove(id, options);
  const patience = new Patience(`A text of the deduplicator '${settings.name}'`, environment, options);
  for (;;) {
    const group = await getGroup(context, key, options);
    if (await isBack()) {
      // It came back between the two, as a copy, and was taken out.
      if (wasCopy && group?.holder !== id) await copies.add(id, options);
      return;
    }
    if (group?.holder !== id) return;
    if (await passOn(context, group, options)) return;
    await patience.next();
  }
}

/** Gives the text of a document that is gone to a copy; without one nobody holds it. `false`: others were faster. */
async function passOn(context: DedupContext, group: Group, options: BlockCallOptions): Promise<boolean> {
  const { key, holder, turn } = group;
  const to = async (heir: Document | undefined, at: number): Promise<boolean> => {
    let isDone = false;
    await changeGroup(
      context,
      key,
      (draft) => {
        isDone = draft.turn === at;
        if (!isDone) return false;
        if (heir === undefined) delete draft.holder;
        else draft.holder = heir.id;
        draft.turn += 1;
        return true;
      },
      options,
    );
    return isDone;
  };
  const heir = await heirOf(context, key, options, holder);
  if (!(await to(heir, turn))) return false;
  if (heir !== undefined) return true;
  // A copy that came meanwhile either sees that nobody holds the text, or is seen here.
  const late = await heirOf(context, key, options, holder);
  if (late !== undefined) await to(late, turn + 1);
  else await leaveBuckets(context, group, options);
  return true;
}
