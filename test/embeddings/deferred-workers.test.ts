import { describe, expect, test } from 'vitest';
import { encodeTuple } from '../../src/core/keys/index.ts';
import { cachedEmbedder } from '../../src/embedders/index.ts';
import type { RepositoryOf } from '../../src/index.ts';
import { decodeOutboxEntry, encodeOutboxEntry, LEASE_MS } from '../../src/repositories/vectors/outbox-entry.ts';
import type { MemoryStore } from '../../src/stores/memory/index.ts';
import { type FaultCall, type FaultStore, fakeEmbedder, faultStore, seededRandom } from '../../src/testing/index.ts';
import {
  countVectors,
  down,
  Note,
  paidTwice,
  rewrittenNote,
  someNotes,
  until,
  type World,
  world,
} from './support/deferred.ts';
import { disagreements } from './support/oracle.ts';

type Notes = RepositoryOf<typeof Note, MemoryStore>;

const ids = (count: number): string[] => someNotes(count).map(({ id }) => id);
const CATALOG = encodeTuple(['norimaki', null, 0n, 'note', 'c']);
const outboxKey = (id: string): Uint8Array => encodeTuple(['norimaki', null, 0n, 'note', 'o', id]);

/** A store at whose calls others interfere: `before` is asked before each. */
function interrupted(
  { store, clock }: World,
  before: (call: FaultCall) => Promise<void> | void,
): FaultStore<MemoryStore> {
  return faultStore(store, {
    clock,
    random: seededRandom(3),
    script: async (call) => {
      await before(call);
      return 'none' as const;
    },
  });
}

/** A process at which `act` happens before it ends, or drops, the entry of record `a`: the moment of every race. */
async function raced(at: World, act: () => Promise<unknown>): Promise<{ notes: Notes; race: () => void }> {
  const name = Buffer.from(outboxKey('a')).toString('hex');
  let isDue = false;
  const store = interrupted(at, async ({ verb, keys }) => {
    const isEnding = verb === 'commit' || verb === 'delete';
    if (!isDue || !isEnding || !keys.some((key) => Buffer.from(key).toString('hex') === name)) return;
    isDue = false;
    await act();
  });
  const race = (): void => {
    isDue = true;
  };
  return { notes: (await at.process({ on: store })).repo(Note), race };
}

