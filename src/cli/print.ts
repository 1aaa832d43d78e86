import { inspect } from 'node:util';
import type { IdPart } from '../core/model/model.ts';

export const count = (value: number): string => value.toLocaleString('en');

export const plural = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** An id comes from data, so nothing in it reaches a terminal unescaped. */
export function printId(id: readonly IdPart[]): string {
  return id.map((part) => inspect(part, { breakLength: Number.POSITIVE_INFINITY })).join(', ');
}

/** Rows in columns. */
export function columns(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const widths = (rows[0] ?? []).map((_, column) => width(column));
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

/** For other programs; ids may have parts that JSON has no form for. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return part.toString();
    if (part instanceof Uint8Array) return Buffer.from(part).toString('base64url');
    return part;
  });
}
