import { z } from 'zod';
import type { VectorStore } from '../../../src/core/store.ts';
import type { Database } from '../../../src/index.ts';
import { defineEntity, NorimakiError } from '../../../src/index.ts';
import {
  Cache,
  type CacheBus,
  ConcurrencyLimiter,
  Counter,
  Deduplicator,
  defineAggregate,
  defineProjection,
  Election,
  EventStore,
  fixedWindow,
  Inventory,
  projectedFields,
  RateLimiter,
  Recommender,
  SemanticIndex,
  Sessions,
  sessionFields,
  stockFields,
} from '../../../src/patterns/index.ts';

/** Uses a block under names that every tenant uses, and tells what it saw: the same as if it were alone. */
export interface BlockUse {
  readonly name: string;
  run(db: Database): Promise<unknown>;
}

const Session = defineEntity('session', z.object({ ...sessionFields, cart: z.number() }), {
  id: 'id',
  versioned: 'version',
  deadline: 'expiresAt',
});

const Stock = defineEntity('stock', z.object({ ...stockFields, title: z.string() }), { id: 'sku' });

const Dish = defineEntity('dish', z.object({ id: z.string() }), { id: 'id', embeddings: { look: { dimensions: 2 } } });

const Leaflet = defineEntity('leaflet', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { meaning: { from: 'text', index: 'exact' } },
});

const Account = defineAggregate({
  name: 'account',
  events: { Deposited: z.object({ person: z.string(), name: z.string(), amount: z.number() }) },
  personal: { Deposited: { subject: 'person', fields: { name: '(forgotten)' } } },
  initial: () => ({ balance: 0, name: '' }),
  evolve: ({ balance }, { data }) => ({ balance: balance + data.amount, name: data.name }),
});

const Balance = defineEntity('balance', z.object({ id: z.string(), sum: z.number().default(0), ...projectedFields }), {
  id: 'id',
});

const Balances = defineProjection({
  name: 'balances',
  from: [Account],
  into: Balance,
  id: (event) => event.stream.id,
  apply: (view, event) => {
    view.sum += event.data.amount;
  },
});

const Letter = defineEntity('letter', z.object({ id: z.string(), text: z.string() }), { id: 'id' });

