import { complete, KEPT_FOR, removeGeneration } from './build.ts';
import type { ProjectionParts } from './projection-parts.ts';
import type { ProjectionSettings } from './settings.ts';

/** Builds the views anew beside the old ones, shows them to readers, and deletes the old ones. */
export async function rebuild(parts: ProjectionParts, settings: ProjectionSettings): Promise<void> {
  const { log, rules, context } = parts;
  const signal = settings.worker.signal ?? new AbortController().signal;
  await log.begin(rules.version, signal);
  const { generation } = await log.build(rules.version, signal);
  const subscription = parts.start(generation, settings);
  try {
    await complete(parts, generation, subscription, settings.onProgress, signal);
    settings.onProgress?.(await cleaning());
    await context.environment.clock.sleep(KEPT_FOR, { signal });
    const { retired = [] } = (await log.read(signal)) ?? {};
    for (const old of retired) await removeGeneration(parts, old, signal);
  } finally {
    await subscription.close();
  }

  async function cleaning() {
    const { handled, events } = await subscription.lag({ signal });
    return { phase: 'cleaning' as const, done: handled, total: handled + events };
  }
}
