/** Indices into the points that were given. */
export type Cluster = readonly number[];

interface Merging {
  readonly members: number[];
  isGone: boolean;
}

/** A merge that costs more than so many of the average one, or more than this part of all, joins what does not belong together. */
const FAR = 3;
const MOST_OF_ALL = 0.3;

/**
 * Divides points into at most `most` clusters: begins with each on its own, and joins the two that can be joined at the least cost
 * (the growth of the sum of squared distances to the centres) until there are few enough and all that is left is costly.
 *
 * Source: Ward 1963, with the recurrence of Lance and Williams 1967; as PinnerSage does (Pal et al. 2020).
 */
export function clustersOf(points: readonly Float32Array[], most: number): Cluster[] {
  const clusters: Merging[] = points.map((_, i) => ({ members: [i], isGone: false }));
  const costs = points.map((a) => Float64Array.from(points, (b) => squaredDistance(a, b) / 2));
  const far = totalOf(costs) * Math.min(MOST_OF_ALL, FAR / (points.length - 1));
  for (let left = points.length; left > 1; left--) {
    const [cost, a, b] = cheapest(costs, clusters);
    if (left <= most && cost > far) break;
    join(costs, clusters, a, b);
  }
  return clusters.filter(({ isGone }) => !isGone).map(({ members }) => members);
}

/** The sum of squared distances to the centre of all points: what all merges together cost. */
function totalOf(costs: readonly Float64Array[]): number {
  // Half of each squared distance; each pair is there twice.
  return costs.reduce((sum, row) => sum + row.reduce((rest, cost) => rest + cost, 0), 0) / Math.max(1, costs.length);
}

function cheapest(costs: readonly Float64Array[], clusters: readonly Merging[]): [cost: number, a: number, b: number] {
  let best: [number, number, number] = [Number.POSITIVE_INFINITY, 0, 0];
  for (let a = 0; a < costs.length; a++) {
    if (clusters[a]?.isGone) continue;
    const row = costs[a] as Float64Array; // Within its length.
    for (let b = a + 1; b < costs.length; b++) {
      if (!clusters[b]?.isGone && (row[b] as number) < best[0]) best = [row[b] as number, a, b];
    }
  }
  return best;
}

function join(costs: readonly Float64Array[], clusters: readonly Merging[], a: number, b: number): void {
  const [one, other] = [clusters[a] as Merging, clusters[b] as Merging];
  const between = (costs[a] as Float64Array)[b] as number;
  for (const [c, third] of clusters.entries()) {
    if (third.isGone || c === a || c === b) continue;
    const [x, y, z] = [one.members.length, other.members.length, third.members.length];
    const row = costs[c] as Float64Array;
    const cost = ((x + z) * (row[a] as number) + (y + z) * (row[b] as number) - z * between) / (x + y + z);
    row[a] = cost;
    (costs[a] as Float64Array)[c] = cost;
  }
  one.members.push(...other.members);
  other.isGone = true;
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return sum;
}
