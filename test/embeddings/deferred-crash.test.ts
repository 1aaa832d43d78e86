import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Chunking } from '../../src/core/model/model.ts';
import { open } from '../../src/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { faultStore, seededRandom } from '../../src/testing/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';
import { countVectors, Note, rewrittenNote, world } from './support/deferred.ts';
import { CHUNK, Late, words } from './support/long-docs.ts';
import { disagreements } from './support/oracle.ts';
import { SavedNote, savedEmbedder, type TextMessage } from './support/saved.ts';
import { laterClock, TextLedger } from './support/text-ledger.ts';

/** From one step at which a worker dies to the next; after one is before the one that follows. */
const STRIDE = isLong ? 1 : 2;
const IDS = ['plain', 'edited', 'expired', 'poison', 'rewritten'];

/** What a worker makes vectors of: texts that each have one, or two, of which an edit keeps the first. */
const kinds = {
  'texts with one vector': {
    entity: Note,
    name: 'note',
    text: (id: string) => `of ${id}`,
    last: 'last',
    each: 1,
  },
  'texts with passages': {
    entity: Late,
    name: 'late',
    chunk: CHUNK,
    text: (id: string) => words(`${id}1`, `${id}2`),
    last: words('edited1', 'last'),
    each: 2,
  },
};

type Kind = (typeof kinds)[keyof typeof kinds] & { readonly chunk?: Chunking };

/** A process with something of everything to do, that dies before or after its call number `at`; and what the next one finds. */
async function crashAt(
  kind: Kind,
  at: number,
  moment: 'crashBefore' | 'crashAfter',
): Promise<{ calls: number; wrong: string[] }> {
  const { process, store, clock, embedder } = await world();
  const { text, chunk } = kind;
  const entity: typeof Note = kind.entity;
  const saver = (await process()).repo(entity);
  const old = (await process()).repo(rewrittenNote((now) => `${words('old')} ${now}`, kind));
  embedder.poison.add(chunk === undefined ? text('poison') : words('poison1'));
  await saver.createMany(['plain', 'edited', 'poison'].map((id) => ({ id, text: text(id) })));
  await saver.create({ id: 'expired', text: text('expired') }, { ttl: '1s' });
  await old.create({ id: 'rewritten', text: text('rewritten') });
  await clock.advance(1_000);

  let calls = 0;
  const dying = faultStore(store, {
    clock,
    random: seededRandom(5),
    script: ({ number }) => {
      calls = number;
      return number === at ? moment : 'none';
    },
  });
  const worker = (await process({ on: dying })).repo(entity);
  const edit = worker.mutate('edited', (note) => void Object.assign(note, { text: kind.last }));
  await Promise.allSettled([edit, worker.outbox.drain()]);

  const heir = (await process()).repo(entity);
  await heir.outbox.drain();
  const wrong = await disagreements(heir, embedder, IDS, { chunk, isPending: true });
  const { dead, waiting } = await heir.outbox.counts();
  if (dead !== 1 || waiting !== 0) wrong.push(`${dead} are dead and ${waiting} wait`);
  embedder.poison.clear();
  await heir.outbox.retry();
  await heir.outbox.drain();
  wrong.push(...(await disagreements(heir, embedder, IDS, { chunk })));
  const vectors = await countVectors({ store, embedder }, kind);
  if (vectors !== 4 * kind.each) wrong.push(`there are ${vectors} vectors of 4 notes`);
  return { calls, wrong };
}

test.each(Object.entries(kinds))(
  '%s: a worker that dies at any step leaves nothing that the next one does not finish',
  async (_, kind) => {
    const { calls } = await crashAt(kind, Number.POSITIVE_INFINITY, 'crashBefore');
    expect(calls).toBeGreaterThan(15);
    for (let at = 1; at <= calls; at += STRIDE) {
      for (const moment of ['crashBefore', 'crashAfter'] as const) {
        expect((await crashAt(kind, at, moment)).wrong, `${moment} call ${at}`).toEqual([]);
      }
    }
  },
);

const ROUNDS = isLong ? 60 : 4;

test('after SIGKILL every acknowledged save gets the vectors of its own text', {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  const seed = randomInt(2 ** 31);
  console.log(`${ROUNDS} rounds of texts, seed ${seed}`);
  const { data } = await temporaryFolder();
  const saved = new Map<string, string>();
  const texts = new TextLedger();
  for (let round = 0; round < ROUNDS; round++) {
    // In every other round the embedder is down, so that only the outbox knows what is missing.
    const child = startChild('deferred-saver', data, round, round % 2 === 0 ? 'down' : 'up', seed + round);
    for (let told = 0; told < 60; told++) await child.next();
    await sleep(randomInt(100));
    child.process.kill('SIGKILL');
    expect(await child.ended).toMatchObject({ signal: 'SIGKILL', errors: '' });
    // What our own child tells.
    const messages = child.messages as (Partial<TextMessage> & { id?: string })[];
    for (const { id, text, is } of messages) if (id && text && is === undefined) saved.set(id, text);
    await texts.check(
      data,
      messages.filter((message): message is TextMessage => message.is !== undefined),
    );
  }
  expect(saved.size).toBeGreaterThan(ROUNDS);
  await texts.settle(data);

  const embedder = savedEmbedder('up');
  await using db = await open(embedded({ path: data }), { embedder, clock: laterClock });
  const notes = db.repo(SavedNote);
  await notes.outbox.drain();
  expect(await notes.outbox.counts()).toMatchObject({ waiting: 0, dead: 0 });
  for await (const { id, text } of notes.scan()) {
    expect(await notes.vectorOf(id), id).toEqual(embedder.vectorOf(text));
    // A shared note may hold a save that was applied and not acknowledged.
    if (!id.startsWith('shared') && saved.has(id)) expect(text).toBe(saved.get(id));
    saved.delete(id);
  }
  expect([...saved.keys()]).toEqual([]);
});
