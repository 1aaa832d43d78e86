import type { Random } from '../../src/core/clock.ts';
import { makeVersion, type Version } from '../../src/core/version.ts';
import type { HistoryAction, HistoryOperation } from '../../src/testing/history/operation.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';

interface Simulation {
  readonly operations: number;
  /** How far an operation reaches beyond the instant at which it takes effect, at most, either way. */
  readonly stretch: number;
  /** How likely a write's outcome is unknown. */
  readonly lost: number;
}

/** A legal history of key `k`: operations take effect one after another, each somewhere within its interval. */
export function simulateRegister(random: Random, { operations, stretch, lost }: Simulation): HistoryOperation[] {
  let record: { readonly value: string; readonly version: Version } | undefined;
  const versions: Version[] = [makeVersion(9n, 9n)];

  function act(step: number): HistoryAction {
    const verb = pickInt(random, 10);
    if (verb < 4) return { type: 'read', found: record };
    const ifMatch =
      verb < 7 ? (random.float() < 0.7 ? record?.version : versions[pickInt(random, versions.length)]) : undefined;
    const ifAbsent = ifMatch === undefined && verb === 7;
    if ((ifAbsent && record !== undefined) || (ifMatch !== undefined && ifMatch !== record?.version)) {
      return { type: 'refusal', ifMatch, ifAbsent };
    }
    const existed = record !== undefined;
    if (verb === 9 || verb === 6) {
      record = undefined;
      return { type: 'write', value: undefined, ifMatch, outcome: { existed } };
    }
    const version = makeVersion(1n, BigInt(step));
    record = { value: `v${pickInt(random, 3)}`, version };
    versions.push(version);
    return { type: 'write', value: record.value, ifMatch, ifAbsent, outcome: { version } };
  }

  return Array.from({ length: operations }, (_, step): HistoryOperation => {
    const before = record;
    const action = act(step);
    const instant = step * 10;
    const interval = {
      client: `c${step % 5}`,
      key: 'k',
      invoked: instant - pickInt(random, stretch * 10),
      returned: instant + 1 + pickInt(random, stretch * 10),
    };
    if (action.type !== 'write' || random.float() >= lost) return { ...interval, action };
    // The client never learns; half of the time there was nothing to learn, as the write was lost itself.
    if (random.float() < 0.5) record = before;
    return { ...interval, action: { ...action, outcome: undefined }, returned: Number.POSITIVE_INFINITY };
  });
}
