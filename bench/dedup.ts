import { z } from 'zod';
import type { VectorStore } from '../src/core/store.ts';
import { hashingEmbedder } from '../src/embedders/index.ts';
import { defineEntity, open, systemEnvironment } from '../src/index.ts';
import { shinglesOf, wordsOf } from '../src/patterns/dedup/text/words.ts';
import { Deduplicator } from '../src/patterns/index.ts';
import { jaccard } from '../src/patterns/shared/jaccard.ts';
import { memory } from '../src/stores/memory/index.ts';
import { seededRandom } from '../src/testing/index.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';
import { spam } from './spam.ts';

const MAILS = 500;
const AT_ONCE = 16;
const NEAR = { jaccard: 0.7, bands: 16, rows: 5 };

const Mail = defineEntity('mail', z.object({ id: z.string(), text: z.string() }), { id: 'id' });
const Embedded = defineEntity('embedded', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', embedder: hashingEmbedder({ dimensions: 256 }) } },
});

/** How a mail is sent again. */
const EDITS: Readonly<Record<string, (text: string) => string>> = {
  'the same': (text) => text,
  case: (text) => text.toUpperCase(),
  'white space': (text) => text.replaceAll(/\s+/g, '  \n'),
  'a changed sentence': (text) => {
    const words = text.split(' ');
    const at = Math.floor(words.length / 2);
    words.splice(at, 6, 'which', 'somebody', 'wrote', 'in', 'other', 'words');
    return words.join(' ');
  },
  'reordered paragraphs': (text) => {
    const paragraphs = text.split(/\n\s*\n/);
    return [...paragraphs.slice(1), paragraphs[0]].join('\n\n');
  },
};

/** Mails of which no two are alike, each pair compared. */
function distinctMails(): string[] {
  const chosen: { text: string; set: Set<string> }[] = [];
  for (const text of spam()) {
    if (chosen.length === MAILS) break;
    if (text.length < 400 || text.length > 6000 || !text.includes('\n\n')) continue;
    const set = new Set(shinglesOf(wordsOf(text.toLowerCase()), 3));
    if (chosen.every((other) => jaccard(set, other.set) < 0.3)) chosen.push({ text, set });
  }
  return chosen.map(({ text }) => text);
}

interface Answer {
  readonly id: string;
  /** What it was told to be a duplicate of. */
  readonly of: string | undefined;
}
type Submit = (id: string, text: string) => Promise<Answer>;

/** Real mails and what is sent again of them, beside the search and insert of the guide that this project grew from. */
export async function dedupBench(): Promise<BenchRow[]> {
  const mails = distinctMails();
  const kinds = Object.keys(EDITS);
  const again = mails.map((text, i) => {
    const kind = kinds[i % kinds.length] as string; // there are some
    return { id: `${i} again`, of: `${i}`, kind, text: (EDITS[kind] as (text: string) => string)(text) };
  });
  const ours = await contender(false);
  const both = await contender(true);
  const theirs = await guide();
  const rows: BenchRow[] = [];
  const figures = [];
  for (const one of [ours, both, theirs])
    figures.push(await measure(one.submit, mails, again, () => one.counting.calls));
  const [near, semantic, naive] = figures as [Figures, Figures, Figures];
  const row = (name: string, pick: (of: Figures) => number, unit: string, target: number, isCost = false): void => {
    for (const [label, figure] of [
      ['near', near],
      ['near and semantic', semantic],
    ] as const) {
      const [mine, other] = [pick(figure), pick(naive)];
      rows.push({
        name: `dedup, ${label}: ${name}`,
        ours: mine,
        theirs: other,
        ratio: isCost ? other / mine : mine / other,
        target,
        unit,
      });
    }
  };
  for (const kind of kinds) row(`found, ${kind}`, ({ recall }) => 100 * (recall[kind] ?? 0), '%', 0.9);
  row('precision', ({ precision }) => 100 * precision, '%', 0.99);
  row('one submission', ({ each }) => each, 'us', 0.05, true);
  row('calls of the store', ({ calls }) => calls, 'calls', 0.02, true);
  row('submissions per second', ({ each }) => 1e6 / each, '/s', 0.05);
  row(`told to be unique of ${AT_ONCE} copies at once`, ({ uniques }) => uniques, 'x', AT_ONCE / 2, true);
  return rows;
}

interface Figures {
  readonly recall: Readonly<Record<string, number>>;
  readonly precision: number;
  /** Microseconds of one submission, sixteen under way at once. */
  readonly each: number;
  readonly calls: number;
  readonly uniques: number;
}

async function measure(
  submit: Submit,
  mails: readonly string[],
  again: readonly { id: string; of: string; kind: string; text: string }[],
  calls: () => number,
): Promise<Figures> {
  await submit('warm', 'what the first call looks up is not what a mail costs, so this goes first');
  const before = calls();
  const started = performance.now();
  const wrong = (await inTurns(mails.map((text, i) => () => submit(`${i}`, text)))).filter(
    ({ of }) => of !== undefined,
  );
  const answers = await inTurns(
    again.map(
      ({ id, text }) =>
        () =>
          submit(id, text),
    ),
  );
  const took = performance.now() - started;
  const called = calls() - before;
  const total = mails.length + again.length;
  const found = new Map(answers.map(({ id, of }) => [id, of]));
  const recall: Record<string, number> = {};
  let right = 0;
  for (const kind of Object.keys(EDITS)) {
    const of = again.filter((one) => one.kind === kind);
    const hit = of.filter((one) => found.get(one.id) === one.of).length;
    right += hit;
    recall[kind] = hit / of.length;
  }
  const told = answers.filter(({ of }) => of !== undefined).length + wrong.length;
  const copies = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, i) =>
      submit(`copy ${i}`, 'A mail that nobody has sent before, now by many at the same time'),
    ),
  );
  return {
    recall,
    precision: right / Math.max(1, told),
    each: (1000 * took) / total,
    calls: called / total,
    uniques: copies.filter(({ of }) => of === undefined).length,
  };
}

async function inTurns(calls: readonly (() => Promise<Answer>)[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let call = calls[next++]; call !== undefined; call = calls[next++]) answers.push(await call());
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
}

interface Contender {
  readonly submit: Submit;
  readonly counting: CountingStore;
}

async function contender(isSemantic: boolean): Promise<Contender> {
  const counting = new CountingStore(await memory().openStore(systemEnvironment));
  const db = await open(counting, { random: seededRandom(1) });
  const options = { name: 'bench', text: ['text'], near: NEAR } as const;
  const semantic = { embedding: 'vector', threshold: 0.95 } as const;
  const dedup = isSemantic
    ? new Deduplicator(db, Embedded, { ...options, semantic })
    : new Deduplicator(db, Mail, options);
  const submit: Submit = async (id, text) => {
    const verdict = await dedup.submit({ id, text });
    return { id, of: 'of' in verdict ? verdict.of : undefined };
  };
  return { submit, counting };
}

/** The loop of the guide: search the five nearest, insert if none is near enough. */
async function guide(): Promise<Contender> {
  const counting = new CountingStore(await memory().openStore(systemEnvironment));
  const db = await open(counting as CountingStore & VectorStore);
  const mails = db.repo(Embedded);
  const submit: Submit = async (id, text) => {
    const { hits } = await mails.search(text, { limit: 5 });
    const [nearest] = hits.filter(({ score }) => score >= 0.95);
    if (nearest === undefined) await mails.put({ id, text });
    return { id, of: nearest?.entity.id };
  };
  return { submit, counting };
}
