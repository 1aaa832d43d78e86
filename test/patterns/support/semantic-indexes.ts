import { z } from 'zod';
import type { Store, VectorStore, WatchStore } from '../../../src/core/store.ts';
import { type ClassShape, Embedding, Entity, Field, Id, open, Ttl } from '../../../src/index.ts';
import { SemanticIndex, type SemanticIndexOptions } from '../../../src/patterns/index.ts';
import {
  type FakeEmbedder,
  type FaultKind,
  type FaultStore,
  fakeEmbedder,
  faultStore,
  type ManualClock,
  manualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { START } from '../../support/open.ts';
import { openStore, type StoreKind } from './stores.ts';

/** An exact index, so that no missing hit can hide behind an approximation. */
@Entity('article')
@Ttl('365d')
export class Article {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Field(z.string().optional()) body?: string;
  @Field(z.number()) words!: number;
  @Field(z.string()) lang!: string;
  @Embedding({ from: ['title', 'body'], index: 'exact' }) text?: Float32Array;
}

type Options = SemanticIndexOptions<ClassShape<Article>>;

export interface SearchProcessOptions extends Partial<Options> {
  readonly clock: ManualClock;
  readonly seed?: number | undefined;
  readonly embedder?: FakeEmbedder | undefined;
  readonly embedders?: readonly FakeEmbedder[] | undefined;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

/** One process on a store: a database, chance and faults of its own. */
export async function startSearch(
  store: Store,
  { clock, seed = 1, embedder = fakeEmbedder(), embedders, faults, script, ...options }: SearchProcessOptions,
) {
  const random = seededRandom(seed);
  // All stores of these tests have vectors and can be watched.
  const faulty = faultStore(store, {
    random: seededRandom(seed + 1),
    clock,
    faults,
    script,
    maxDelay: 20,
  }) as FaultStore<VectorStore & WatchStore>;
  const db = await open(faulty, { clock, random, embedder, embedders });
  const articles = db.repo(Article);
  const search = new SemanticIndex(articles, {
    name: 's',
    lexical: { fields: { title: 3, body: 1 } },
    ...options,
  });
  return { faulty, db, articles, search, embedder };
}

export type SearchProcess = Awaited<ReturnType<typeof startSearch>>;

/** A store on a clock that goes on by itself, and processes on it. */
export async function searchWorld(kind: StoreKind = 'memory') {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore(kind, { clock, random: seededRandom(1) });
  let seed = 100;
  return {
    clock,
    store,
    start: (options: Partial<SearchProcessOptions> = {}) => startSearch(store, { clock, seed: seed++, ...options }),
  };
}

export function article(id: string, title: string, more: { body?: string; lang?: string; words?: number } = {}) {
  return { id, title, words: title.split(' ').length, lang: 'en', ...more };
}
