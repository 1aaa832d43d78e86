import { titleOf } from './parse.ts';

/** Rows in columns, numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isNumber = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^([\d.,]+( s)?)?$/.test(String(row[column]))),
  );
  for (const [i, line] of lines.entries()) {
    const cells = line.map((cell, c) => (isNumber[c] ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)));
    console.log(`  ${cells.join('   ').trimEnd()}`);
    if (i === 0) console.log(`  ${widths.map((width) => '─'.repeat(width)).join('   ')}`);
  }
}

export interface Rejection {
  readonly reason: string;
  readonly row: unknown;
}

/** Every reason with its count and its first row. */
export function printRejections(rejections: readonly Rejection[]): void {
  const byReason = new Map<string, { count: number; example: unknown }>();
  for (const { reason, row } of rejections) {
    const group = byReason.get(reason) ?? { count: 0, example: row };
    group.count++;
    byReason.set(reason, group);
  }
  const rows = [...byReason].sort(([, a], [, b]) => b.count - a.count);
  printTable(
    ['rows', 'reason', 'for example'],
    rows.map(([reason, { count, example }]) => [count, reason, titleOf(example)]),
  );
}

export const count = (value: number): string => value.toLocaleString('en');

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
