import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { VectorStore } from '../../src/core/store.ts';
import { type Database, defineEntity } from '../../src/index.ts';
import { Recommender } from '../../src/patterns/index.ts';

declare const db: Database<VectorStore, undefined>;
const Dish = defineEntity('dish', z.object({ menu: z.string(), course: z.number(), price: z.number() }), {
  id: ['menu', 'course'],
  embeddings: { look: { dimensions: 2 } },
});

describe('the types of a recommender', () => {
  test('know signals, ids and entities', () => {
    const dishes = new Recommender(db, Dish, { name: 'd', signals: { eat: 1, hate: -1 }, embedding: 'look' });
    const id = { menu: 'lunch', course: 1 };
    void (() => dishes.record('mia', id, 'eat'));
    // @ts-expect-error there is no such signal
    void (() => dishes.record('mia', id, 'like'));
    // @ts-expect-error an id has two parts
    void (() => dishes.record('mia', 'lunch', 'eat'));
    // @ts-expect-error there is no such embedding
    void (() => new Recommender(db, Dish, { name: 'd', signals: { eat: 1 }, embedding: 'taste' }));
    type List = Awaited<ReturnType<typeof dishes.for>>;
    expectTypeOf<List[number]['item']['price']>().toEqualTypeOf<number>();
    expectTypeOf<List[number]['because'][number]['signal']>().toEqualTypeOf<'eat' | 'hate'>();
    expectTypeOf<List[number]['because'][number]['item']>().toEqualTypeOf<{
      readonly menu: string;
      readonly course: number;
    }>();
    void (() => dishes.for('mia', { filter: (dish) => dish.price < 10, where: { price: { lt: 10 } } }));
  });
});
