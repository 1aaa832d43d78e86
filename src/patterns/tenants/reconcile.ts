import { NorimakiError } from '../../core/errors.ts';
import type { Sealer } from '../../repositories/internal.ts';
import type { TenantPart } from '../../repositories/tenancy/part.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { beginReckoning, endReckoning } from './account.ts';
import { countOf } from './count.ts';
import type { TenantState } from './records.ts';
import type { Registry } from './registry.ts';
import { type Amounts, NOTHING, plus } from './usage.ts';

export interface ReconcileOptions extends BlockCallOptions {
  /** Told after each page of records. */
  readonly onProgress?: ((progress: { readonly records: number }) => void) | undefined;
}

/** So often one who waits for another's count looks whether it has ended. */
const MOST_POLLS = 10;

/**
 * Counts what a tenant stores while others write, and charges it that. What processes held by the account before is void
 * within `policyTtl`, and what they had sent has arrived within `writeTimeout`; only then it begins to count, and adds what
 * was handed out since: so the result may be too much, if others wrote meanwhile, and is never too little.
 */
export async function reconcile(
  registry: Registry,
  id: string,
  part: TenantPart,
  sealer: Sealer | undefined,
  options: ReconcileOptions,
): Promise<TenantState> {
  const { environment, settings } = registry;
  const { signal, onProgress } = options;
  const wait = settings.policyTtl * (1 + settings.maxDriftRate) + settings.writeTimeout;
  for (;;) {
    const begun = await registry.change(id, beginReckoning, options);
    const { generation, account } = begun;
    await environment.clock.sleep(wait, { signal });
    let counted: Amounts = NOTHING;
    for await (const page of part.pages({ from: generation, to: generation + 1 }, signal)) {
      for (const entry of page) counted = plus(counted, countOf(entry, sealer));
      onProgress?.({ records: counted.keys });
    }
    let isDone = false;
    let state = await registry.change(
      id,
      (draft) => {
        isDone = draft.generation === generation && draft.account === account && draft.granted !== undefined;
        if (isDone) endReckoning(draft, counted);
      },
      options,
    );
    if (isDone) return state;
    // Somebody else has begun to count since: what they find will do, unless they have died of it.
    for (let polls = 0; state.granted !== undefined && polls < MOST_POLLS; polls++) {
      await environment.clock.sleep(wait, { signal });
      state = await registry.get(id, signal);
    }
    if (state.generation !== generation) throw gone(id);
    if (state.granted === undefined) return state;
  }
}

function gone(id: string): NorimakiError<'tenant.unknown'> {
  const message = `The tenant '${id}' was purged while it was counted.`;
  return new NorimakiError('tenant.unknown', message, { tenant: id });
}
