import { setImmediate as idle } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { hashingEmbedder } from '../../src/embedders/index.ts';
import { Embedding, Entity, Field, Id, open } from '../../src/index.ts';
import { Recommender } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';

const SMALL = hashingEmbedder({ dimensions: 128 });
const LARGE = hashingEmbedder({ dimensions: 256 });

@Entity('dish')
class Dish {
  @Id() id!: Id<string>;
  @Field(z.string()) name!: string;
  @Embedding({ from: 'name' }) text?: Float32Array;
}

const NAMES = ['tomato soup', 'lemon cake', 'salmon sushi', 'green tea', 'beef stew'];

test('recommendations go on while the embedding is moved to another model, and profiles need nothing', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const environment = { clock, random: seededRandom(1) };
  const store = await memory().openStore(environment);
  await using db = await open(store, { ...environment, embedder: SMALL, embedders: [LARGE] });
  const dishes = db.repo(Dish);
  for (const name of NAMES) {
    for (let i = 0; i < 12; i++) await dishes.create({ id: `${name} ${i}`, name: `${name} number ${i}` });
  }
  const kitchen = new Recommender(db, Dish, { name: 'kitchen', signals: { cook: 1 } });
  // Knows the vectors of before, and is not told.
  const before = new Recommender(db, Dish, { name: 'kitchen', signals: { cook: 1 } });
  for (let i = 0; i < 3; i++) {
    await kitchen.record('mia', `tomato soup ${i}`, 'cook');
    await kitchen.record('mia', `lemon cake ${i}`, 'cook');
  }
  const kindsOf = async (rec: typeof kitchen): Promise<string> => {
    const kinds = new Set<string>();
    for (const strategy of ['interests', 'average', 'bestScore'] as const) {
      const list = await rec.for('mia', { limit: 8, strategy, fallback: [], diversify: 0.1 });
      expect(list).toHaveLength(8);
      for (const { item } of list) kinds.add(item.name.split(' number')[0] ?? '');
    }
    return [...kinds].sort().join();
  };
  expect(await kindsOf(before)).toBe('lemon cake,tomato soup');
  expect(await before.profile('mia')).toMatchObject({ interests: [{ share: 0.5 }, { share: 0.5 }] });

  let during = 0;
  let isMoving = true;
  const asking = (async () => {
    while (isMoving) {
      expect(await kindsOf(kitchen)).toBe('lemon cake,tomato soup');
      during++;
      // A store in memory takes no turn of the event loop, and the move needs some.
      await idle();
    }
  })();
  await dishes.reindex({ embedder: LARGE });
  isMoving = false;
  await asking;
  expect(during).toBeGreaterThan(0);
  await dishes.finishReindex();
  expect((await dishes.vectorOf('tomato soup 0'))?.length).toBe(256);

  expect(await kindsOf(before)).toBe('lemon cake,tomato soup');
  expect(await before.profile('mia')).toMatchObject({ interests: [{ share: 0.5 }, { share: 0.5 }] });
});
