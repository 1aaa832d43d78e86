import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of some six seconds and more of the project that comes last, about the longest first. */
const LONGEST = [
  'test/norikv/contract.test.ts',
  'test/embedded/crash.test.ts',
  'src/stores/embedded/contract.test.ts',
  'test/embedded/ann.test.ts',
  'test/embedded/vector-snapshots.test.ts',
  'test/contract/mutants.test.ts',
  'test/embedded/compaction.test.ts',
  'test/patterns/semantic-index-processes.test.ts',
  'test/faults/exactly-once.test.ts',
  'test/tenancy/isolation.test.ts',
  'test/embedded/increments.test.ts',
  'test/patterns/composition-texts-raced.test.ts',
  'test/embeddings/reindex-crash.test.ts',
  'test/embeddings/crash-steps.test.ts',
].map((path) => {
  if (!existsSync(path)) throw new Error(`${path} is no longer there: take it out of the list of long test files.`);
  return resolve(path);
});

/**
 * The projects one after the other, as a worker serves one of them; in the last one the files that take longest come first: one
 * that begins last would leave all other processors idle.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.indexOf(moduleId);
      return at === -1 ? LONGEST.length : at;
    };
    return sorted.sort(
      (one, other) => projects.indexOf(one.project) - projects.indexOf(other.project) || place(one) - place(other),
    );
  }
}
