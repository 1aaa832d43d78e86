import type { SearchHit } from '../../repositories/index.ts';
import { jaccard } from '../shared/jaccard.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { enterBuckets, type Neighbour, readBuckets } from './buckets.ts';
import { getGroup, hashOf, holderOf } from './claims.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import type { Group } from './records.ts';
import { bucketsOf, type Fingerprint } from './text/fingerprint.ts';
import { sharedPassages } from './text/passages.ts';
import type { Match } from './types.ts';

/** A document that was compared, as it was read. */
export interface Found {
  /** The group of its text. */
  readonly key: string;
  readonly document: Document;
  readonly kind: 'near' | 'semantic';
  readonly score: number;
}

/** What the text of a group is similar to. The group is put into its buckets before anything is read. */
export async function similarToGroup(
  context: DedupContext,
  group: Group,
  { id, print }: Document,
  options: BlockCallOptions,
): Promise<Found[]> {
  const [near, semantic] = await Promise.all([
    enterBuckets(context, group, options).then((neighbours) => compared(context, print, neighbours, options)),
    context.documents.similarTo(id, options).then((hits) => known(context, hits, options)),
  ]);
  return best([...near, ...semantic].filter(({ key }) => key !== group.key));
}

/** What a text is similar to that is in no record. */
export async function similarToText(
  context: DedupContext,
  print: Fingerprint,
  except: string | undefined,
  options: BlockCallOptions,
): Promise<Found[]> {
  const { documents, settings } = context;
  const [near, semantic] = await Promise.all([
    readBuckets(context, bucketsOf(print, settings), options).then((neighbours) =>
      compared(context, print, neighbours, options),
    ),
    documents.search(print, options).then((hits) => known(context, hits, options)),
  ]);
  return best([...near, ...semantic].filter(({ document }) => document.id !== except));
}

/** Each neighbour that somebody holds, with its true similarity. */
async function compared(
  context: DedupContext,
  print: Fingerprint,
  neighbours: readonly Neighbour[],
  options: BlockCallOptions,
): Promise<Found[]> {
  const found = await Promise.all(
    neighbours.slice(0, context.settings.candidates).map(async ({ key, mark }): Promise<Found | undefined> => {
      const group = await getGroup(context, key, options);
      if (group?.mark !== mark) return undefined;
      const document = await holderOf(context, group, options);
      return document && { key, document, kind: 'near', score: jaccard(print.set, document.print.set) };
    }),
  );
  return found.filter((item) => item !== undefined);
}

/** Hits whose text has been claimed; others will look for what is similar to them themselves. */
async function known(
  { records, settings }: DedupContext,
  hits: readonly SearchHit<Document>[],
  { signal }: BlockCallOptions,
): Promise<Found[]> {
  const { semantic, review } = settings;
  if (semantic === undefined) return [];
  const least = semantic.threshold - review;
  // Of those that are too far only the nearest is told.
  const near = hits.filter(({ score }, at) => score >= least || at === 0);
  const entries = await records.entries.getMany(
    near.map(({ entity }) => ({ name: settings.name, id: entity.id })),
    { signal },
  );
  const found = near.map(({ entity, score }, at): Found | undefined => {
    const key = entries[at]?.key;
    const isEntered = key !== undefined && hashOf(key) === entity.print.hash;
    return isEntered ? { key, document: entity, kind: 'semantic', score } : undefined;
  });
  return found.filter((item) => item !== undefined);
}

/** Words in common say more than a model does; then the higher score. */
function best(found: Found[]): Found[] {
  return found.sort((a, b) => Number(b.kind === 'near') - Number(a.kind === 'near') || b.score - a.score);
}

/** Whether documents are duplicates, or nearly. */
export function judge({ near, semantic, review }: DedupContext['settings'], found: Found): 'same' | 'review' | 'other' {
  const threshold = found.kind === 'near' ? near.jaccard : (semantic?.threshold ?? Number.POSITIVE_INFINITY);
  if (found.score >= threshold) return 'same';
  return review > 0 && found.score >= threshold - review ? 'review' : 'other';
}

/** What is told of a document that was compared. */
export function matchOf(
  { settings }: DedupContext,
  print: Fingerprint,
  { document, kind, score }: Pick<Match, 'kind' | 'score'> & { readonly document: Document },
): Match {
  const shared =
    kind === 'exact' ? [] : sharedPassages(print.words, print.shingles, document.print.set, settings.near.words);
  return { kind, of: document.id, score, shared };
}
