import type { Environment } from '../../core/clock.ts';
import type { Capabilities, Store } from '../../core/store.ts';
import type { ManualClock } from '../manual-clock.ts';

/** The store that a contract is about. */
export interface ContractInput {
  readonly name: string;
  /** What the store must declare. It chooses the cases: a store that can do less is asked less. */
  readonly capabilities: Capabilities;
  /** Opens an empty store on this clock, which stands still, and this chance. */
  open(environment: Environment): Promise<Store>;
  /** Opens anew what `closed`, which came from `open` or `reopen`, has kept. Leave it out if a store keeps nothing. */
  readonly reopen?: ((closed: Store, environment: Environment) => Promise<Store>) | undefined;
  /** Runs of each stateful test, of up to 60 commands each. Default 300; scaled by the variable `NORIMAKI_RUNS`. */
  readonly runs?: number | undefined;
  /** What the stateful tests are drawn from. Left out, every run draws others; a failure prints the seed that repeats it. */
  readonly seed?: number | undefined;
}

/** One promise of the port, as a test of any runner. */
export interface ContractCase {
  readonly group: string;
  readonly name: string;
  run(): Promise<void>;
}

/** What a case works with: an empty store of its own. */
export interface World {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly environment: Environment;
  readonly input: ContractInput;
  /** Closes the store and opens it again; `store` is the new one then. */
  reopen(): Promise<void>;
}

/** What a store needs for a promise to be asked of it. */
export type Need =
  | 'atomicCas'
  | 'ifAbsent'
  | 'deleteIfMatch'
  | 'idempotency'
  | 'scan'
  | 'commit'
  | 'vectors'
  | 'watch'
  | 'reopen';

/** One promise, before it is tied to a store. */
interface Promised {
  readonly name: string;
  readonly needs?: readonly Need[];
  check(world: World): Promise<void>;
}

export interface PromisedGroup {
  readonly name: string;
  /** Of every promise in it. */
  readonly needs?: readonly Need[];
  readonly promises: readonly Promised[];
}

export function hasNeed({ capabilities, reopen }: ContractInput, need: Need): boolean {
  if (need === 'reopen') return reopen !== undefined;
  if (need === 'atomicCas') return capabilities.cas === 'atomic';
  return capabilities[need];
}
