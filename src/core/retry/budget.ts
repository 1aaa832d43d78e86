const CAPACITY = 500;
const RETRY_COST = 5;
const TIMEOUT_COST = 10;
const SUCCESS_REFUND = 1;

/**
 * A token bucket that one store's retries share: when most calls fail it runs dry and retries stop, so that a dead
 * store is not hammered; successes fill it again. Figures of the AWS SDK's standard mode (`@smithy/core`).
 */
export class RetryBudget {
  #tokens = CAPACITY;

  /** Takes what one retry costs. `false`: do not retry. */
  take(failure: 'timeout' | 'other'): boolean {
    const cost = failure === 'timeout' ? TIMEOUT_COST : RETRY_COST;
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  succeeded(): void {
    this.#tokens = Math.min(CAPACITY, this.#tokens + SUCCESS_REFUND);
  }
}
