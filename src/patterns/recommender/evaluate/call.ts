import { throwIfAborted } from '../../../core/abort.ts';
import { checkWhole, refuse } from '../../shared/options.ts';
import { type RecommendOptions, recommendSettings } from '../call-options.ts';
import type { ItemIds } from '../item-ids.ts';
import type { ProfileEvent } from '../profile.ts';
import type { EventInput, Recordings } from '../recordings.ts';
import { checkStrategies, checkUser, type RecommenderSettings } from '../settings.ts';
import type { Strategy } from '../types.ts';
import type { EvaluateSettings, History } from './evaluate.ts';

/** What `evaluate` takes. */
export interface EvaluateOptions<Item, Where, Id>
  extends Pick<RecommendOptions<Item, Where, Id>, 'where' | 'filter' | 'diversify' | 'signal'> {
  /** Lengths of the lists, 1 to 200; default `[10]`. */
  readonly k?: readonly number[] | undefined;
  /** What to judge; default: the strategy of the recommender. */
  readonly strategies?: readonly Strategy[] | undefined;
  /** Users that are done. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Errors: `argument.invalid`. */
export function evaluateSettings(
  { k = [10], strategies, onProgress, ...options }: EvaluateOptions<never, object, unknown>,
  ids: ItemIds,
  settings: RecommenderSettings,
): EvaluateSettings {
  if (!Array.isArray(k) || k.length === 0) refuse('k', 'k is a list of lengths: [5, 10].');
  // Here everything is counted, whatever the recommender counts.
  const counts = { coVisit: true, popular: true };
  return {
    lengths: [...new Set(k.map((length) => checkWhole(length, 'k', 1, 200)))],
    strategies: checkStrategies(strategies ?? [settings.strategy], 'strategies', counts),
    call: recommendSettings({ ...options, fallback: [], seed: 0 }, ids, settings),
    onProgress,
  };
}

/** Errors: `argument.invalid`, `recommend.unknownSignal`. */
export async function historyOf(
  history: Iterable<EventInput> | AsyncIterable<EventInput>,
  recordings: Recordings,
  signal: AbortSignal | undefined,
): Promise<History> {
  const users = new Map<string, ProfileEvent[]>();
  for await (const input of history) {
    throwIfAborted(signal);
    const user = checkUser(input.user);
    const events = users.get(user) ?? [];
    events.push(recordings.eventOf(input));
    users.set(user, events);
  }
  return users;
}
