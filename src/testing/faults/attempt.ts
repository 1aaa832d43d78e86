import type { Capabilities, ReadOptions } from '../../core/store.ts';
import { type Delivery, isConditional, isSafeToRepeat, isSafeToRepeatAtOnce } from './delivery.ts';
import type { FaultCall, FaultKind, FaultOptions } from './fault.ts';

/** One call of a client, as the faults see it. */
export interface Attempt<T> extends Omit<FaultCall, 'number'> {
  readonly signal: AbortSignal | undefined;
  perform(): Promise<T>;
  /** Of a write. */
  readonly delivery?: Delivery;
  /** Of a read that may answer an older state. */
  readonly stale?: (fresh: T) => T;
  /** Of a watch: one that is going to be lost. */
  readonly doom?: (watch: T) => T;
}

/** Whether the fault means anything for the call. */
export function canHit<T>(kind: FaultKind, { delivery, stale, doom }: Attempt<T>): boolean {
  switch (kind) {
    case 'crashBefore':
    case 'crashAfter':
    case 'errorBefore':
    case 'delay':
      return true;
    case 'staleRead':
      return stale !== undefined;
    case 'lostWatch':
      return doom !== undefined;
    case 'conflict':
      return delivery !== undefined && isConditional(delivery);
    default:
      return delivery !== undefined;
  }
}

/** Whether a correct client survives the fault, so that chance may inject it. */
export function isFair<T>(
  kind: FaultKind,
  { delivery }: Attempt<T>,
  capabilities: Capabilities,
  { lateVectors = false }: FaultOptions,
): boolean {
  if (delivery === undefined || (lateVectors && delivery.vectorCall === 'vector')) return true;
  if (kind === 'duplicate') return isSafeToRepeatAtOnce(delivery, capabilities);
  if (kind === 'lateDuplicate' || kind === 'zombie') return isSafeToRepeat(delivery, capabilities);
  return true;
}

export function mayBeStale({ consistency = 'strong' }: ReadOptions): boolean {
  return consistency !== 'strong';
}
