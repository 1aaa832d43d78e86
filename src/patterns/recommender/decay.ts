/** A weight as it was at an instant, in milliseconds since 1970. */
export interface Weighed {
  readonly weight: number;
  readonly at: number;
}

/** What a weight is worth at an instant that is not before its own. */
export function decayed({ weight, at }: Weighed, then: number, halfLife: number): number {
  return weight * 2 ** ((at - then) / halfLife);
}

/** Two weights as one, at the later of their instants: which comes first does not matter. */
export function together(one: Weighed, other: Weighed, halfLife: number): Weighed {
  const at = Math.max(one.at, other.at);
  return { weight: decayed(one, at, halfLife) + decayed(other, at, halfLife), at };
}

/** The latest instant of some weights; 0 of none. */
export function latest(weights: readonly Weighed[]): number {
  return weights.reduce((max, { at }) => Math.max(max, at), 0);
}
