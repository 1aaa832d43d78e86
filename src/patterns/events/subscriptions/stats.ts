import type { HandlerFailure } from './handler.ts';

/** What a subscription has done in this process. */
export interface SubscriptionCounts {
  readonly handled: number;
  /** Tries of a handler that failed, and reads that did. */
  readonly failed: number;
  readonly parked: number;
  readonly skipped: number;
}

export class SubscriptionStats {
  readonly counts = { handled: 0, failed: 0, parked: 0, skipped: 0 };
  readonly #onFailure: ((failure: HandlerFailure) => void) | undefined;

  constructor(onFailure: ((failure: HandlerFailure) => void) | undefined) {
    this.#onFailure = onFailure;
  }

  failed(failure: HandlerFailure): void {
    this.counts.failed++;
    try {
      this.#onFailure?.(failure);
    } catch {
      // A log that fails changes nothing of what becomes of the event.
    }
  }
}
