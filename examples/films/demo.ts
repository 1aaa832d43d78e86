// The main job, on real input: import a messy list of films, let eight processes rate the same films at once, kill one
// of them on the way, and check that no rating which was acknowledged is lost or counted twice.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type EntityInput, NorimakiError, open, type RepositoryOf } from 'norimaki';
import { type EmbeddedStore, embedded } from 'norimaki/stores/embedded';
import { Film } from './film.ts';
import { parseRow, readRows } from './parse.ts';
import { count, printRejections, printTable, type Rejection } from './print.ts';
import { progressBar } from './progress.ts';
import { type Outcome, race, startRaters } from './raters.ts';
import { verify } from './verify.ts';
import { Workbook } from './workbook.ts';

const PATH = join(import.meta.dirname, '../../.demo/films');
const BURST = 200;
const PROCESSES = 8;
const RATINGS_EACH = 250;
/** Calls that each process has under way at once. */
const LANES = 16;
const RATED_FILMS = 40;

type Films = RepositoryOf<typeof Film, EmbeddedStore>;

/** Reads the list and stores every row that is a film; returns the rows that are not. */
async function importFilms(films: Films): Promise<{ rows: number; stored: number; rejections: Rejection[] }> {
  const rows = await readRows();
  const rejections: Rejection[] = [];
  const accepted: { film: EntityInput<Film>; row: unknown }[] = [];
  for (const row of rows) {
    const parsed = parseRow(row);
    if ('film' in parsed) accepted.push({ film: parsed.film, row });
    else rejections.push(parsed);
  }
  const bar = progressBar('rows', accepted.length);
  const results = await films.createMany(
    accepted.map(({ film }) => film),
    { onProgress: ({ done }) => bar.update(done) },
  );
  bar.stop();
  for (const [i, result] of results.entries()) {
    if (!result.ok) rejections.push({ reason: reasonOf(result.error), row: accepted[i]?.row });
  }
  return { rows: rows.length, stored: results.filter(({ ok }) => ok).length, rejections };
}

function reasonOf(error: NorimakiError): string {
  if (NorimakiError.is(error, 'validation.failed'))
    return error.details.issues.map(({ message }) => message).join(', ');
  if (NorimakiError.is(error, 'already.exists')) return 'another film has this title and year';
  throw error;
}

/** The films that earned most, and what the critics made of them. */
async function blockbusters(films: Films) {
  const { items } = await films.find({ gross: { gt: 0 } }, { reverse: true, limit: RATED_FILMS });
  return items.map(({ title, year, critics = 50 }) => ({ id: { title, year }, critics }));
}

/** Many ratings of one film in one process at once. */
async function burst(films: Films, id: { title: string; year: number }): Promise<Outcome> {
  const acknowledged = new Set<string>();
  const rate = async (_: unknown, i: number): Promise<void> => {
    const rating = { id: `p0-${i}`, points: 8 + (i % 2) };
    await films.mutate(id, (film) => {
      film.ratings.push(rating);
    });
    acknowledged.add(rating.id);
  };
  await Promise.all(Array.from({ length: BURST }, rate));
  return { name: 'p0', acknowledged, storeCalls: undefined, exit: '0' };
}

async function allFilms(films: Films): Promise<Film[]> {
  const all: Film[] = [];
  for await (const film of films.scan()) all.push(film);
  return all;
}

function printTop(films: readonly Film[]): void {
  const rated = films.filter(({ ratings }) => ratings.length >= 10).sort((a, b) => b.average() - a.average());
  printTable(
    ['', 'title', 'year', 'average', 'votes'],
    rated.slice(0, 10).map((film, i) => [i + 1, film.title, film.year, film.average().toFixed(2), film.ratings.length]),
  );
}

const workbook = new Workbook();
await rm(PATH, { recursive: true, force: true });

console.log('Importing the films of vega-datasets\n');
const db = await open(embedded({ path: PATH }));
const imported = await workbook.time('import', () => importFilms(db.repo(Film)));
workbook.calls('create', imported.stored);
const { rows, stored, rejections } = imported;
console.log(`\n  ${count(rows)} rows: ${count(stored)} stored, ${count(rejections.length)} rejected\n`);
printRejections(rejections);

const list = await blockbusters(db.repo(Film));
const [first] = list;
if (first === undefined) throw new Error('There are no films to rate.');
console.log(`\nRating: one process gives ${BURST} ratings to one film at once\n`);
const burstOutcome = await workbook.time('burst', () => burst(db.repo(Film), first.id));
workbook.calls('mutate', BURST);
console.log(`  ${first.id.title}: ${burstOutcome.acknowledged.size} acknowledged`);
await db.close();

console.log(`\nRating: ${PROCESSES} processes give ${RATINGS_EACH} ratings each to the same ${RATED_FILMS} films\n`);
const raters = await workbook.time('start', () => startRaters(PROCESSES));
const bar = progressBar('ratings', PROCESSES * RATINGS_EACH);
const raced = await workbook.time('rate', () =>
  race(raters, {
    task: { path: PATH, films: list, count: RATINGS_EACH, lanes: LANES },
    kill: { name: 'p3', after: RATINGS_EACH / 2 },
    onRated: (rated) => bar.update(rated),
  }),
);
bar.stop();
const whole = raced.filter(({ storeCalls }) => storeCalls !== undefined);
workbook.calls(
  'mutate',
  sum(whole.map(({ acknowledged }) => acknowledged.size)),
  sum(whole.map((o) => o.storeCalls ?? 0)),
);
console.log('');
printTable(
  ['process', 'acknowledged', 'ended'],
  raced.map(({ name, acknowledged, exit }) => [
    name,
    acknowledged.size,
    exit === 'SIGKILL' ? 'killed' : `exit ${exit}`,
  ]),
);

console.log('\nVerifying: the database, opened again\n');
await using again = await open(embedded({ path: PATH }));
const films = await workbook.time('verify', () => allFilms(again.repo(Film)));
const verdict = verify(films, [burstOutcome, ...raced], RATINGS_EACH);
printTable(
  ['ratings', ''],
  [
    [verdict.acknowledged, 'acknowledged by mutate'],
    [verdict.lost.length, 'acknowledged, but lost'],
    [verdict.doubled.length, 'counted twice'],
    [verdict.unheard.length, 'stored by the process that was killed before it could tell'],
    [verdict.stray.length, 'of unknown origin'],
    [verdict.stored, 'in the database'],
  ],
);

console.log('\nThe films that the ratings put first\n');
printTop(films);

console.log('\nTime and work\n');
workbook.print();
console.log(`
  A mutate alone makes two store calls, a read and a write. Concurrent ones for one film in one process share them;
  those of other processes get in between and are tried again.`);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const failed = raced.filter(({ exit }) => exit !== '0' && exit !== 'SIGKILL');
const wrong = [...verdict.lost, ...verdict.doubled, ...verdict.stray, ...failed];
const isIntact = wrong.length === 0 && films.length === stored;
console.log(isIntact ? '\nEvery acknowledged rating is there, exactly once.' : '\nFAILED: see above.');
process.exitCode = isIntact ? 0 : 1;
