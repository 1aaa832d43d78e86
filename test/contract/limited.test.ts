import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Capabilities } from '../../src/core/store.ts';
import { memory } from '../../src/stores/memory/index.ts';
import {
  type Ability,
  type ContractInput,
  type ContractRunner,
  contractCases,
  limitCapabilities,
  manualClock,
  seededRandom,
} from '../../src/testing/index.ts';

const { capabilities } = await memory().openStore({ clock: manualClock(), random: seededRandom(1) });

function limited(without: readonly Ability[]): ContractInput {
  const lost: Partial<Capabilities> = Object.fromEntries(
    without.map((ability) => [ability, ability === 'cas' ? 'best-effort' : false]),
  );
  return {
    name: `a store without ${without.join(', ')}`,
    capabilities: { ...capabilities, ...lost },
    open: async (environment) => limitCapabilities(await memory().openStore(environment), without),
    runs: 20,
  };
}

const ABILITIES: readonly Ability[] = [
  'scan',
  'commit',
  'ifAbsent',
  'deleteIfMatch',
  'idempotency',
  'cas',
  'vectors',
  'watch',
];

/** What costs the most of all to test, and is answered by the store below whatever it lacks: once is enough. */
const PASSED_ON = new Set(['vector search', 'races', 'linearizability']);

function testContract(input: ContractInput, { whole }: { whole: boolean }): void {
  describe(`the store contract of ${input.name}`, () => {
    for (const { group, name, run } of contractCases(input)) {
      if (whole || !PASSED_ON.has(group)) test(`${group}: ${name}`, run);
    }
  });
}

for (const ability of ABILITIES) testContract(limited([ability]), { whole: ability === 'scan' });
testContract(limited(ABILITIES), { whole: true });

describe('the contract', () => {
  const count = (input: ContractInput): number => contractCases(input).length;

  test('asks less of a store that declares less', () => {
    const everything = count(limited([]));
    for (const ability of ABILITIES) expect(count(limited([ability]))).toBeLessThan(everything);
    expect(count(limited(ABILITIES))).toBeGreaterThan(40);
  });

  test('refuses a store that declares something else than it was said to', async () => {
    const cases = contractCases({ ...limited(['scan']), capabilities });
    await expect(cases.find(({ name }) => name.includes('declares'))?.run()).rejects.toThrow('scan');
  });

  test('has no two cases of one name', () => {
    const names = contractCases(limited([])).map(({ group, name }) => `${group}: ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test('takes the functions of vitest and of node:test', () => {
    expectTypeOf<{ describe: typeof describe; test: typeof test }>().toExtend<ContractRunner>();
    expectTypeOf<typeof import('node:test')>().toExtend<ContractRunner>();
  });
});
