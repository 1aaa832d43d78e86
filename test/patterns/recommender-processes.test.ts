import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { startWares, Ware } from './support/recommender-shop.ts';

const PROCESSES = 8;
const CLICKS = 30;
const USERS = ['mia', 'tom'];

test('8 processes record for the same two users, answers are lost, one is killed: every click that was acknowledged is there, once', {
  timeout: 180_000,
}, async () => {
  const { data } = await temporaryFolder();
  await using db = await open(embedded({ path: data, durability: 'committed' }));
  const wares = startWares(db);
  for (let i = 0; i <= PROCESSES; i++) {
    await db.repo(Ware).create({ sku: `${i}`, look: Float32Array.of(1, i / 10, 0, 0) });
  }
  const children = Array.from({ length: PROCESSES }, (_, i) => startChild('clicker', data, i, CLICKS));
  const doomed = startChild('clicker', data, PROCESSES, 100_000);
  for (const child of [...children, doomed]) expect(await child.next()).toEqual({ ready: true });
  for (const child of [...children, doomed]) {
    child.send('go');
    child.process.stdin?.end();
  }
  const ended = Promise.all(children.map((child) => child.ended));
  expect(await ended).toEqual(children.map(() => ({ code: 0, signal: null, errors: '' })));
  const told = (user: string): number =>
    doomed.messages.filter((message) => (message as { user?: string }).user === user).length;
  // It may be slower than all the others.
  while (!USERS.every((user) => told(user) > 0)) await doomed.next();
  doomed.process.kill('SIGKILL');
  await doomed.ended;

  for (const user of USERS) {
    const { items } = await wares.profile(user);
    const weights = new Map(items.map(({ item, weight }) => [item, weight]));
    // All at one time, so that nothing decays.
    for (let i = 0; i < PROCESSES; i++) expect(weights.get(`${i}`), `${user}, process ${i}`).toBe(CLICKS / 2);
    expect(weights.get(`${PROCESSES}`)).toBeGreaterThanOrEqual(told(user));
    // Those of the five that were under way.
    expect(weights.get(`${PROCESSES}`)).toBeLessThanOrEqual(told(user) + 5);
  }
  // Popularity counts a user once for each item; where an answer was never cleared up, not at all.
  const popular = await wares.for('a new one', { limit: 20 });
  expect(popular.map(({ item }) => item.sku).sort()).toEqual(Array.from({ length: PROCESSES + 1 }, (_, i) => `${i}`));
  const scores = popular.map(({ score }) => score);
  expect(Math.max(...scores)).toBeLessThanOrEqual(2 * Math.min(...scores) + 1e-9);
});