/** One bus for all tenants, as one Redis would be. */
function sharedBus(): CacheBus {
  const listeners = new Set<Parameters<CacheBus['subscribe']>[0]>();
  return {
    publish: (message) => {
      for (const listener of listeners) listener(structuredClone(message));
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
const bus = sharedBus();

/** A new block is one entry here. */
export const BLOCKS: readonly BlockUse[] = [
  {
    name: 'Counter',
    run: async (db) => {
      const counter = new Counter(db, { name: 'c', shards: 2, min: 0n, max: 5n });
      const adds = [
        await counter.tryAdd(3n, { idempotencyKey: 'k' }),
        await counter.tryAdd(3n),
        await counter.tryAdd(2n),
      ];
      return [adds.map(({ ok }) => ok), await counter.value()];
    },
  },
  {
    name: 'Cache',
    run: async (db) => {
      await using cache = new Cache<number>(db, { name: 'c', coherence: bus, l1: { max: 10, ttl: '1h' } });
      let loads = 0;
      const load = () => cache.get('k', () => Promise.resolve(++loads), { tags: ['t'] });
      const seen = [await load(), await load()];
      await cache.invalidateTags(['t']);
      seen.push(await load());
      await cache.put('k', 7);
      seen.push(await load());
      return [seen, loads];
    },
  },
  {
    name: 'RateLimiter',
    run: async (db) => {
      const limiter = new RateLimiter(db, { name: 'r', limits: [fixedWindow({ limit: 2, per: '1h' })] });
      const answers = [await limiter.consume('k'), await limiter.consume('k'), await limiter.consume('k')];
      return answers.map(({ allowed }) => allowed);
    },
  },
  {
    name: 'ConcurrencyLimiter',
    run: async (db) => {
      const limiter = new ConcurrencyLimiter(db, { name: 'c', max: 1, ttl: '1h' });
      const slots = [await limiter.tryAcquire('k'), await limiter.tryAcquire('k')];
      return slots.map(({ acquired }) => acquired);
    },
  },
  {
    name: 'Sessions',
    run: async (db) => {
      const sessions = new Sessions(db, Session, {
        name: 'web',
        secrets: ['one secret for all of the tenants, long enough'],
      });
      const { token } = await sessions.create({ userId: 'mia', cart: 1 });
      tokens.push(token);
      let others = 0;
      for (const other of tokens) if (other !== token && (await sessions.validate(other)) !== undefined) others++;
      let listed = 0;
      for await (const _ of sessions.list('mia')) listed++;
      return [(await sessions.validate(token))?.cart, listed, others];
    },
  },
  {
    name: 'Election',
    run: async (db) => {
      const election = new Election(db, { name: 'e' });
      const led = await election.tryAcquire();
      return [led?.token, await new Election(db, { name: 'e' }).tryAcquire()];
    },
  },
  {
    name: 'Inventory',
    run: async (db) => {
      const inventory = new Inventory(db, Stock, { name: 'i' });
      await inventory.create({ sku: 's', title: 'Seaweed' });
      await inventory.restock('s', 3, { idempotencyKey: 'k' });
      const hold = await inventory.reserve([{ sku: 's', quantity: 2 }], { idempotencyKey: 'k' });
      const second = await inventory.tryReserve([{ sku: 's', quantity: 2 }]);
      await inventory.commit(hold.id);
      return [second.ok, await inventory.available('s')];
    },
  },
  {
    name: 'Recommender',
    run: async (db) => {
      // The stores that blocks are tried on have vectors.
      const whole = db as Database<VectorStore>;
      for (const [id, x] of [
        ['a', 0],
        ['b', 0.1],
        ['c', 0.2],
      ] as const) {
        await whole.repo(Dish).create({ id, look: Float32Array.of(1, x) });
      }
      const dishes = new Recommender(whole, Dish, { name: 'r', signals: { eat: 1 } });
      const recorded = [1, 2].map(() => dishes.record('mia', 'a', 'eat', { idempotencyKey: 'k' }));
      const replays = (await Promise.all(recorded)).map(({ replayed }) => replayed).sort();
      const lists = [await dishes.for('mia'), await dishes.for('tom'), await dishes.similar('c')];
      return [replays, lists.map((list) => list.map(({ item }) => item.id)), await dishes.forget('mia')];
    },
  },
  {
    name: 'SemanticIndex',
    run: async (db) => {
      // As above.
      const leaflets = (db as Database<VectorStore>).repo(Leaflet);
      await leaflets.create({ id: 'a', text: 'seaweed' });
      const open = async () => {
        const search = new SemanticIndex(leaflets, { name: 's', lexical: { fields: { text: 1 } } });
        await search.ready();
        return search;
      };
      const first = await open();
      await leaflets.create({ id: 'b', text: 'seaweed and rice' });
      const pages = [await first.find('seaweed', { limit: 1, hybrid: { lexical: 1 } })];
      pages.push(await first.find('seaweed', { limit: 5, hybrid: { lexical: 1 }, cursor: pages[0]?.next }));
      pages.push(await first.similar('a'));
      await first.close();
      const second = await open();
      pages.push(await second.find('rice'));
      const { documents, isFromSnapshot } = second.stats() ?? {};
      await second.close();
      return [pages.map(({ hits }) => hits.map(({ entity }) => entity.id)), documents, isFromSnapshot];
    },
  },
  {
    name: 'Deduplicator',
    run: async (db) => {
      const near = { bands: 4, rows: 2 };
      const dedup = new Deduplicator(db, Letter, { name: 'd', text: ['text'], near });
      const text = 'one text that every tenant has, and of which each has copies';
      const first = await dedup.submit({ id: 'a', text }, { idempotencyKey: 'k' });
      const others = [await dedup.submit({ id: 'b', text }), await dedup.check(`${text} of its own`)];
      await dedup.remove('a');
      return [first, others.map(({ kind }) => kind), (await dedup.cluster('b'))?.members];
    },
  },
  {
    name: 'EventStore',
    run: async (db) => {
      const events = new EventStore(db, { name: 'e', aggregates: [Account], snapshotEvery: 1 });
      const deposit = Account.event('Deposited', { person: 'p', name: 'Mia', amount: 2 });
      const append = () => events.append(Account.stream('a'), [deposit], { expected: 'new', idempotencyKey: 'k' });
      const outcomes = [(await append()).outcome, (await append()).outcome];
      const before = await events.load(Account, 'a');
      await using projection = events.project(Balances);
      await projection.caughtUp();
      const view = await events.view(Balances).get('a');
      // Of this tenant alone: others have a subject of the same name.
      await events.forget('p');
      return [outcomes, before.state, view?.sum, (await events.load(Account, 'a')).state];
    },
  },
];

/** Of all sessions that were begun by any tenant. */
const tokens: string[] = [];

export const codeOf = (error: unknown): string => (error instanceof NorimakiError ? error.code : String(error));
