import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { open, systemClock } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { faultStore, seededRandom } from '../../src/testing/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { countVectors, Note, rewrittenNote, world } from './support/deferred.ts';
import { disagreements } from './support/oracle.ts';
import { SavedNote, textEmbedder } from './support/saved-note.ts';

const IDS = ['plain', 'edited', 'expired', 'poison', 'rewritten'];

/** A process with something of everything to do, that dies before or after its call number `at`; and what the next one finds. */
async function crashAt(at: number, kind: 'crashBefore' | 'crashAfter'): Promise<{ calls: number; wrong: string[] }> {
  const { process, store, clock, embedder } = await world();
  const saver = (await process()).repo(Note);
  const old = (await process()).repo(rewrittenNote((text) => `old ${text}`));
  embedder.poison.add('of poison');
  await saver.createMany(['plain', 'edited', 'poison'].map((id) => ({ id, text: `of ${id}` })));
  await saver.create({ id: 'expired', text: 'of expired' }, { ttl: '1s' });
  await old.create({ id: 'rewritten', text: 'of rewritten' });
  await clock.advance(1_000);

  let calls = 0;
  const dying = faultStore(store, {
    clock,
    random: seededRandom(5),
    script: ({ number }) => {
      calls = number;
      return number === at ? kind : 'none';
    },
  });
  const worker = (await process({ on: dying })).repo(Note);
  const edit = worker.mutate('edited', (note) => void Object.assign(note, { text: 'last' }));
  await Promise.allSettled([edit, worker.outbox.drain()]);

  const heir = (await process()).repo(Note);
  await heir.outbox.drain();
  const wrong: string[] = [];
  const { dead, waiting } = await heir.outbox.counts();
  if (dead !== 1 || waiting !== 0) wrong.push(`${dead} are dead and ${waiting} wait`);
  embedder.poison.clear();
  await heir.outbox.retry();
  await heir.outbox.drain();
  wrong.push(...(await disagreements(heir, embedder, IDS)));
  const vectors = await countVectors({ store, embedder });
  if (vectors !== 4) wrong.push(`there are ${vectors} vectors of 4 notes`);
  return { calls, wrong };
}

test('a worker that dies at any step leaves nothing that the next one does not finish', async () => {
  const { calls } = await crashAt(Number.POSITIVE_INFINITY, 'crashBefore');
  expect(calls).toBeGreaterThan(15);
  for (let at = 1; at <= calls; at++) {
    for (const kind of ['crashBefore', 'crashAfter'] as const) {
      expect((await crashAt(at, kind)).wrong, `${kind} call ${at}`).toEqual([]);
    }
  }
});

const ROUNDS = 6;

test('after SIGKILL every acknowledged save gets the vector of its own text', { timeout: 120_000 }, async () => {
  const { data } = await temporaryFolder();
  const saved = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round++) {
    // In every other round the embedder is down, so that only the outbox knows what is missing.
    const child = startChild('deferred-saver', data, round, round % 2 === 0 ? 'down' : 'up');
    for (let told = 0; told < 10; told++) await child.next();
    await sleep(randomInt(100));
    child.process.kill('SIGKILL');
    expect(await child.ended).toMatchObject({ signal: 'SIGKILL', errors: '' });
    for (const message of child.messages) {
      // What our own child tells.
      const { id, text } = message as { id?: string; text?: string };
      if (id !== undefined && text !== undefined) saved.set(id, text);
    }
  }
  expect(saved.size).toBeGreaterThan(ROUNDS);

  const embedder = textEmbedder('up');
  // Later than any lease of those that were killed.
  const clock = { ...systemClock, now: () => systemClock.now() + 60_000 };
  await using db = await open(embedded({ path: data }), { embedder, clock });
  const notes = db.repo(SavedNote);
  await notes.outbox.drain();
  expect(await notes.outbox.counts()).toMatchObject({ waiting: 0, dead: 0 });
  for await (const { id, text } of notes.scan()) {
    const [vector] = await embedder.embed([text]);
    expect(await notes.vectorOf(id), id).toEqual(vector);
    // A shared note may hold a save that was applied and not acknowledged.
    if (!id.startsWith('shared') && saved.has(id)) expect(text).toBe(saved.get(id));
    saved.delete(id);
  }
  expect([...saved.keys()]).toEqual([]);
});
