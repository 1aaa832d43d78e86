import { readFile } from 'node:fs/promises';
import type { EntityInput } from 'norimaki';
import { z } from 'zod';
import type { Film } from './film.ts';

/** The columns that the demo keeps, as they are in the file. */
const Row = z.object({
  // Nine titles are numbers in the file: 1776, 1941, 300…
  Title: z.union([z.string(), z.number()], 'no title'),
  'Release Date': z.string().regex(/^[A-Z][a-z]{2} \d\d \d{4}$/, 'release date is not like "Jun 12 1998"'),
  'Production Budget': z.number('no budget'),
  'Worldwide Gross': z.number('no gross'),
  'Rotten Tomatoes Rating': z.number().nullable(),
  'Major Genre': z.string().nullable(),
  Director: z.string().nullable(),
});

export type Parsed = { readonly film: EntityInput<Film> } | { readonly reason: string; readonly row: unknown };

/** The 3,201 rows of vega-datasets' list of films. */
export async function readRows(): Promise<unknown[]> {
  const file = new URL('../data/movies.json', import.meta.resolve('vega-datasets'));
  return z.array(z.unknown()).parse(JSON.parse(await readFile(file, 'utf8')));
}

/** What `create` takes, or why the row cannot be that. */
export function parseRow(row: unknown): Parsed {
  const { data, error } = Row.safeParse(row);
  if (error !== undefined) return { reason: error.issues.map(({ message }) => message).join(', '), row };
  // The dates have no zone; read them as UTC, so that the demo gives the same films everywhere.
  const released = new Date(`${data['Release Date']} UTC`);
  // To JavaScript the 30th of February is the 2nd of March.
  if (released.getUTCDate() !== Number(data['Release Date'].slice(4, 6)))
    return { reason: 'release date is not in the calendar', row };
  return {
    film: {
      title: mendLetters(String(data.Title)),
      year: released.getUTCFullYear(),
      released,
      budget: data['Production Budget'],
      gross: data['Worldwide Gross'],
      director: data.Director ?? undefined,
      genre: data['Major Genre'] ?? undefined,
      critics: data['Rotten Tomatoes Rating'] ?? undefined,
    },
  };
}

/** How a row is called in a report. */
export function titleOf(row: unknown): string {
  const { Title, 'Release Date': date } = row as { Title?: unknown; 'Release Date'?: unknown };
  return `${Title ?? '(none)'}, ${date}`;
}

// Eighteen titles were once read as Mac Roman though they were Windows-1252: "LÈon" is "Léon".
const MENDED: Readonly<Record<string, string>> = {
  È: 'é',
  Ë: 'è',
  Í: 'ê',
  Î: 'ë',
  '‡': 'à',
  '·': 'á',
  '‰': 'ä',
  Û: 'ó',
  Ù: 'ô',
  '˘': 'ù',
  Ω: '½',
  Ö: '…',
};

function mendLetters(title: string): string {
  return title.replace(/[ÈËÍÎ‡·‰ÛÙ˘ΩÖ]/g, (letter) => MENDED[letter] ?? letter);
}
