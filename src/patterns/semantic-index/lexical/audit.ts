import type { LexicalReport, SearchDoctorOptions } from '../types.ts';
import type { WordIndex } from './word-index.ts';

type WordsReport = Omit<LexicalReport, 'orphans'>;

/** Compares every record with the words that it is found by. What is newer is taken in any case; with `fix` also what is wrong. */
export async function auditWords(
  index: WordIndex,
  { fix = false, signal = NEVER }: SearchDoctorOptions,
): Promise<WordsReport> {
  let checked = 0;
  let behind = 0;
  let wrong = 0;
  const gone = await index.rescan(
    signal,
    (records) => {
      checked += records;
    },
    (key, record) => {
      if (index.known.get(key)?.version !== record.version) behind += 1;
      else if (!index.isRight(key, record)) {
        wrong += 1;
        if (fix) index.retake(key, record);
      }
    },
  );
  let fixed = fix ? wrong : 0;
  // Words of nothing that is known.
  const listed = [...index.known.keys()].filter((key) => index.inverted.has(key)).length;
  const strays = Math.max(0, index.inverted.documents - listed);
  if (fix && strays > 0) {
    index.clear();
    await index.rescan(signal, () => {});
    fixed += strays;
  }
  return { checked, behind: behind + gone, wrong: wrong + strays, fixed };
}

const NEVER = new AbortController().signal;
