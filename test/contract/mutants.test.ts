import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memory } from '../../src/stores/memory/index.ts';
import { type ContractCase, contractCases, manualClock, seededRandom } from '../../src/testing/index.ts';
import { withoutStacks } from '../support/without-stacks.ts';
import { committingMutants } from './mutants/committing.ts';
import { vectorCommitMutants } from './mutants/committing-vectors.ts';
import { keepingMutants } from './mutants/keeping.ts';
import type { Mutant } from './mutants/mutant.ts';
import { readingMutants } from './mutants/reading.ts';
import { vectorMutants } from './mutants/vectors.ts';
import { watchMutants } from './mutants/watching.ts';
import { writingMutants } from './mutants/writing.ts';
import { openPersistent, reopenPersistent } from './persistent-memory.ts';

const MUTANTS: Record<string, Mutant> = {
  ...readingMutants,
  ...writingMutants,
  ...keepingMutants,
  ...committingMutants,
  ...vectorMutants,
  ...vectorCommitMutants,
  ...watchMutants,
};

beforeAll(() => withoutStacks());

const { capabilities } = await memory().openStore({ clock: manualClock(), random: seededRandom(1) });
const kills: string[] = [];
/** Fixed: whether chance notices a mistake must not be left to chance. */
const SEED = 7;

function casesOf({ open, reopen }: Omit<Mutant, 'group'>, runs = 300): ContractCase[] {
  return contractCases({ name: 'a mutant', capabilities, open, reopen, runs, seed: SEED });
}

/** The first case of the group that notices the mistake. */
async function killer(cases: readonly ContractCase[], inGroup?: string): Promise<string | undefined> {
  for (const { group, name, run } of cases) {
    if (inGroup !== undefined && group !== inGroup) continue;
    const notices = await run().then(
      () => false,
      () => true,
    );
    if (notices) return `${group}: ${name}`;
  }
  return undefined;
}

describe('the contract kills each mutant', () => {
  afterAll(() => {
    console.log(kills.join('\n'));
  });

  test.each(Object.entries(MUTANTS))('%s', async (name, mutant) => {
    const killedBy = await killer(casesOf(mutant), mutant.group);
    expect(killedBy, `no case of the group "${mutant.group}" notices`).toBeDefined();
    kills.push(`${name}\n    killed by ${killedBy}`);
  });
});

describe('the random tests kill by themselves', () => {
  const killedIn = (group: string, name: string): Promise<string | undefined> => {
    const mutant = MUTANTS[name];
    if (mutant === undefined) throw new Error(`There is no mutant "${name}".`);
    return killer(casesOf(mutant), group);
  };

  test.each([
    'an empty value is missing',
    'getMany answers in key order',
    'a scan includes the end of its range',
    'the rest of a page loses a key',
    'the rest of a reverse page repeats a key',
    'put returns another version than get',
    'delete ignores ifMatch',
    'ifAbsent overwrites',
    'ifMatch creates a missing key',
    'a refused put moves the version',
    'expiry uncovers an older record',
    'an expired record counts as present for ifAbsent',
    'a record expires a millisecond late',
    'a put without a deadline keeps the old one',
    'a version is counted anew after a delete',
    'a version is the hash of the value',
    'versions start again after reopening',
    'a refused commit applies what came before',
    'a commit ignores its checks',
    'a check moves the version',
    'a commit forgets deadlines',
  ])('the stateful test: %s', async (name) => {
    expect(await killedIn('any sequence of calls', name)).toBeDefined();
  });

  test.each([
    'a search is not sorted',
    'an index ignores its metric',
    'a delete of a vector does nothing',
    'a dropped index keeps its vectors',
    'ties are in the order of UTF-16',
    'a search finds one too few',
    'a list of ids skips `after`',
    'a list of ids repeats `after`',
    'an insert without an index is acknowledged',
    'namespaces with a zero are mixed up',
    'a commit writes its vectors before its preconditions',
    'a commit writes its records before it looks at its vectors',
    'a commit forgets its deletes of vectors',
    'a commit leaves out vectors that have no index',
  ])('the stateful test of vectors: %s', async (name) => {
    expect(await killedIn('any sequence of vector calls', name)).toBeDefined();
  });

  test.each([
    'a CAS has a gap between its check and its write',
    'a create has a gap between its check and its write',
    'a strong read is stale',
    'an acknowledged write is lost',
    'a delete is acknowledged before it is applied',
    'put returns another version than get',
    'delete ignores ifMatch',
    'ifAbsent overwrites',
    'ifMatch creates a missing key',
    'a version is counted anew after a delete',
  ])('the linearizability check: %s', async (name) => {
    expect(await killedIn('linearizability', name)).toBeDefined();
  });
});

test('the contract lets a right store live that can be reopened', async () => {
  const cases = casesOf({ open: openPersistent, reopen: reopenPersistent }, 20);
  expect(await killer(cases)).toBeUndefined();
  expect(cases.length).toBeGreaterThan(contractCases({ name: '', capabilities, open: openPersistent }).length);
});
