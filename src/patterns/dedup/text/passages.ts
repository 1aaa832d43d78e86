const MOST = 3;
const LONGEST = 200;

/**
 * The longest passages of a text that stand in another, too, longest first: at most three, cut at 200 characters. Shingles are those
 * of {@link shinglesOf}, in order.
 */
export function sharedPassages(
  words: readonly string[],
  shingles: readonly string[],
  other: ReadonlySet<string>,
  size: number,
): string[] {
  const runs: { readonly from: number; readonly to: number }[] = [];
  let from: number | undefined;
  for (let at = 0; at <= shingles.length; at++) {
    const shingle = shingles[at];
    const isShared = shingle !== undefined && other.has(shingle);
    if (isShared) from ??= at;
    else if (from !== undefined) {
      runs.push({ from, to: at + size - 1 });
      from = undefined;
    }
  }
  const longest = runs.sort((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from);
  const passages = longest.map(({ from, to }) => words.slice(from, to).join(' '));
  return [...new Set(passages)].slice(0, MOST).map((passage) => shortened(passage));
}

function shortened(passage: string): string {
  if (passage.length <= LONGEST) return passage;
  // Not within a pair of surrogates.
  return `${passage
    .slice(0, LONGEST - 1)
    .toWellFormed()
    .replace(/\ufffd$/, '')}…`;
}
