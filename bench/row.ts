/** One line of the benchmark table: us beside somebody else, measured in the same run. */
export interface BenchRow {
  readonly name: string;
  /** Our median. */
  readonly ours: number;
  /** Their median. */
  readonly theirs: number;
  /** How many times better we are. */
  readonly ratio: number;
  /** The ratio that we promise; without one the row only shows what is possible. */
  readonly target?: number;
  /** Of `ours` and `theirs`, such as `ns`. */
  readonly unit: string;
}

/** The rows as a table. */
export function formatRows(rows: readonly BenchRow[]): string {
  const lines = rows.map(({ name, ours, theirs, ratio, target, unit }) => {
    const verdict = target === undefined ? '' : ` (target ${target} x: ${ratio >= target ? 'met' : 'MISSED'})`;
    const figures = `${Math.round(ours)} ${unit} beside ${Math.round(theirs)} ${unit}`;
    return `${name.padEnd(28)} ${figures.padEnd(32)} ${ratio.toFixed(2)} x${verdict}`;
  });
  return lines.join('\n');
}
