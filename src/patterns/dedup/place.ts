import { NorimakiError } from '../../core/errors.ts';
import { changeRecord } from '../shared/change-record.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { apartKey, changeGroup, claim, hashOf, leave } from './claims.ts';
import { listUnder, rootOf, unite } from './clusters.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import { type Found, judge, similarToGroup } from './matches.ts';
import type { Entry, Group } from './records.ts';
import { areDifferent, offerForReview } from './review.ts';
import { bucketsOf } from './text/fingerprint.ts';

export interface PlaceOptions extends BlockCallOptions {
  /** It is to have a cluster of its own, which nothing joins by itself that has one; `'anew'` even if it has one already. */
  readonly apart?: boolean | 'anew' | undefined;
  /** Looks for what is similar even if that was done before. */
  readonly again?: boolean | undefined;
}

/** A document in its place. */
export interface Placed {
  readonly key: string;
  /** The text was there before under this id. */
  readonly isReplay: boolean;
  /** What it was compared with in this call, the most similar first. */
  readonly found: readonly Found[];
  /** How many clusters became one with its own. */
  readonly joined: number;
}

/**
 * Puts a document that is stored where its text belongs: claims the text, looks for what is similar, joins clusters. The same call
 * finishes what a crash has left, and changes nothing where all is done.
 */
async function place(context: DedupContext, document: Document, options: PlaceOptions): Promise<Placed> {
  const { id, print } = document;
  const { entry, isReplay } = await enter(context, document, options);
  await leaveAll(context, entry, options);
  const { key } = entry;
  const buckets = bucketsOf(print, context.settings);
  const { group, other } = await claim(context, key, id, buckets, options);
  if (other !== undefined) {
    const root = await rootOf(context, key, options);
    if (root !== undefined) await context.sets.clusters.add(root.key, options);
  }
  // A copy looks for whoever holds the text and has not done so: that one may have died, and the copy will inherit.
  const mustLook = !group.isReady || (other === undefined && options.again === true);
  if (!mustLook) return { key, isReplay, found: [], joined: 0 };
  const found = await similarToGroup(context, group, document, options);
  // In a sweep each lists itself.
  const isRepair = isReplay && options.again !== true;
  const { signal, retry } = options;
  const call = { signal, retry };
  let joined = 0;
  for (const item of found) {
    const pair = { kind: item.kind, score: item.score, one: key, other: item.key };
    const judgement = judge(context.settings, item);
    if (judgement === 'same') {
      const isLoose = options.again === true && (await areDifferent(context, pair, options));
      if (!isLoose && (await unite(context, pair, { ...call, isRepair })) === 'joined') joined++;
    }
    if (judgement === 'review') await offerForReview(context, pair, options);
  }
  const settled = await settle(context, group, options);
  // The text was given up and came back meanwhile: it is in no bucket as it was.
  if (settled?.mark !== group.mark) return place(context, document, options);
  // Whoever found this one first may have crashed before it was listed.
  if (settled.into !== undefined) await listUnder(context, settled, options);
  return { key, isReplay, found, joined };
}

/** Says in the entry of a document which text it has now, and which it had. */
async function enter(
  context: DedupContext,
  { id, print }: Document,
  { apart, ...options }: PlaceOptions,
): Promise<{ entry: Entry; isReplay: boolean }> {
  const { records, settings } = context;
  const own = apart ? apartKey(print.hash, context) : print.hash;
  let isReplay = false;
  const entry = await changeRecord(
    records.entries,
    { name: settings.name, id },
    (draft: Entry, wasAbsent) => {
      isReplay = !wasAbsent && hashOf(draft.key) === print.hash;
      const stays = isReplay && apart !== 'anew';
      // Written even if nothing changes: who takes the document out now must not succeed.
      draft.turn += 1;
      if (stays || wasAbsent) return true;
      draft.left = [...draft.left.filter((key) => key !== own && key !== draft.key), draft.key];
      draft.key = own;
      return true;
    },
    options,
    () => ({ key: own, left: [], turn: 0 }),
  );
  return { entry: entry as Entry, isReplay }; // there is one now: the call makes it
}

/** Leaves the texts that a document had before. */
async function leaveAll(context: DedupContext, { id, left }: Entry, options: BlockCallOptions): Promise<void> {
  if (left.length === 0) return;
  const { records, settings } = context;
  for (const key of left) await leave(context, key, id, options);
  await changeRecord(
    records.entries,
    { name: settings.name, id },
    (draft: Entry) => {
      const before = draft.left.length;
      draft.left = draft.left.filter((key) => !left.includes(key));
      return draft.left.length < before;
    },
    options,
  );
}

/** From here on the text is unique, unless it has joined a cluster already. */
function settle(context: DedupContext, { key, mark }: Group, options: BlockCallOptions): Promise<Group | undefined> {
  return changeGroup(
    context,
    key,
    (draft) => {
      if (draft.mark !== mark) return false;
      const isSettled = draft.isSettled || draft.into === undefined;
      if (draft.isReady && draft.isSettled === isSettled) return false;
      draft.isReady = true;
      draft.isSettled = isSettled;
      return true;
    },
    options,
  );
}

/**
 * Places a document as it is stored, until it stays as it was placed. `undefined` if it is not there any more, or too short to be
 * compared; then it is taken out.
 */
export async function placeStored(
  context: DedupContext,
  document: Document,
  options: PlaceOptions,
): Promise<(Placed & { readonly document: Document }) | undefined> {
  const { documents, settings, environment } = context;
  const patience = new Patience(`A document of the deduplicator '${settings.name}'`, environment, options);
  let current: Document | undefined = document;
  let isFirst = true;
  while (current !== undefined && !current.print.isTooShort) {
    const placed: Placed = await place(context, current, isFirst ? options : { ...options, apart: false });
    const now: Document | undefined = await documents.read(document.id, options);
    if (now?.print.hash === current.print.hash) return { ...placed, document: current };
    current = now;
    isFirst = false;
    await patience.next();
  }
  await takeOut(context, document.id, options);
  return undefined;
}

/** Takes out a document that is not there any more, or is not compared. */
export async function takeOut(context: DedupContext, id: string, options: BlockCallOptions): Promise<void> {
  const { records, settings, documents } = context;
  const { signal, retry } = options;
  const place = { name: settings.name, id };
  const entry = await records.entries.get(place, { signal });
  if (entry === undefined) return;
  const now = await documents.read(id, options);
  if (now !== undefined && now.print.hash === hashOf(entry.key) && !now.print.isTooShort) return;
  for (const key of new Set([...entry.left, entry.key])) await leave(context, key, id, options);
  await records.entries.delete(place, { ifMatch: entry.version, signal, retry }).catch((error: unknown) => {
    // Somebody has submitted it again.
    if (!NorimakiError.is(error, 'version.mismatch')) throw error;
  });
}
