import type { Film } from './film.ts';
import type { Outcome } from './raters.ts';

export interface Verdict {
  readonly stored: number;
  readonly acknowledged: number;
  /** Acknowledged, but not in the database. */
  readonly lost: readonly string[];
  /** In the database more than once. */
  readonly doubled: readonly string[];
  /** In the database, though their process was killed before it could say so. */
  readonly unheard: readonly string[];
  /** In the database, and no process can have written them. */
  readonly stray: readonly string[];
}

/** Compares what the processes were told with what is stored. */
export function verify(
  films: readonly Pick<Film, 'ratings'>[],
  outcomes: readonly Outcome[],
  countEach: number,
): Verdict {
  const times = new Map<string, number>();
  for (const { ratings } of films) for (const { id } of ratings) times.set(id, (times.get(id) ?? 0) + 1);
  const acknowledged = new Set(outcomes.flatMap((outcome) => [...outcome.acknowledged]));
  const killed = new Set(outcomes.filter(({ exit }) => exit === 'SIGKILL').map(({ name }) => name));
  const extra = [...times.keys()].filter((id) => !acknowledged.has(id));
  const isUnheard = (id: string): boolean => {
    const [name = '', number] = id.split('-');
    return killed.has(name) && Number(number) < countEach;
  };
  return {
    stored: times.size,
    acknowledged: acknowledged.size,
    lost: [...acknowledged].filter((id) => !times.has(id)),
    doubled: [...times].filter(([, count]) => count > 1).map(([id]) => id),
    unheard: extra.filter(isUnheard),
    stray: extra.filter((id) => !isUnheard(id)),
  };
}
