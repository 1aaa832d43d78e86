import type { SimilarItemOptions } from '../src/patterns/index.ts';
import { halving, mean } from '../src/patterns/recommender/geometry.ts';
import { besideBaselines, type Quality } from './quality.ts';
import type { BenchRow } from './row.ts';

/** A film that somebody has just seen, what they saw before it, and which films that they have not seen go with it. */
export interface FilmQuestion {
  /** Who has seen that, and nothing else. */
  readonly asker: string;
  readonly film: string;
  readonly before: readonly string[];
  readonly relevant: ReadonlySet<string>;
}

type SimilarTo = Pick<SimilarItemOptions<never, never, string>, 'limit' | 'user' | 'except' | 'strategy'>;

/** What answers questions about films, and what they are compared with. */
export interface FilmAnswers {
  similar(film: string, options: SimilarTo): Promise<readonly string[]>;
  near(vector: Float32Array, count: number): Promise<readonly string[]>;
  vectorOf(film: string): Promise<Float32Array | undefined>;
  readonly popular: readonly string[];
}

const K = 10;

/** Item to item: films that go with one, beside what the viewer's own past would recommend. */
export async function filmItemRows(questions: readonly FilmQuestion[], answers: FilmAnswers): Promise<BenchRow[]> {
  const contenders = {
    similar: ({ film, asker }: FilmQuestion) => answers.similar(film, { limit: K, user: asker }),
    blended: ({ film, asker }: FilmQuestion) => answers.similar(film, { limit: K, user: asker, strategy: 'blended' }),
    'for nobody': ({ film, before }: FilmQuestion) => answers.similar(film, { limit: K, except: before }),
    popular: async (question: FilmQuestion) => unseen(answers.popular, question),
    mean: async (question: FilmQuestion) => nearTo(answers, question, meanOf(await vectorsOf(answers, question))),
    halving: async (question: FilmQuestion) => nearTo(answers, question, halving(await vectorsOf(answers, question))),
  };
  const judged = new Map<string, Quality>();
  console.log(`films that go with a film (${questions.length} films)`);
  for (const [name, answer] of Object.entries(contenders)) {
    const sum = { recall: 0, ndcg: 0 };
    for (const question of questions) {
      const { recall, ndcg } = quality(await answer(question), question.relevant);
      sum.recall += recall / questions.length;
      sum.ndcg += ndcg / questions.length;
    }
    judged.set(name, sum);
    console.log(`  ${name.padEnd(10)} recall@${K} ${sum.recall.toFixed(3)}  NDCG@${K} ${sum.ndcg.toFixed(3)}`);
  }
  return besideBaselines('films, similar', K, 'similar', (contender) => judged.get(contender));
}

/** Of all that could be among the first K, what part is; and the same with each place counting less than the one above. */
function quality(list: readonly string[], relevant: ReadonlySet<string>): Quality {
  const gains = list.slice(0, K).map((one, place) => (relevant.has(one) ? 1 / Math.log2(place + 2) : 0));
  const possible = Math.min(K, relevant.size);
  const best = Array.from({ length: possible }, (_, place) => 1 / Math.log2(place + 2));
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  return { recall: gains.filter((gain) => gain > 0).length / possible, ndcg: sum(gains) / sum(best) };
}

async function vectorsOf(answers: FilmAnswers, { film, before }: FilmQuestion): Promise<Float32Array[]> {
  const vectors = await Promise.all([...before, film].map((one) => answers.vectorOf(one)));
  return vectors.filter((vector) => vector !== undefined);
}

function meanOf(vectors: readonly Float32Array[]): Float32Array | undefined {
  return mean(vectors.map((vector) => ({ vector, weight: 1 })));
}

async function nearTo(
  answers: FilmAnswers,
  question: FilmQuestion,
  vector: Float32Array | undefined,
): Promise<readonly string[]> {
  if (vector === undefined) return [];
  return unseen(await answers.near(vector, K + 1 + question.before.length), question);
}

function unseen(list: readonly string[], { film, before }: FilmQuestion): readonly string[] {
  const seen = new Set([...before, film]);
  return list.filter((one) => !seen.has(one)).slice(0, K);
}
