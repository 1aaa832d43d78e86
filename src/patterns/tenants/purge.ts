import { NorimakiError } from '../../core/errors.ts';
import type { TenantPart } from '../../repositories/tenancy/part.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { unknownTenant } from './errors.ts';
import type { TenantState } from './records.ts';
import type { Registry } from './registry.ts';
import { NOTHING } from './usage.ts';

export interface PurgeOptions extends BlockCallOptions {
  /** The name of the tenant once more. */
  readonly confirm: string;
}

/**
 * How far a purge has come.
 *
 * - `closed`: the decision is stored; new handles are refused.
 * - `unreachable`: no handle of any process reads or writes the data any more.
 * - `removing`: so many keys were deleted so far.
 * - `done`: nothing of it is left in the store.
 */
export type PurgeProgress = {
  readonly stage: 'closed' | 'unreachable' | 'removing' | 'done';
  /** Keys that were deleted by this call: records, and what was derived from them. */
  readonly removed: number;
};

/**
 * Ends a generation of a tenant: from the first write on it is decided, whatever crashes. Called again it goes on where it
 * was, and it may be called again at any time.
 */
export async function* purge(
  registry: Registry,
  id: string,
  part: TenantPart,
  { confirm, ...options }: PurgeOptions,
): AsyncGenerator<PurgeProgress, void, undefined> {
  if (confirm !== id) {
    const message = 'purge deletes all that a tenant has: repeat its name in confirm.';
    throw new NorimakiError('argument.invalid', message, { argument: 'confirm' });
  }
  const { clock } = registry.environment;
  const { policyTtl, maxDriftRate, writeTimeout } = registry.settings;
  const { signal } = options;
  const { generation } = await registry.changeAny(
    id,
    (draft) => {
      if (draft.state === 'purged') {
        if (draft.generation === 1) throw unknownTenant(id);
        return;
      }
      endGeneration(draft);
    },
    options,
  );
  let removed = 0;
  const at = (stage: PurgeProgress['stage']): PurgeProgress => ({ stage, removed });
  yield at('closed');
  // Handles go for so long by what they read before the write above.
  await clock.sleep(policyTtl * (1 + maxDriftRate), { signal });
  yield at('unreachable');
  const settled = clock.mono() + writeTimeout;
  for (;;) {
    const isLast = clock.mono() >= settled;
    for await (const page of part.pages({ from: 1, to: generation }, signal)) {
      await part.remove(page, signal);
      removed += page.length;
      yield at('removing');
    }
    if (isLast) break;
    // What was on its way when the handles were closed has arrived by then.
    await clock.sleep(settled - clock.mono(), { signal });
  }
  await registry.changeAny(
    id,
    (draft) => {
      if (draft.generation === generation) draft.isSwept = true;
    },
    options,
  );
  yield at('done');
}

/** From here on nothing that the tenant has is found any more. */
export function endGeneration(draft: TenantState): void {
  draft.state = 'purged';
  draft.generation++;
  draft.charged = NOTHING;
  draft.account++;
  draft.granted = undefined;
  draft.isSwept = false;
}
