export { RetryBudget } from './budget.ts';
export { isOutage, untilAnswered, waitOutOutage } from './outage.ts';
export {
  CONFLICT_POLICY,
  fullJitter,
  OUTAGE_POLICY,
  type RetryOptions,
  type RetryPolicy,
  retryPolicy,
} from './policy.ts';
