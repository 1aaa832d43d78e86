import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of ten seconds and more, longest first. */
const LONGEST = [
  'test/embedded/crash.test.ts',
  'test/embedded/ann.test.ts',
  'test/norikv/contract.test.ts',
  'test/docs/wordnet.test.ts',
  'test/patterns/counter-properties.test.ts',
  'test/patterns/election-properties.test.ts',
  'test/patterns/cache-schedules.test.ts',
  'test/norikv/network-faults.test.ts',
  'test/docs/examples.test.ts',
  'src/stores/embedded/contract.test.ts',
  'test/embedded/vector-snapshots.test.ts',
  'test/embedded/increments.test.ts',
  'test/embeddings/crash-steps.test.ts',
  'test/contract/mutants.test.ts',
  'test/contract/limited.test.ts',
  'test/faults/exactly-once.test.ts',
  'test/embeddings/doctor.test.ts',
  'test/embedded/compaction.test.ts',
  'test/cli/usage.test.ts',
  'test/cli/reindex.test.ts',
  'test/cli/doctor.test.ts',
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
