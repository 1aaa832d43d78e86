import type { Environment } from '../../../core/clock.ts';
import { nextTurn } from '../../../core/turn.ts';
import type { RecommendSettings } from '../call-options.ts';
import { exclusion, type ProfileEvent } from '../profile.ts';
import { recommend, twice } from '../recommend.ts';
import type { RecommenderParts } from '../strategies/call.ts';
import type { Strategy } from '../types.ts';
import { baselineList, type Past } from './baselines.ts';
import { MemoryWorld } from './memory-world.ts';
import { Judge, type Quality } from './metrics.ts';

/** What was tried: a strategy, or something simple to be better than. */
export type Contender = Strategy | 'mean' | 'halving';

/** How good recommendations would have been. */
export interface Evaluation {
  /** Users whose last liked item was left out and looked for. */
  readonly users: number;
  /** Items that occur in the history. */
  readonly items: number;
  /** Of each contender, by length of the list. */
  readonly quality: ReadonlyMap<Contender, ReadonlyMap<number, Quality>>;
}

/** Users and what they did; in memory, as the last of each has to be known first. */
export type History = ReadonlyMap<string, readonly ProfileEvent[]>;

export interface EvaluateSettings {
  readonly lengths: readonly number[];
  readonly strategies: readonly Strategy[];
  readonly call: RecommendSettings;
  readonly onProgress: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

interface Trial {
  readonly user: string;
  readonly wanted: string;
  readonly past: Past;
}

/**
 * Leaves out the last item that each user liked, recommends from what came before it, and looks for it. Touches no profile and no
 * count of the store.
 */
export async function evaluate(
  parts: RecommenderParts,
  history: History,
  { lengths, strategies, call, onProgress }: EvaluateSettings,
  environment: Environment,
): Promise<Evaluation> {
  const world = new MemoryWorld(parts.settings);
  const trials = trialsOf(world, history);
  const items = new Set([...history.values()].flat().map(({ item }) => item));
  const contenders: readonly Contender[] = [...new Set<Contender>([...strategies, 'popular', 'mean', 'halving'])];
  const judges = new Map(contenders.map((contender) => [contender, new Judge(lengths, items)]));
  const limit = Math.max(...lengths);
  for (const [done, trial] of trials.entries()) {
    onProgress?.({ done, total: trials.length });
    // Long work, on a store in memory without a wait.
    await nextTurn();
    for (const [contender, judge] of judges) {
      judge.add(await listOf(parts, world, trial, contender, { ...call, limit }, environment), trial.wanted);
    }
  }
  onProgress?.({ done: trials.length, total: trials.length });
  return {
    users: trials.length,
    items: items.size,
    quality: new Map([...judges].map(([contender, { result }]) => [contender, result])),
  };
}

function trialsOf(world: MemoryWorld, history: History): Trial[] {
  const trials: Trial[] = [];
  for (const [user, events] of history) {
    const inTime = [...events].sort((a, b) => a.at - b.at);
    const last = inTime.findLastIndex(({ weight }) => weight > 0);
    const wanted = inTime[last]?.item;
    // What was done with the item before would give it away; and what is seen is not recommended.
    const before = inTime.slice(0, Math.max(0, last)).filter(({ item }) => item !== wanted);
    for (const event of before) world.record(user, event);
    if (wanted === undefined || before.length === 0) continue;
    const liked = before.filter(({ weight }) => weight > 0);
    trials.push({ user, wanted, past: { profile: world.profile(user), liked } });
  }
  return trials;
}

async function listOf(
  parts: RecommenderParts,
  counts: MemoryWorld,
  { user, past }: Trial,
  contender: Contender,
  settings: RecommendSettings,
  environment: Environment,
): Promise<string[]> {
  if (contender === 'mean' || contender === 'halving') {
    const isExcluded = exclusion(past.profile, parts.settings, settings.exclude);
    const query = { ...settings.query, isExcluded };
    return twice(parts, () => baselineList(contender, parts, past, settings.limit, query));
  }
  const read = { user, profile: past.profile, version: undefined };
  // Each on its own: a fallback would be praised for another's hits.
  const alone = { ...settings, strategies: [contender] };
  const list = await recommend(parts, { read, counts }, alone, environment);
  return list.map(({ name }) => name);
}
