import { bytesGroup } from './bytes.ts';
import { commitsGroup } from './commits.ts';
import { type ContractCase, type ContractInput, hasNeed, type PromisedGroup } from './contract-case.ts';
import { expiryGroup } from './expiry.ts';
import { idempotencyGroup } from './idempotency.ts';
import { lifeCycleGroup } from './life-cycle.ts';
import { limitsGroup } from './limits.ts';
import { linearizabilityGroup } from './linearizability.ts';
import { statefulGroup } from './model/stateful.ts';
import { preconditionsGroup } from './preconditions.ts';
import { racesGroup } from './races.ts';
import { scansGroup } from './scans.ts';
import { vectorCommitsGroup } from './vectors/committing.ts';
import { endingVectorsGroup } from './vectors/ending.ts';
import { vectorIndexesGroup } from './vectors/namespaces.ts';
import { vectorLimitsGroup } from './vectors/refusals.ts';
import { vectorIdempotencyGroup } from './vectors/repeating.ts';
import { vectorSearchGroup } from './vectors/searching.ts';
import { vectorsStatefulGroup } from './vectors/stateful.ts';
import { vectorsGroup } from './vectors/storing.ts';
import { versionsGroup } from './versions.ts';
import { watchGroup } from './watching.ts';
import { withWorld } from './world.ts';

/** Quick and precise ones first. */
const GROUPS: readonly PromisedGroup[] = [
  lifeCycleGroup,
  bytesGroup,
  versionsGroup,
  preconditionsGroup,
  expiryGroup,
  limitsGroup,
  scansGroup,
  commitsGroup,
  idempotencyGroup,
  vectorIndexesGroup,
  vectorsGroup,
  vectorLimitsGroup,
  vectorSearchGroup,
  vectorCommitsGroup,
  endingVectorsGroup,
  vectorIdempotencyGroup,
  watchGroup,
  racesGroup,
  statefulGroup,
  vectorsStatefulGroup,
  linearizabilityGroup,
];

/** Room for a slow machine; the whole suite takes seconds on a store in memory. */
const TIMEOUT_MS = 120_000;

/** `describe` and `test` of a runner: vitest, jest and `node:test` all fit. */
export interface ContractRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: () => Promise<void>, timeout?: number) => unknown;
}

/** The promises of the port that concern this store, as data; {@link storeContract} hands them to a runner. */
export function contractCases(input: ContractInput): ContractCase[] {
  return GROUPS.filter(({ needs = [] }) => needs.every((need) => hasNeed(input, need))).flatMap((group) =>
    group.promises
      .filter(({ needs = [] }) => needs.every((need) => hasNeed(input, need)))
      .map(({ name, check }) => ({ group: group.name, name, run: () => withWorld(input, check) })),
  );
}

/**
 * Tests that a store keeps every promise of the port: single cases for each, a stateful test against a plain model, races
 * and a linearizability check. What is asked depends on the declared capabilities. Needs the package `fast-check`.
 *
 * A store gets a clock that stands still unless a case moves it, and must decide expiry by it.
 *
 * @example
 * ```ts
 * import { describe, test } from 'vitest';
 *
 * storeContract(
 *   {
 *     name: 'my store',
 *     capabilities: { cas: 'atomic', ifAbsent: true, deleteIfMatch: true, idempotency: false, scan: true, commit: false, vectors: false, watch: false, limits },
 *     open: async (environment) => myStore({ path: freshPath() }).openStore(environment),
 *     reopen: async (closed, environment) => myStore({ path: pathOf(closed) }).openStore(environment),
 *     runs: 50,
 *   },
 *   { describe, test },
 * );
 * ```
 */
export function storeContract(input: ContractInput, { describe, test }: ContractRunner): void {
  const groups = new Map<string, ContractCase[]>();
  for (const one of contractCases(input)) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  describe(`the store contract of ${input.name}`, () => {
    for (const [group, cases] of groups) {
      describe(group, () => {
        for (const { name, run } of cases) test(name, run, TIMEOUT_MS);
      });
    }
  });
}
