import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of eight seconds and more, longest first. */
const LONGEST = [
  'test/embedded/crash.test.ts',
  'test/norikv/contract.test.ts',
  'test/embedded/ann.test.ts',
  'src/stores/embedded/contract.test.ts',
  'test/docs/examples.test.ts',
  'test/patterns/dedup-crash.test.ts',
  'test/tenancy/isolation.test.ts',
  'test/norikv/network-faults.test.ts',
  'test/embeddings/crash-steps.test.ts',
  'test/patterns/inventory-stalled.test.ts',
  'test/types/types.test.ts',
  'test/embedded/vector-snapshots.test.ts',
  'test/cli/usage.test.ts',
  'test/patterns/counter-properties.test.ts',
  'test/patterns/semantic-index-processes.test.ts',
  'test/patterns/events-processes.test.ts',
  'test/cli/reindex.test.ts',
  'test/cli/doctor.test.ts',
  'test/patterns/composition-texts-raced.test.ts',
  'test/faults/exactly-once.test.ts',
  'test/contract/mutants.test.ts',
  'test/docs/wordnet.test.ts',
  'test/embedded/increments.test.ts',
  'test/embeddings/reindex-crash.test.ts',
].map((path) => {
  if (!existsSync(path)) throw new Error(`${path} is no longer there: take it out of the list of long test files.`);
  return resolve(path);
});

/** Begins with the files that take longest: one that begins last would leave all other processors idle. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(moduleId);
      return at === -1 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
