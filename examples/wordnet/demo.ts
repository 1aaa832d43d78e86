// The main job goes on: import the entries of WordNet with an embedding of each, kill the import on the way, resume it,
// search by phrases, and let the doctor look for anything wrong.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type SearchHit } from 'norimaki';
import { embedded } from 'norimaki/stores/embedded';
import { count, printTable, seconds } from '../films/print.ts';
import { progressBar } from '../films/progress.ts';
import { runImport } from './importer.ts';
import { readSynsets } from './read.ts';
import { embedder, Synset } from './synset.ts';

const PATH = join(import.meta.dirname, '../../.demo/wordnet');
/** How many entries; all of them if not given. */
const [limit] = process.argv.slice(2);

const times: [string, string][] = [];

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  times.push([what, seconds(performance.now() - started)]);
  return result;
}

function printHits(hits: readonly SearchHit<Synset>[]): void {
  printTable(
    ['score', 'words', 'gloss'],
    hits.map(({ entity: { words, gloss }, score }) => [
      score.toFixed(2),
      words.slice(0, 3).join(', '),
      gloss.length > 70 ? `${gloss.slice(0, 69)}…` : gloss,
    ]),
  );
}

await rm(PATH, { recursive: true, force: true });
const synsets = await readSynsets(limit === undefined ? undefined : Number(limit));
const total = synsets.length;

console.log(`Importing ${count(total)} entries of WordNet, each with a vector of its words and its gloss\n`);
const first = await timed('import, until it is killed', () => runImport(PATH, total, total * 0.4));
console.log(
  `\n  killed after ${count(first.acknowledged.length)} were acknowledged: ${first.isKilled ? 'SIGKILL' : 'no'}\n`,
);
const second = await timed('import, resumed', () => runImport(PATH, total));
console.log(`\n  resumed: ${count(second.passedOver)} were there, ${count(second.acknowledged.length)} were added`);

await using db = await open(embedded({ path: PATH }), { embedder });
const repo = db.repo(Synset);
const stored = await timed('count', () => repo.count());
const kept = (await repo.getMany(first.acknowledged)).filter((synset) => synset !== undefined).length;
console.log(`  in the database: ${count(stored)}; of those acknowledged before the kill: ${count(kept)}`);

console.log(
  '\nSearching: "a large wild cat with stripes"; the first search reads the vectors; their graph is built behind it\n',
);
const phrase = 'a large wild cat with stripes';
printHits((await timed('first search', () => repo.search(phrase, { limit: 5 }))).hits);

console.log('\nThe same among verbs: "move quickly on foot"\n');
const verbs = await timed('search with a condition', () =>
  repo.search('move quickly on foot', { limit: 5, where: { part: 'verb' } }),
);
printHits(verbs.hits);

const tea = synsets.find(({ words }) => words.includes('tea')) ?? synsets[0];
console.log(`\nLike "${tea?.words.join(', ')}"\n`);
printHits((await timed('similarTo', () => repo.similarTo(tea?.id ?? '', { limit: 5 }))).hits);

console.log('\nThe doctor looks at every record, vector and index entry\n');
const bar = progressBar('looked at', 3 * total);
let phases = 0;
let last = 0;
const report = await timed('doctor', () =>
  db.doctor({
    onProgress: ({ done }) => {
      if (done < last) phases += last;
      last = done;
      bar.update(phases + done);
    },
  }),
);
bar.stop();
const found = Object.values(report.found).reduce((sum, n) => sum + n, 0);
const { records, vectors, entries } = report.checked;
console.log(
  `\n  ${count(records)} records, ${count(vectors)} vectors, ${count(entries)} index entries: ${found} findings`,
);

console.log('\nTime\n');
printTable(['', 'time'], times);

const isIntact = stored === total && kept === first.acknowledged.length && report.isHealthy && found === 0;
console.log(isIntact ? '\nEverything is there, and can be found.' : '\nFAILED: see above.');
process.exitCode = isIntact ? 0 : 1;
