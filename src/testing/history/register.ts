import type { Version } from '../../core/version.ts';
import type { HistoryAction } from './operation.ts';

/**
 * The state of one key: a register with versions. A write of unknown outcome has a version that nobody was told;
 * whatever first mentions one settles it.
 */
export interface RegisterState {
  /** `undefined` when the key does not exist. */
  readonly value: string | undefined;
  /** `undefined` while no answer has told it. */
  readonly version: Version | undefined;
  /** Versions that were settled so, which no other write may have. */
  readonly settled: readonly Version[];
}

export const EMPTY_REGISTER: RegisterState = { value: undefined, version: undefined, settled: [] };

/** What one key does, one operation after another: the specification that a history is checked against. */
export class Register {
  /** Versions that the store gave to writes that it acknowledged. */
  readonly #acknowledged: ReadonlySet<Version>;

  constructor(acknowledged: ReadonlySet<Version>) {
    this.#acknowledged = acknowledged;
  }

  /** The state after the action, or `undefined` if the action cannot have happened in this state as it was told. */
  after(state: RegisterState, action: HistoryAction): RegisterState | undefined {
    switch (action.type) {
      case 'read':
        return this.#afterRead(state, action.found);
      case 'refusal':
        if (action.ifAbsent) return state.value === undefined ? undefined : state;
        return state.version !== undefined && state.version === action.ifMatch ? undefined : state;
      case 'write':
        return this.#afterWrite(state, action);
    }
  }

  #afterRead(state: RegisterState, found: (HistoryAction & { type: 'read' })['found']): RegisterState | undefined {
    if (found === undefined) return state.value === undefined ? state : undefined;
    if (found.value !== undefined && found.value !== state.value) return undefined;
    return this.#atVersion(state, found.version);
  }

  #afterWrite(state: RegisterState, action: HistoryAction & { type: 'write' }): RegisterState | undefined {
    const { value, ifMatch, ifAbsent, outcome } = action;
    if (ifAbsent && state.value !== undefined) return undefined;
    if (outcome?.existed !== undefined && outcome.existed !== (state.value !== undefined)) return undefined;
    const before = ifMatch === undefined ? state : this.#atVersion(state, ifMatch);
    if (before === undefined) return undefined;
    return { value, version: outcome?.version, settled: before.settled };
  }

  #atVersion(state: RegisterState, version: Version): RegisterState | undefined {
    if (state.value === undefined) return undefined;
    if (state.version !== undefined) return state.version === version ? state : undefined;
    if (this.#acknowledged.has(version) || state.settled.includes(version)) return undefined;
    return { ...state, version, settled: [...state.settled, version] };
  }
}

/** Equal for equal states. */
export function stateKey({ value, version, settled }: RegisterState): string {
  return JSON.stringify([value ?? null, version ?? null, settled]);
}
