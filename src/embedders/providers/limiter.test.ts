import { expect, test } from 'vitest';
import { Limiter } from './limiter.ts';

const never = new AbortController().signal;

test('a limiter loses no place, whenever somebody gives up waiting', async () => {
  for (let later = 0; later < 8; later++) {
    const limiter = new Limiter(1);
    let release = (): void => {};
    const first = limiter.run(() => new Promise<void>((resolve) => (release = resolve)), never);
    const controller = new AbortController();
    const second = limiter.run(async () => 'ran', controller.signal).catch(() => 'gave up');
    await Promise.resolve();
    release();
    for (let i = 0; i < later; i++) await Promise.resolve();
    controller.abort();
    await Promise.all([first, second]);
    const third = limiter.run(async () => 'ran', never);
    const stuck = new Promise((resolve) => setImmediate(() => resolve('stuck')));
    expect(await Promise.race([third, stuck]), `given up ${later} steps later`).toBe('ran');
  }
});

test('a limiter lets in who came first', async () => {
  const limiter = new Limiter(2);
  const order: number[] = [];
  await Promise.all([0, 1, 2, 3, 4].map((i) => limiter.run(async () => void order.push(i), never)));
  expect(order).toEqual([0, 1, 2, 3, 4]);
});
