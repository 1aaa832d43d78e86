import type { Clock } from '../../core/clock.ts';
import type { CommitOperation, Key, Stored } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';

const REMEMBERED = 16;

/** The states in which a client has seen each key, so that a stale read has something true to answer. */
export class PastStates {
  readonly #clock: Clock | undefined;
  readonly #states = new Map<string, (Stored | undefined)[]>();

  constructor(clock: Clock | undefined) {
    this.#clock = clock;
  }

  see(key: Key, state: Stored | undefined): void {
    const name = nameOf(key);
    const states = this.#states.get(name) ?? [];
    this.#states.set(name, states);
    if (states.length > 0 && states.at(-1)?.version === state?.version) return;
    states.push(state && copyOf(state));
    if (states.length > REMEMBERED) states.shift();
  }

  seeApplied(operations: readonly CommitOperation[], version: Version | undefined): void {
    for (const operation of operations) {
      if (operation.type === 'delete') this.see(operation.key, undefined);
      if (operation.type === 'put' && version !== undefined) {
        const { key, value, expiresAt } = operation;
        this.see(key, { value, version, expiresAt });
      }
    }
  }

  has(key: Key): boolean {
    return this.before(key).length > 0;
  }

  /** Every state before the last that a read may still answer. */
  before(key: Key): (Stored | undefined)[] {
    const past = this.#states.get(nameOf(key))?.slice(0, -1) ?? [];
    return past.filter((state) => !this.#mayHaveExpired(state)).map((state) => state && copyOf(state));
  }

  #mayHaveExpired(state: Stored | undefined): boolean {
    if (state?.expiresAt === undefined) return false;
    return this.#clock === undefined || state.expiresAt <= this.#clock.now();
  }
}

function nameOf(key: Key): string {
  return Buffer.from(key).toString('latin1');
}

function copyOf(state: Stored): Stored {
  return { ...state, value: Uint8Array.from(state.value) };
}