describe('two workers on one store', () => {
  test('pay once for each text, also with edits between', async () => {
    const { process, embedder, store } = await world();
    const [first, second] = [(await process({ outbox: {} })).repo(Note), (await process({ outbox: {} })).repo(Note)];
    await Promise.all([first.createMany(someNotes(60).slice(0, 30)), second.createMany(someNotes(60).slice(30))]);
    for (const [i, id] of ids(60).entries()) {
      await (i % 2 === 0 ? first : second).mutate(id, (note) => {
        note.text = `edited ${i}`;
      });
    }
    await Promise.all([first.outbox.drain(), second.outbox.drain()]);
    expect(await disagreements(first, embedder, ids(60))).toEqual([]);
    expect(paidTwice(embedder)).toEqual([]);
    expect(await countVectors({ store, embedder })).toBe(60);
  });

  test('that begin at once with what a third has left share it', async () => {
    const { process, embedder } = await world();
    await (await process()).repo(Note).createMany(someNotes(90));
    const all = await Promise.all([process(), process()]);
    await Promise.all(all.map((db) => db.repo(Note).outbox.drain()));
    expect(await disagreements((await process()).repo(Note), embedder, ids(90))).toEqual([]);
    expect(paidTwice(embedder)).toEqual([]);
  });

  test('leave each other alone for as long as an embedder takes', async () => {
    const { process, embedder, clock } = await world({ autoAdvance: false });
    const [slow, other] = [(await process({ outbox: {} })).repo(Note), (await process({ outbox: {} })).repo(Note)];
    let open = (): void => {};
    embedder.gate = new Promise((resolve) => {
      open = resolve;
    });
    await slow.createMany(someNotes(5));
    await until(() => embedder.calls.flat().length === 5);
    for (let waited = 0; waited < 5 * LEASE_MS; waited += 5_000) await clock.advance(5_000);
    expect(embedder.calls.flat()).toHaveLength(5);
    open();
    embedder.gate = undefined;
    await until(async () => (await other.outbox.counts()).waiting === 0);
    expect(paidTwice(embedder)).toEqual([]);
    expect(await disagreements(other, embedder, ids(5))).toEqual([]);
  });

  test('take over, after its lease, what one of them has left', async () => {
    const at = await world({ autoAdvance: false });
    const { process, embedder, clock, store } = at;
    const dying = interrupted(at, () => {});
    const notes = (await process({ on: dying, outbox: {} })).repo(Note);
    embedder.fail(down(embedder));
    await notes.createMany(someNotes(5));
    await until(() => embedder.calls.length > 0);
    dying.crash();
    embedder.fail(undefined);
    const heir = (await process({ outbox: { every: '1s' } })).repo(Note);
    const before = embedder.calls.length;
    for (let waited = 0; waited < LEASE_MS - 1_000; waited += 1_000) await clock.advance(1_000);
    expect(embedder.calls).toHaveLength(before);
    await until(async () => {
      await clock.advance(1_000);
      return (await heir.outbox.counts()).waiting === 0;
    });
    expect(await disagreements(heir, embedder, ids(5))).toEqual([]);
    expect(await countVectors({ store, embedder })).toBe(5);
  });

  test('are not held up by a clock that ran ahead', async () => {
    const { process, embedder, store, clock } = await world();
    const notes = (await process()).repo(Note);
    await notes.create({ id: 'a', text: 'x' });
    const entry = decodeOutboxEntry((await store.get(outboxKey('a')))?.value ?? new Uint8Array());
    const tomorrow = clock.now() + 86_400_000;
    await store.put(outboxKey('a'), encodeOutboxEntry({ ...entry, owner: 'another', notBefore: tomorrow }));
    await notes.outbox.drain();
    expect(clock.now()).toBeLessThan(tomorrow - 80_000_000);
    expect(await disagreements(notes, embedder, ['a'])).toEqual([]);
  });
});

describe('a race with the commit of a worker', () => {
  test('an edit: its text is made, and no stale vector is left', async () => {
    const at = await world();
    const other = (await at.process()).repo(Note);
    const { notes, race } = await raced(at, () => other.put({ id: 'a', text: 'last' }));
    await notes.create({ id: 'a', text: 'first' });
    race();
    await notes.outbox.drain();
    expect(at.embedder.calls).toEqual([['first'], ['last']]);
    expect(await disagreements(notes, at.embedder, ['a'])).toEqual([]);
    expect(await countVectors(at)).toBe(1);
  });

  test.each([
    ['left without a text', { text: null }, 0],
    ['given a vector', { vector: new Float32Array(16).fill(1) }, 1],
  ])('an entity that is %s: no vector of before is left', async (_what, change, vectors) => {
    const at = await world();
    const other = (await at.process()).repo(Note);
    const { notes, race } = await raced(at, () => other.mutate('a', (note) => void Object.assign(note, change)));
    await notes.create({ id: 'a', text: 'first' });
    race();
    await notes.outbox.drain();
    expect(await countVectors(at)).toBe(vectors);
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 0, dead: 0 });
  });

  test('a delete: nothing is left', async () => {
    const at = await world();
    const other = (await at.process()).repo(Note);
    const { notes, race } = await raced(at, () => other.delete('a'));
    await notes.create({ id: 'a', text: 'first' });
    race();
    await notes.outbox.drain();
    expect(await countVectors(at)).toBe(0);
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 0, dead: 0 });
  });

  test('an entity made anew while its expired entry is cleared away: it is found', async () => {
    const at = await world();
    const other = (await at.process()).repo(Note);
    const { notes, race } = await raced(at, () => other.create({ id: 'a', text: 'anew' }));
    await notes.create({ id: 'a', text: 'first' }, { ttl: '1s' });
    await at.clock.advance(1_000);
    race();
    await notes.outbox.drain();
    expect((await notes.search('anew')).hits).toHaveLength(1);
    expect(await disagreements(notes, at.embedder, ['a'])).toEqual([]);
  });

  test('an edit of a dead letter while it is dropped: it is found', async () => {
    const at = await world();
    const other = (await at.process()).repo(Note);
    at.embedder.poison.add('bad');
    await other.create({ id: 'a', text: 'bad' });
    await other.outbox.drain();
    const { notes, race } = await raced(at, () => other.put({ id: 'a', text: 'good' }));
    race();
    expect(await notes.outbox.drop()).toBe(0);
    await notes.outbox.drain();
    expect((await notes.search('good')).hits).toHaveLength(1);
  });

  test('a change of what is in use: the catalog is read again, nothing is paid for again', async () => {
    const at = await world();
    const { notes, race } = await raced(at, async () => {
      const stored = await at.store.get(CATALOG);
      await at.store.put(CATALOG, stored?.value ?? new Uint8Array());
    });
    await notes.create({ id: 'a', text: 'first' });
    race();
    await notes.outbox.drain();
    expect(at.embedder.calls).toEqual([['first']]);
    expect(await disagreements(notes, at.embedder, ['a'])).toEqual([]);
  });
});

