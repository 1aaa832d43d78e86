import type { Clock } from '../../../core/clock.ts';
import { partsOf } from '../subscriptions/context.ts';
import { readDefinition } from '../subscriptions/definition.ts';
import { removeSubscription } from '../subscriptions/remove.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import type { ProjectionParts } from './projection-parts.ts';
import type { RebuildProgress } from './settings.ts';

/** Between two reports, in milliseconds. */
const REPORT_EVERY = 1000;

/** How long the views that were replaced are kept for readers who do not know it yet, in milliseconds. */
export const KEPT_FOR = 5000;

/** Waits until a generation holds every event that there is, and shows it to readers. `false`: it was given up meanwhile. */
export async function complete(
  { log, live, context }: ProjectionParts,
  generation: number,
  subscription: Subscription,
  onProgress: ((progress: RebuildProgress) => void) | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  let reporting: Promise<void> | undefined;
  try {
    await subscription.ready({ signal });
    if (onProgress !== undefined) {
      const both = AbortSignal.any([signal, over.signal]);
      await tell(subscription, onProgress, both);
      reporting = report(subscription, onProgress, context.environment.clock, both);
    }
    await subscription.caughtUp({ signal });
    const isSwitched = await log.switchTo(generation, signal);
    live.forget();
    return isSwitched;
  } finally {
    over.abort();
    await reporting;
  }
}

async function report(
  subscription: Subscription,
  onProgress: (progress: RebuildProgress) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(REPORT_EVERY, { signal, background: true }).catch(() => {});
    await tell(subscription, onProgress, signal).catch(() => {});
  }
}

async function tell(
  subscription: Subscription,
  onProgress: (progress: RebuildProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { handled, events } = await subscription.lag({ signal });
  onProgress({ phase: 'building', done: handled, total: handled + events });
}

/** Deletes the views of a generation that nobody reads or fills any more. Errors: `aborted`, those of the store. */
export async function removeGeneration(parts: ProjectionParts, generation: number, signal: AbortSignal): Promise<void> {
  const subscription = partsOf(parts.context, parts.identity(generation), parts.rules.categories);
  const definition = await readDefinition(subscription, signal);
  if (definition !== undefined) await removeSubscription(subscription, definition.partitions, signal);
  await parts.clear(generation, signal);
  await parts.log.forget(generation, signal);
}
