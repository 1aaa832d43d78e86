import { throwIfAborted } from '../../../core/abort.ts';
import type { VectorMatch } from '../../../core/vectors/index.ts';
import type { SpaceInfo } from './layout.ts';
import type { SpaceCache } from './space-cache.ts';
import { rowsAtOnce, type Scored, type VectorReader } from './vector-reader.ts';

/** Candidates beyond those looked for: memory measures with fewer digits and may hold what was just deleted. */
const SPARE = 2;
/** More candidates than this are not asked for: then LMDB itself is searched. */
const MOST_CANDIDATES = 4096;

export interface NearestSearch {
  readonly namespace: string;
  readonly info: SpaceInfo;
  readonly query: Float32Array;
  readonly k: number;
  /** Up to where memory must have followed; `undefined` if what it has will do. */
  readonly target: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The nearest of a namespace: candidates from memory, measured and ordered by what LMDB holds. */
export async function nearest(
  search: NearestSearch,
  cache: SpaceCache,
  reader: () => VectorReader,
): Promise<VectorMatch[]> {
  const { namespace, info, query, k, target, signal } = search;
  for (let wanted = k; wanted <= MOST_CANDIDATES; wanted *= 4) {
    const labels = await cache.search(query, { k: wanted, spare: SPARE, target, signal });
    const { scored, size } = reader().score(namespace, info, query, labels);
    scored.sort(nearerFirst);
    const hasMore = labels.length === wanted + SPARE;
    if (scored.length >= k ? !hasMore || isDecided(scored, k) : scored.length >= size) return matchesOf(scored, k);
    if (!hasMore) break;
  }
  return searchAll(search, reader);
}

/** Whether nobody beyond the candidates can be as near as the last that counts. */
function isDecided(scored: readonly Scored[], k: number): boolean {
  return (scored[k - 1] as Scored).distance < (scored.at(-1) as Scored).distance;
}

/**
 * Looks at every vector in LMDB, slice by slice. For what memory cannot answer: so many vectors at one distance that
 * their order by id needs all of them, or a memory in which most was deleted or replaced since it was asked.
 */
async function searchAll(
  { namespace, info, query, k, signal }: NearestSearch,
  reader: () => VectorReader,
): Promise<VectorMatch[]> {
  const limit = rowsAtOnce(info.options);
  let best: Scored[] = [];
  for (let from = 0, isMore = true; isMore; ) {
    throwIfAborted(signal);
    const slice = reader().scan(info, query, from, limit);
    from = (slice.at(-1)?.label ?? from) + 1;
    isMore = slice.length === limit;
    best = [...best, ...slice].sort(nearerFirst).slice(0, k + SPARE);
    if (isMore) await new Promise((resolve) => setImmediate(resolve));
  }
  // What was deleted meanwhile goes.
  const labels = best.map(({ label }) => label);
  return matchesOf(reader().score(namespace, info, query, labels).scored.sort(nearerFirst), k);
}

function nearerFirst(a: Scored, b: Scored): number {
  return a.distance - b.distance || a.id.compare(b.id);
}

function matchesOf(scored: readonly Scored[], k: number): VectorMatch[] {
  return scored.slice(0, k).map(({ id, distance }) => ({ id: id.toString('utf8'), distance }));
}
