import type { Usage as Stored } from '../../repositories/internal.ts';

/** What a plan may limit: records, the bytes of their values, vectors. */
export const METRICS = ['keys', 'bytes', 'vectors'] as const;
export type Metric = (typeof METRICS)[number];

/** An amount of each. */
export type Amounts = Readonly<Record<Metric, number>>;

export const NOTHING: Amounts = { keys: 0, bytes: 0, vectors: 0 };

/** The same as the repositories tell it. */
export function amountsOf({ records, bytes, vectors }: Stored): Amounts {
  return { keys: records, bytes, vectors };
}

export function eachMetric<T>(amount: (metric: Metric) => T): Readonly<Record<Metric, T>> {
  return { keys: amount('keys'), bytes: amount('bytes'), vectors: amount('vectors') };
}

export function plus(a: Amounts, b: Amounts): Amounts {
  return { keys: a.keys + b.keys, bytes: a.bytes + b.bytes, vectors: a.vectors + b.vectors };
}

export function minus(a: Amounts, b: Amounts): Amounts {
  return { keys: a.keys - b.keys, bytes: a.bytes - b.bytes, vectors: a.vectors - b.vectors };
}

/** What grows. */
export function growthOf(delta: Amounts): Amounts {
  return eachMetric((metric) => Math.max(0, delta[metric]));
}

/** What shrinks, as positive amounts. */
export function shrinkageOf(delta: Amounts): Amounts {
  return eachMetric((metric) => Math.max(0, -delta[metric]));
}

export function isNothing({ keys, bytes, vectors }: Amounts): boolean {
  return keys === 0 && bytes === 0 && vectors === 0;
}

/** Whether there is as much of everything. */
export function covers(a: Amounts, b: Amounts): boolean {
  return a.keys >= b.keys && a.bytes >= b.bytes && a.vectors >= b.vectors;
}