test('a worker with an old catalog makes the vectors of a space that is being built', async () => {
  const { process, store, embedder } = await world();
  const next = fakeEmbedder({ id: 'next@1', dimensions: 24 });
  const worker = (await process({ embedders: [next] })).repo(Note);
  await worker.create({ id: 'before', text: 'before' });
  const stored = await store.get(CATALOG);
  const document = JSON.parse(Buffer.from(stored?.value ?? []).toString());
  const { vector } = document.embeddings;
  const building = { spec: { ...vector.active, embedder: next.id, dimensions: next.dimensions }, done: 0 };
  const changed = { ...document, embeddings: { vector: { ...vector, building } } };
  await store.put(CATALOG, Buffer.from(JSON.stringify(changed)));
  await (await process({ embedders: [next] })).repo(Note).create({ id: 'a', text: 'x' });
  await worker.outbox.drain();
  expect(next.timesSent('x')).toBe(1);
  expect(await countVectors({ store, embedder: next })).toBe(1);
  expect(await countVectors({ store, embedder })).toBe(2);
});

test('a drain beside the worker of its own process does not pay again', async () => {
  const at = await world();
  let draining: Promise<void> | undefined;
  const store = interrupted(at, async ({ verb, vectors }) => {
    if (verb !== 'commit' || vectors.length === 0 || draining !== undefined) return;
    draining = notes.outbox.drain();
    // As long as it takes to embed once more.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  });
  const embedder = cachedEmbedder(at.embedder, { capacity: 0 });
  const notes = (await at.process({ on: store, outbox: {}, embedder })).repo(Note);
  await notes.create({ id: 'a', text: 'x' });
  await until(() => draining !== undefined);
  await draining;
  expect(at.embedder.calls).toEqual([['x']]);
});

test('a text function that never makes the same text twice is found out', async () => {
  const { process, embedder } = await world();
  const notes = (await process()).repo(Note);
  await notes.create({ id: 'a', text: 'x' });
  let times = 0;
  const fickle = (await process()).repo(rewrittenNote(() => `text ${times++}`));
  await fickle.outbox.drain();
  expect((await fickle.outbox.deadLetters()).items).toMatchObject([{ id: 'a', code: 'validation.failed' }]);
  expect(embedder.calls).toEqual([]);
});

test('a text function that throws makes a dead letter, whose message does not repeat the text', async () => {
  const { process } = await world();
  await (await process()).repo(Note).create({ id: 'a', text: 'secret' });
  const broken = (await process({ outbox: { attempts: 2, every: '1h' } })).repo(
    rewrittenNote(() => {
      throw new Error('secret');
    }),
  );
  await broken.outbox.drain();
  const { items } = await broken.outbox.deadLetters();
  expect(items).toMatchObject([{ attempts: 2, code: 'validation.failed' }]);
  expect(items[0]?.message).not.toContain('secret');
});
