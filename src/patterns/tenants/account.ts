import type { TenantState } from './records.ts';
import { type Amounts, covers, eachMetric, METRICS, type Metric, minus, NOTHING, plus } from './usage.ts';

/** The part of a tenant's record that says what is stored and promised. */
export type Account = Pick<TenantState, 'charged' | 'account' | 'granted'>;

/** What a process may store without asking, and by which account. */
export interface Pot {
  readonly account: number;
  readonly amounts: Amounts;
}

/** What one write was told: it may grow so, or this is in the way. */
export type Answer =
  | { readonly type: 'granted' }
  | { readonly type: 'refused'; readonly metric: Metric; readonly used: number };

/** So many at most are handed out beyond what is asked for. */
const MOST: Amounts = { keys: 256, bytes: 256 * 1024, vectors: 256 };

/** Of what is left, so much at most: near the limit a process gets no more than it asks for. */
const SHARE = 1 / 16;

/**
 * Puts what a process may still store back, hands out what its writes ask for, in order, as far as the limits reach, and
 * something in advance. Resolves to the answers and what the process may store besides.
 */
export function handOut(
  draft: Account,
  pot: Pot,
  wants: readonly Amounts[],
  limits: Amounts,
): { readonly answers: readonly Answer[]; readonly pot: Pot } {
  giveBack(draft, pot);
  const before = draft.charged;
  let charged = before;
  const answers = wants.map((want): Answer => {
    const metric = METRICS.find((one) => want[one] > 0 && charged[one] + want[one] > limits[one]);
    if (metric !== undefined) return { type: 'refused', metric, used: charged[metric] };
    charged = plus(charged, want);
    return { type: 'granted' };
  });
  const asked = minus(charged, before);
  const advance = eachMetric((metric) => {
    const room = limits[metric] - charged[metric];
    return asked[metric] === 0 ? 0 : Math.max(0, Math.min(MOST[metric], Math.floor(room * SHARE)));
  });
  charge(draft, plus(asked, advance));
  return { answers, pot: { account: draft.account, amounts: advance } };
}

/** Takes off what a process may no longer store. By an earlier account it may not already, and it is counted no more. */
export function giveBack(draft: Account, { account, amounts }: Pot): void {
  if (account === draft.account) charge(draft, minus(NOTHING, amounts));
}

function charge(draft: Account, amounts: Amounts): void {
  draft.charged = plus(draft.charged, amounts);
  if (draft.granted !== undefined) draft.granted = plus(draft.granted, amounts);
}

/** Whether so much in hand is more than a process should keep to itself. */
export function isHoard(amounts: Amounts): boolean {
  return !covers(
    eachMetric((metric) => MOST[metric] * 4),
    amounts,
  );
}

/** Begins a reconciliation: what processes hold by the account before is void once they have learned of it. */
export function beginReckoning(draft: Account): void {
  draft.account++;
  draft.granted = NOTHING;
}

/**
 * Ends it: what was counted, and all that was handed out while it was counted. That may be more than is stored, as what was
 * written meanwhile may have been counted too, but never less.
 */
export function endReckoning(draft: Account, counted: Amounts): void {
  const { charged, granted = NOTHING } = draft;
  const found = plus(counted, granted);
  draft.charged = eachMetric((metric) => Math.min(charged[metric], found[metric]));
  draft.granted = undefined;
}
