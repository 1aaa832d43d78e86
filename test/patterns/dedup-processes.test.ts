import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { Letter, letterText, startDesk, TOPICS } from './support/dedup-desk.ts';
import { listed } from './support/deduplicators.ts';

const PROCESSES = 8;
const LETTERS = 2 * TOPICS;

interface Told {
  readonly id: string;
  readonly topic: number;
  readonly variant: number;
  readonly kind: string;
  readonly of?: string;
}

test('8 processes submit the same texts to one folder, answers are lost, one process is killed: of each topic one is unique, and one cluster remains', {
  timeout: 180_000,
}, async () => {
  const { data } = await temporaryFolder();
  await using db = await open(embedded({ path: data, durability: 'committed' }));
  const desk = startDesk(db);
  const children = Array.from({ length: PROCESSES }, (_, i) => startChild('submitter', data, i, LETTERS));
  const doomed = startChild('submitter', data, PROCESSES, LETTERS);
  for (const child of [...children, doomed]) expect(await child.next()).toEqual({ ready: true });
  for (const child of [...children, doomed]) {
    child.send('go');
    child.process.stdin?.end();
  }
  // Amid its work: it has told one verdict and is at the next letter.
  await doomed.next();
  doomed.process.kill('SIGKILL');
  expect(await doomed.ended).toMatchObject({ signal: 'SIGKILL' });
  const ended = await Promise.all(children.map((child) => child.ended));
  expect(ended).toEqual(children.map(() => ({ code: 0, signal: null, errors: '' })));

  const told = [...children, doomed].flatMap(({ messages }) =>
    messages.filter((message) => 'kind' in (message as object)),
  );
  const verdicts = told as Told[];
  expect(verdicts.length).toBeGreaterThanOrEqual(PROCESSES * LETTERS + 1);
  for (let topic = 0; topic < TOPICS; topic++) {
    const unique = verdicts.filter((one) => one.topic === topic && one.kind === 'unique');
    // That of the killed one may be lost with its answer.
    expect(unique.length, `topic ${topic}`).toBeLessThanOrEqual(1);
  }
  const lost = Array.from({ length: TOPICS }, (_, topic) => topic).filter(
    (topic) => !verdicts.some((one) => one.topic === topic && one.kind === 'unique'),
  );
  expect(lost.length).toBeLessThanOrEqual(1);
  for (const { id, of } of verdicts) {
    if (of === undefined) continue;
    expect(of).not.toBe(id);
    expect(await db.repo(Letter).get(of)).toBeDefined();
  }

  // What the killed one left is finished.
  await desk.sweep();
  const clusters = await listed(desk.clusters());
  expect(clusters.map(({ members }) => members.length).sort((a, b) => a - b)).toHaveLength(TOPICS);
  expect(clusters.flatMap(({ members }) => members).sort()).toEqual(
    (await listed(db.repo(Letter).scan())).map(({ id }) => id).sort(),
  );
  for (let topic = 0; topic < TOPICS; topic++) {
    const both = await Promise.all([0, 1].map((variant) => desk.check(letterText(topic, variant))));
    const [one, other] = both.map((verdict) => ('canonical' in verdict ? verdict.canonical : undefined));
    expect(one).toBe(other);
    const [unique] = verdicts.filter((verdict) => verdict.topic === topic && verdict.kind === 'unique');
    if (unique !== undefined) expect(one).toBe(unique.id);
  }
});
