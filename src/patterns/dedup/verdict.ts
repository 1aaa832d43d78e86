import { jaccard } from '../shared/jaccard.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { getGroup, holderOf } from './claims.ts';
import { canonicalOf, rootOf } from './clusters.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import { type Found, judge, matchOf, similarToText } from './matches.ts';
import type { Placed } from './place.ts';
import type { Group, Link } from './records.ts';
import type { Fingerprint } from './text/fingerprint.ts';
import type { Duplicate, Match, Verdict } from './types.ts';

/** What became of a document that is in its place. */
export async function verdictOf(
  context: DedupContext,
  { key, found, document }: Placed & { readonly document: Document },
  options: BlockCallOptions,
): Promise<Verdict> {
  const group = await getGroup(context, key, options);
  const root = await rootOf(context, key, options);
  // It was claimed in this call, and groups stay. If it was removed meanwhile it was unique then.
  if (group === undefined || root === undefined) return { kind: 'unique' };
  const holder = await holderOf(context, group, options);
  const canonical = (await canonicalOf(context, root, options)) ?? document;
  const place = { cluster: root.key, canonical: canonical.id };
  if (holder !== undefined && holder.id !== document.id) {
    return { ...matchOf(context, document.print, { kind: 'exact', score: 1, document: holder }), ...place };
  }
  if (canonical.id === document.id) return unique(context, document.print, found);
  const { kind, score, other } =
    (await foundIn(context, root.key, found, options)) ??
    (await linked(context, group, document, options)) ??
    // Neither was there any more.
    standIn(group.into, document, canonical);
  return { ...matchOf(context, document.print, { kind, score, document: other }), ...place };
}

type Evidence = Pick<Match, 'kind' | 'score'> & { readonly other: Document };

/** The most similar document that this call found in the cluster. */
async function foundIn(
  context: DedupContext,
  root: string,
  found: readonly Found[],
  options: BlockCallOptions,
): Promise<Evidence | undefined> {
  for (const { kind, score, document, key } of found) {
    if (judge(context.settings, { kind, score, document, key }) !== 'same') continue;
    if ((await rootOf(context, key, options))?.key === root) return { kind, score, other: document };
  }
  return undefined;
}

/** The document that brought this one into its cluster. */
async function linked(
  context: DedupContext,
  { key, into }: Group,
  document: Document,
  options: BlockCallOptions,
): Promise<Evidence | undefined> {
  if (into === undefined || into.kind === 'merged') return undefined;
  const group = await getGroup(context, into.one === key ? into.other : into.one, options);
  const other = group && (await holderOf(context, group, options));
  return other && standIn(into, document, other);
}

function standIn(link: Link | undefined, { print }: Document, other: Document): Evidence {
  const { kind = 'near', score = 1 } = link ?? {};
  return { kind, other, score: kind === 'near' ? jaccard(print.set, other.print.set) : score };
}

/** What would become of a text. Writes nothing. */
export async function lookUp(
  context: DedupContext,
  print: Fingerprint,
  except: string | undefined,
  options: BlockCallOptions,
): Promise<Verdict> {
  const group = await getGroup(context, print.hash, options);
  const holder = group && (await holderOf(context, group, options, except));
  if (group !== undefined && holder !== undefined) {
    return duplicate(context, print, { kind: 'exact', score: 1, other: holder }, group.key, options);
  }
  const found = await similarToText(context, print, except, options);
  const [same] = found.filter((item) => judge(context.settings, item) === 'same');
  if (same === undefined) return unique(context, print, found);
  const { kind, score, document, key } = same;
  return duplicate(context, print, { kind, score, other: document }, key, options);
}

async function duplicate(
  context: DedupContext,
  print: Fingerprint,
  { kind, score, other }: Evidence,
  key: string,
  options: BlockCallOptions,
): Promise<Duplicate> {
  const root = await rootOf(context, key, options);
  const canonical = root && (await canonicalOf(context, root, options));
  return {
    ...matchOf(context, print, { kind, score, document: other }),
    cluster: root?.key ?? key,
    canonical: canonical?.id ?? other.id,
  };
}

function unique(context: DedupContext, print: Fingerprint, found: readonly Found[]): Verdict {
  const nearest = found
    .filter((item) => judge(context.settings, item) !== 'same')
    .reduce<Found | undefined>(
      (best, item) => (best === undefined || item.score > best.score ? item : best),
      undefined,
    );
  return nearest === undefined ? { kind: 'unique' } : { kind: 'unique', nearest: matchOf(context, print, nearest) };
}

/** Whether a verdict names another document. */
export function isDuplicate(verdict: Verdict): verdict is Duplicate {
  return verdict.kind !== 'unique' && verdict.kind !== 'tooShort';
}
