export { RetryBudget } from './budget.ts';
export { isOutage, untilAnswered, waitOutOutage } from './outage.ts';
export {
  CONFLICT_POLICY,
  fullJitter,
  type RetryOptions,
  type RetryPolicy,
  retryPolicy,
} from './policy.ts';
