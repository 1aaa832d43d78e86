import { expect, test } from 'vitest';
import type { Film } from '../../examples/films/film.ts';
import { parseRow, titleOf } from '../../examples/films/parse.ts';
import type { Outcome } from '../../examples/films/raters.ts';
import { verify } from '../../examples/films/verify.ts';

const ROW = {
  Title: 'The Land Girls',
  'Release Date': 'Jun 12 1998',
  'Production Budget': 8_000_000,
  'Worldwide Gross': 146_083,
  'Rotten Tomatoes Rating': null,
  'Major Genre': null,
  Director: null,
  'MPAA Rating': 'R',
};

test('a row becomes a film, its nulls left out', () => {
  expect(parseRow(ROW)).toEqual({
    film: {
      title: 'The Land Girls',
      year: 1998,
      released: new Date('1998-06-12T00:00:00Z'),
      budget: 8_000_000,
      gross: 146_083,
    },
  });
});

test('a title that is a number is text', () => {
  expect(parseRow({ ...ROW, Title: 1776 })).toMatchObject({ film: { title: '1776' } });
});

test.each([
  ['LÈon', 'Léon'],
  ['DÈj‡ Vu', 'Déjà Vu'],
  ['Les BronzÈs 3: amis pour la vie', 'Les Bronzés 3: amis pour la vie'],
  ['The Naked Gun 2Ω: The Smell of Fear', 'The Naked Gun 2½: The Smell of Fear'],
  ['Alien³', 'Alien³'],
  ['Ri¢hie Ri¢h', 'Ri¢hie Ri¢h'],
])('%s is read as %s', (Title, title) => {
  expect(parseRow({ ...ROW, Title })).toMatchObject({ film: { title } });
});

test.each([
  [{ Title: null }, 'no title'],
  [{ 'Production Budget': null }, 'no budget'],
  [{ 'Production Budget': null, 'Worldwide Gross': null }, 'no budget, no gross'],
  [{ 'Release Date': '1998-06-12' }, 'release date is not like "Jun 12 1998"'],
  [{ 'Release Date': 'Xyz 12 1998' }, 'release date is not in the calendar'],
  [{ 'Release Date': 'Feb 30 1998' }, 'release date is not in the calendar'],
])('a row with %j is refused: %s', (change, reason) => {
  const row = { ...ROW, ...change };
  expect(parseRow(row)).toEqual({ reason, row });
});

test('a row without a title has a name in the report', () => {
  expect(titleOf({ ...ROW, Title: null })).toBe('(none), Jun 12 1998');
});

test('the verdict tells lost, doubled, unheard and stray ratings apart', () => {
  const film = (...ids: string[]): Pick<Film, 'ratings'> => ({ ratings: ids.map((id) => ({ id, points: 5 })) });
  const outcome = (name: string, exit: string, ...ids: string[]): Outcome => {
    return { name, exit, acknowledged: new Set(ids), storeCalls: undefined };
  };
  const outcomes = [outcome('p1', '0', 'p1-0', 'p1-1', 'p1-2'), outcome('p2', 'SIGKILL', 'p2-0')];
  const verdict = verify([film('p1-0', 'p2-0', 'p2-1'), film('p1-1', 'p1-1', 'p2-9', 'p1-7')], outcomes, 5);
  expect(verdict).toEqual({
    acknowledged: 4,
    stored: 6,
    lost: ['p1-2'],
    doubled: ['p1-1'],
    unheard: ['p2-1'],
    stray: ['p2-9', 'p1-7'],
  });
});
