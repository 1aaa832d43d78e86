import { diversified } from '../shared/diversified.ts';
import { byVectors, isEmbedderFailure, type VectorSide } from './by-vectors.ts';
import { byWords } from './by-words.ts';
import { MAX_SEEN } from './cursor.ts';
import { fuse } from './fuse.ts';
import { likenessOf } from './likeness.ts';
import { type Plan, poolOf } from './plan.ts';
import type { Fused, Side } from './ranked.ts';
import type { SearchParts } from './search-parts.ts';
import type { Lack, SearchPage } from './types.ts';

/** One page: both sides are asked, what they found is one list, and the best of it that were on no page before are the page. */
export async function findPage(parts: SearchParts, plan: Plan): Promise<SearchPage<object>> {
  const { words } = parts;
  const { lexicalWeight, seen, limit, signal } = plan;
  // It is to be known before anything is asked.
  if (lexicalWeight > 0) words?.checkReady();
  const vector = lexicalWeight < 1 ? await nearest(parts, plan) : undefined;
  const isDown = lexicalWeight < 1 && vector === undefined;
  const known = new Map(vector?.ranked.map(({ key, entity }) => [key, entity]));
  const asksWords = words !== undefined && (lexicalWeight > 0 || isDown);
  const lexical = asksWords ? await byWords(parts, words, isDown ? withoutVectors(plan) : plan, known) : undefined;
  const sides: readonly Side[] = [vector, lexical].filter((side) => side !== undefined);
  const rest = fuse(vector?.ranked, lexical?.ranked, lexicalWeight).filter(({ key }) => !seen.has(key));
  const hits = await chosen(parts, plan, rest);
  const exhausted = sides.every((side) => side.exhausted) && rest.length <= hits.length;
  const isCutOff = sides.some((side) => !side.exhausted && side.ranked.length >= plan.depth && plan.depth < MAX_SEEN);
  const goesOn = rest.length > hits.length || isCutOff;
  return {
    hits: hits.map(({ entity, score, passage, why }) => ({ entity, score, passage, why })),
    exhausted,
    dropped: sides.reduce((sum, { dropped }) => sum + dropped, 0),
    pending: vector?.pending ?? 0,
    lacks: lacksOf(isDown, asksWords && words.isBehind),
    next:
      goesOn && hits.length > 0 && seen.size + hits.length < MAX_SEEN
        ? seen.next(hits.map(({ key }) => key))
        : undefined,
  };

  /** The best `limit`, or less alike ones. */
  async function chosen(of: SearchParts, { diversify }: Plan, from: readonly Fused[]): Promise<readonly Fused[]> {
    if (diversify === 0) return from.slice(0, limit);
    const pool = from.slice(0, poolOf(limit));
    const likeness = await likenessOf(of, pool, signal);
    return diversified({ candidates: pool, relevance: spread(pool), likeness }, limit, diversify);
  }
}

/** Scores from 0 to 1: ranks fused differ by little, and what counts is where one stands among these. */
function spread(pool: readonly Fused[]): number[] {
  const scores = pool.map(({ score }) => score);
  const [least, most] = [Math.min(...scores), Math.max(...scores)];
  return scores.map((score) => (most === least ? 1 : (score - least) / (most - least)));
}

/** `undefined` while the embedder is down, where words may answer. */
async function nearest(parts: SearchParts, plan: Plan): Promise<VectorSide | undefined> {
  const mayFail = 'text' in plan.query && parts.settings.isLexicalWithoutEmbedder;
  // It is to be known before the words are needed.
  if (mayFail) parts.words?.checkReady();
  try {
    return await byVectors(parts, plan);
  } catch (error) {
    if (mayFail && isEmbedderFailure(error)) return undefined;
    throw error;
  }
}

function withoutVectors(plan: Plan): Plan {
  return { ...plan, lexicalWeight: 1 };
}

function lacksOf(isDown: boolean, isBehind: boolean): Lack[] {
  const lacks: Lack[] = [];
  if (isDown) lacks.push('vectors');
  if (isBehind) lacks.push('changes');
  return lacks;
}
