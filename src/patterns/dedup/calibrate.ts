import { distance } from '../../core/vectors/index.ts';
import { scoreOf } from '../../repositories/internal.ts';
import { jaccard } from '../shared/jaccard.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import type { DedupContext } from './context.ts';
import { unknownDocument } from './errors.ts';
import { type Banding, missProbability } from './text/min-hash.ts';

/** Two documents of which somebody knows whether they are one: as texts, or by their ids. Only stored ones have vectors. */
export type LabelledPair =
  | { readonly one: string; readonly other: string; readonly same: boolean }
  | { readonly ids: readonly [string, string]; readonly same: boolean };

export interface CalibrateOptions extends BlockCallOptions {
  /** The share of pairs above the threshold that may never be compared; default 0.01. */
  readonly maxMiss?: number | undefined;
  /** Places of a signature, bands times rows, at most; 1 to 2,048, default 128. */
  readonly maxPlaces?: number | undefined;
}

/** How a threshold does on labelled pairs, as shares of 1. */
export interface Rates {
  readonly threshold: number;
  /** Of the pairs that are the same, how many are not found. */
  readonly missRate: number;
  /** Of the pairs that are not, how many are taken for it. */
  readonly falseRate: number;
  /** Of what is found, how much is right; 1 if nothing is. */
  readonly precision: number;
  readonly recall: number;
}

/** What was measured of labelled pairs. */
export interface Curve extends Rates {
  /** The same pairs with another threshold, without comparing anything again. */
  rethreshold(threshold: number): Rates;
}

export interface Calibration {
  /** The best threshold of `near`, and bands and rows for it. Pairs that are expected never to be compared count as missed. */
  readonly near: Curve & Banding;
  /** The best threshold of `semantic`; only with pairs by ids that all have vectors. */
  readonly semantic?: Curve | undefined;
}

interface Scored {
  readonly score: number;
  readonly same: boolean;
}

/** Measures labelled pairs. Errors: `argument.invalid`, `dedup.unknownDocument` for an id that is not there. */
export async function calibrate(
  context: DedupContext,
  pairs: readonly LabelledPair[],
  { maxMiss = 0.01, maxPlaces = 128, ...call }: CalibrateOptions,
): Promise<Calibration> {
  const kinds = new Set(pairs.map(({ same }) => same));
  if (kinds.size < 2) refuse('pairs', 'calibrate needs pairs that are the same, and pairs that are not.');
  if (!Number.isSafeInteger(maxPlaces) || maxPlaces < 1 || maxPlaces > 2048) {
    refuse('maxPlaces', 'maxPlaces is a whole number from 1 to 2048.');
  }
  if (!(maxMiss >= 0 && maxMiss < 1)) refuse('maxMiss', 'maxMiss is a share from 0, below 1.');
  const scored = await Promise.all(pairs.map((pair) => lexical(context, pair, call)));
  const threshold = bestThreshold(scored);
  const banding = bestBanding(scored, threshold, maxMiss, maxPlaces);
  const near = { ...curveOf(scored, threshold, (score) => 1 - missProbability(score, banding)), ...banding };
  const vectors = await semantic(context, pairs, call);
  return vectors === undefined ? { near } : { near, semantic: curveOf(vectors, bestThreshold(vectors), () => 1) };
}

async function lexical(
  { documents, settings }: DedupContext,
  pair: LabelledPair,
  call: BlockCallOptions,
): Promise<Scored> {
  const prints =
    'ids' in pair
      ? await Promise.all(
          pair.ids.map(async (id) => {
            const document = await documents.read(id, call);
            if (document === undefined) throw unknownDocument(settings.name, id);
            return document.print;
          }),
        )
      : [documents.printOfText(pair.one), documents.printOfText(pair.other)];
  const [one, other] = prints as [(typeof prints)[number], (typeof prints)[number]]; // two of each kind
  return { score: one.hash === other.hash ? 1 : jaccard(one.set, other.set), same: pair.same };
}

async function semantic(
  { documents, settings }: DedupContext,
  pairs: readonly LabelledPair[],
  { signal }: BlockCallOptions,
): Promise<Scored[] | undefined> {
  const { semantic: options } = settings;
  if (options === undefined) return undefined;
  const vector = (id: string) => documents.repository.vectorOf(id, { field: options.embedding, signal });
  const scored: Scored[] = [];
  for (const pair of pairs) {
    const [one, other] = 'ids' in pair ? await Promise.all(pair.ids.map(vector)) : [];
    if (one === undefined || other === undefined) return undefined;
    const { metric } = documents;
    scored.push({ score: scoreOf(metric, distance(metric, one, other)), same: pair.same });
  }
  return scored;
}

/** How a threshold does; what is above it counts by how likely it is compared at all. */
function ratesOf(scored: readonly Scored[], threshold: number, compared: (score: number) => number): Rates {
  let found = 0;
  let wrong = 0;
  for (const { score, same } of scored) {
    if (score < threshold) continue;
    if (same) found += compared(score);
    else wrong += compared(score);
  }
  const same = scored.filter((pair) => pair.same).length;
  const recall = found / same;
  return {
    threshold,
    missRate: 1 - recall,
    falseRate: wrong / (scored.length - same),
    precision: found + wrong === 0 ? 1 : found / (found + wrong),
    recall,
  };
}

function curveOf(scored: readonly Scored[], threshold: number, compared: (score: number) => number): Curve {
  return {
    ...ratesOf(scored, threshold, compared),
    rethreshold: (other) => ratesOf(scored, other, compared),
  };
}

/** Where precision and recall together are best; between the scores on both sides of it. */
function bestThreshold(scored: readonly Scored[]): number {
  const scores = [...new Set(scored.map(({ score }) => score))].sort((a, b) => b - a);
  let best = { at: 0, f1: -1 };
  for (const [at, score] of scores.entries()) {
    const { precision, recall } = ratesOf(scored, score, () => 1);
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    if (f1 > best.f1) best = { at, f1 };
  }
  const score = scores[best.at] ?? 1;
  const below = scores[best.at + 1];
  return below === undefined ? score : (score + below) / 2;
}

/** Bands and rows that miss no more than they may; of those, what compares least in vain, then what has fewest bands. */
function bestBanding(scored: readonly Scored[], threshold: number, maxMiss: number, maxPlaces: number): Banding {
  const above = scored.filter(({ score, same }) => same && score >= threshold);
  const others = scored.filter(({ same }) => !same);
  const missed = (banding: Banding): number => mean(above.map(({ score }) => missProbability(score, banding)));
  const inVain = (banding: Banding): number => mean(others.map(({ score }) => 1 - missProbability(score, banding)));
  let best: { banding: Banding; cost: readonly [number, number, number] } | undefined;
  for (let bands = 1; bands <= Math.min(64, maxPlaces); bands++) {
    for (let rows = 1; rows <= Math.min(32, Math.floor(maxPlaces / bands)); rows++) {
      const banding = { bands, rows };
      const miss = missed(banding);
      const cost = [Math.max(0, miss - maxMiss), inVain(banding), bands] as const;
      if (best === undefined || isLess(cost, best.cost)) best = { banding, cost };
    }
  }
  return best?.banding ?? { bands: 1, rows: 1 };
}

function isLess(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at !== -1 && (one[at] as number) < (other[at] as number); // both have as many
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
