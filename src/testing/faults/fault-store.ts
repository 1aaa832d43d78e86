import type { Store } from '../../core/store.ts';
import type { SameAbilities } from '../store-wrapper.ts';
import type { FaultOptions, InjectedFault } from './fault.ts';
import { FaultyStore } from './faulty-store.ts';

/** What a test tells a fault store, beside using it. */
export interface FaultControls {
  /** Every fault so far, in order. */
  readonly injected: readonly InjectedFault[];
  /** The injected faults as text, a line each; for the message of a failed assertion. */
  describeFaults(): string;
  /** The process dies: every call, those under way too, fails with {@link SimulatedCrash} from now on. */
  crash(): void;
  /** Delivers every write that is still on its way. */
  deliverLate(): Promise<void>;
  /** Ends all faults, scripted ones too, and delivers what is on its way. What crashed stays crashed. */
  heal(): Promise<void>;
}

/** A store with faults and the optional abilities of `S`. */
export type FaultStore<S extends Store = Store> = SameAbilities<S> & FaultControls;

/**
 * A client's view of `store` through a network and a process that fail, by chance or by script; see {@link FaultKind}.
 * The same seed and the same calls give the same faults.
 *
 * Chance delivers a write twice or late only where a correct client survives that: `zombie` and `lateDuplicate` need
 * `ifMatch`, or an `idempotencyKey` that the store honours; `duplicate` is content with `ifAbsent`, too,
 * and hits any single write of a vector. A script may do more; `lateVectors` allows more.
 *
 * For several processes, wrap one store several times: each wrapper crashes alone. A crashed one does not close the
 * store.
 *
 * @example
 * ```ts
 * const clock = manualClock(0, { autoAdvance: true });
 * const random = seededRandom(7);
 * const inner = await memory().openStore({ clock, random });
 * const store = faultStore(inner, { clock, random, faults: { errorAfter: 0.1, conflict: 0.1 } });
 * const db = await open(store, { clock, random });
 * // … work …
 * await store.heal();
 * assert.equal((await counters.get('hits')).value, acknowledged, store.describeFaults());
 * ```
 *
 * @example A crash after the third put
 * ```ts
 * let puts = 0;
 * const store = faultStore(inner, {
 *   random,
 *   script: ({ verb }) => (verb === 'put' && ++puts === 3 ? 'crashAfter' : 'none'),
 * });
 * ```
 */
export function faultStore<S extends Store>(store: S, options: FaultOptions): FaultStore<S> {
  // The wrapper has every method; `capabilities`, which it passes through, says which of them `S` has.
  return new FaultyStore(store, options) as unknown as FaultStore<S>;
}
