import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Random } from '../../src/core/clock.ts';
import type { Store, VectorStore, WatchStore } from '../../src/core/store.ts';
import { hashingEmbedder } from '../../src/embedders/index.ts';
import { type Default, Embedding, Entity, Field, Id, NorimakiError, open, Ttl } from '../../src/index.ts';
import { Deduplicator, Recommender, SemanticIndex } from '../../src/patterns/index.ts';
import { type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

@Entity('article')
class Article {
  @Id() id!: Id<string>;
  @Field(z.string()) text!: string;
  @Field(z.string()) owner: Default<string> = '';
  @Field(z.date().optional()) @Ttl() until?: Date | undefined;
  @Embedding({ from: 'text', index: 'exact', chunk: { size: 60, overlap: 10 } }) meaning?: Float32Array;
}

/** Fewer over the wire, where each takes several times as long. */
const RACE: Readonly<Record<StoreKind, { readonly edits: number; readonly searches: number }>> = isLong
  ? {
      memory: { edits: 5_000, searches: 2_000 },
      embedded: { edits: 5_000, searches: 2_000 },
      norikv: { edits: 5_000, searches: 2_000 },
    }
  : {
      memory: { edits: 500, searches: 200 },
      embedded: { edits: 500, searches: 200 },
      norikv: { edits: 100, searches: 40 },
    };
const IDS = 12;
const LANES = 4;
const SIGNALS = { view: 1, buy: 8 } as const;

const TOPICS = ['toasted nori sheets from the bay', 'green tea of the first harvest', 'rice vinegar for the sushi'];

/** One of few texts, of which many are near each other and some are the same. */
function anyText(random: Random): string {
  const topic = TOPICS[pickInt(random, TOPICS.length)] ?? '';
  return `${topic}, ${'packed by hand and sold by weight '.repeat(2)}in lot ${pickInt(random, 4)}`;
}

/** What an id held between two instants of the test; `text` is `undefined` while it was deleted. */
interface Held {
  readonly text: string | undefined;
  readonly deadline: number;
  readonly from: number;
  until: number;
}

/** What was written when, by who writes an id alone: from the beginning of the write to the end of the next. */
class Timeline {
  readonly #held = new Map<string, Held[]>();
  readonly #clock: ManualClock;
  readonly #waiting: { readonly edits: number; readonly go: () => void }[] = [];
  #ticks = 0;
  /** How many edits have ended. */
  #edits = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  edited(): void {
    this.#edits++;
    for (const { edits, go } of this.#waiting) if (edits <= this.#edits) go();
  }

  /** Resolves once so many edits have ended. */
  async reaches(edits: number): Promise<void> {
    if (edits > this.#edits) await new Promise<void>((go) => this.#waiting.push({ edits, go }));
  }

  async write(id: string, text: string | undefined, until: Date | undefined, write: () => Promise<boolean>) {
    const held = this.#held.get(id) ?? [];
    this.#held.set(id, held);
    const last = held.at(-1);
    const next: Held = {
      text,
      deadline: until?.getTime() ?? Number.POSITIVE_INFINITY,
      from: ++this.#ticks,
      until: Number.POSITIVE_INFINITY,
    };
    held.push(next);
    const now = ++this.#ticks;
    if (await write()) {
      if (last !== undefined) last.until = ++this.#ticks;
    } else {
      // It changed nothing.
      held.splice(held.indexOf(next), 1);
    }
    return now;
  }

  /** Runs a search, and then tells whether an id may have held a text at some instant of it. */
  async during<T>(search: () => Promise<T>): Promise<{ found: T; held: (id: string, text?: string) => boolean }> {
    const from = ++this.#ticks;
    const at = this.#clock.now();
    const found = await search();
    const until = ++this.#ticks;
    const held = (id: string, text?: string): boolean =>
      (this.#held.get(id) ?? []).some(
        (one) =>
          one.text !== undefined &&
          (text === undefined || one.text === text) &&
          one.from <= until &&
          one.until >= from &&
          one.deadline > at,
      );
    return { found, held };
  }
}

async function startProcess(store: Store, clock: ManualClock, seed: number, tenant: string) {
  // Every kind of store of these tests has vectors and can be watched.
  const whole = await open(store as VectorStore & WatchStore, {
    clock,
    random: seededRandom(seed),
    embedder: hashingEmbedder({ dimensions: 64 }),
  });
  const db = whole.forTenant(tenant);
  const articles = db.repo(Article);
  return {
    articles,
    search: new SemanticIndex(articles, { name: 'articles', lexical: { fields: { text: 1 } } }),
    shop: new Recommender(db, Article, { name: 'shop', signals: SIGNALS }),
    dedup: new Deduplicator(db, Article, {
      name: 'articles',
      text: ['text'],
      near: { jaccard: 0.6, bands: 8, rows: 2 },
      semantic: { embedding: 'meaning', threshold: 0.9 },
    }),
  };
}

type Process = Awaited<ReturnType<typeof startProcess>>;

/** Writes articles whose ids are its own, in every way in which an article can change. */
async function edit(
  { articles, dedup, shop }: Process,
  timeline: Timeline,
  clock: ManualClock,
  seed: number,
  edits: number,
) {
  const random = seededRandom(seed);
  for (let n = 0; n < edits; n++) {
    const id = `${seed}-${pickInt(random, IDS / LANES)}`;
    const text = anyText(random);
    const until = random.float() < 0.5 ? new Date(clock.now() + pickInt(random, 200)) : undefined;
    const whole = { id, text, owner: 'acme' };
    const ways: (() => Promise<unknown>)[] = [
      () => timeline.write(id, text, undefined, async () => (await dedup.submit(whole)).stored),
      () => timeline.write(id, text, until, () => articles.put({ ...whole, until }).then(() => true)),
      () => timeline.write(id, undefined, undefined, () => dedup.remove(id)),
      () => timeline.write(id, undefined, undefined, () => articles.delete(id)),
      () => shop.record(`user ${pickInt(random, 4)}`, id, 'view'),
      () => clock.advance(20),
    ];
    await ways[pickInt(random, ways.length)]?.();
    timeline.edited();
  }
}

test.each(STORE_KINDS)(
  'on %s edits race searches, recommendations and checks for duplicates: nothing stale, deleted, expired or foreign is returned',
  async (kind) => {
    // As fast as the machine's, or deadlines would pass while a real store works.
    const { edits, searches } = RACE[kind];
    const clock = manualClock(START);
    const ticking = setInterval(() => void clock.advance(1), 1);
    onTestFinished(() => clearInterval(ticking));
    const store = await openStore(kind, { clock, random: seededRandom(1) });
    const writer = await startProcess(store, clock, 1, 'acme');
    const reader = await startProcess(store, clock, 2, 'acme');
    const stranger = await startProcess(store, clock, 3, 'globex');
    for (let lane = 1; lane <= LANES; lane++) {
      for (let n = 0; n < IDS / LANES; n++) {
        await stranger.dedup.submit({ id: `${lane}-${n}`, text: TOPICS.join(' and '), owner: 'globex' });
      }
    }
    const timeline = new Timeline(clock);
    for (let lane = 1; lane <= LANES; lane++) {
      const whole = { id: `${lane}-0`, text: anyText(seededRandom(lane)), owner: 'acme' };
      await timeline.write(whole.id, whole.text, undefined, async () => (await writer.dedup.submit(whole)).stored);
    }
    await reader.search.ready();
    const returned = { search: 0, shop: 0, dedup: 0 };
    const articlesAre = (list: readonly Article[], held: (id: string, text?: string) => boolean): void => {
      for (const { id, text, owner } of list) {
        expect(owner).toBe('acme');
        expect([id, text, held(id, text)]).toEqual([id, text, true]);
      }
    };
    const look = async (seed: number): Promise<void> => {
      const random = seededRandom(seed);
      for (let n = 0; n < searches / 2; n++) {
        // Edits are slower than searches on some stores, and faster on others: each waits for its turn.
        await timeline.reaches((n * 2 * edits) / searches);
        const text = anyText(random);
        const what = n % 4;
        if (what === 0) {
          const { found, held } = await timeline.during(() => reader.search.find(text, { limit: 5 }));
          articlesAre(
            found.hits.map(({ entity }) => entity),
            held,
          );
          for (const { entity, passage, why } of found.hits) {
            if (passage !== undefined) expect(entity.text).toContain(passage.text.trim());
            for (const term of why.lexical?.terms ?? []) expect(entity.text).toContain(term);
          }
          returned.search += found.hits.length;
        } else if (what === 1) {
          const { found, held } = await timeline.during(() =>
            reader.shop.for(`user ${n % 3}`, { limit: 5, exclude: 'rejected' }),
          );
          articlesAre(
            found.map(({ item }) => item),
            held,
          );
          returned.shop += found.length;
        } else if (what === 2) {
          const { found, held } = await timeline.during(() => reader.dedup.check(text));
          const match = found.kind === 'unique' ? found.nearest : found.kind === 'tooShort' ? undefined : found;
          if (match === undefined) continue;
          expect([match, held(match.of, match.kind === 'exact' ? text : undefined)]).toEqual([match, true]);
          returned.dedup++;
        } else {
          const id = `${1 + pickInt(random, LANES)}-${pickInt(random, IDS / LANES)}`;
          const similar = () => reader.search.similar(id, { limit: 5 });
          const { found, held } = await timeline.during(() =>
            similar().catch((error: unknown) => {
              if (NorimakiError.is(error, 'not.found')) return { hits: [] };
              throw error;
            }),
          );
          articlesAre(
            found.hits.map(({ entity }) => entity),
            held,
          );
          returned.search += found.hits.length;
        }
      }
    };
    await Promise.all([
      ...Array.from({ length: LANES }, (_, lane) => edit(writer, timeline, clock, lane + 1, edits / LANES)),
      look(11),
      look(12),
    ]);
    for (const count of Object.values(returned)) expect(count).toBeGreaterThan(0);
    for (const { search } of [reader, writer, stranger]) await search.close();
  },
);
