import { z } from 'zod';
import { type Database, defineEntity, NorimakiError, open } from '../../../src/index.ts';
import { type MemoryStore, memory } from '../../../src/stores/memory/index.ts';
import { fakeEmbedder, limitCapabilities, manualClock, seededRandom } from '../../../src/testing/index.ts';
import { CHUNK, Late, Long, words } from './long-docs.ts';
import { disagreements } from './oracle.ts';
import { type Docs, setText } from './world.ts';

const clock = manualClock(0, { autoAdvance: true });

/** A store that tells the namespaces in it, and what opens it. */
async function start(without: readonly ('commit' | 'scan')[] = []) {
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const embedder = fakeEmbedder();
  const namespaces = new Set<string>();
  const create = store.vectors.createIndex.bind(store.vectors);
  store.vectors.createIndex = (name, ...rest) => {
    namespaces.add(name);
    return create(name, ...rest);
  };
  const left = async (): Promise<{ namespace: string; id: string }[]> => {
    const listed = await Promise.all(
      [...namespaces].map(async (namespace) =>
        (await store.vectors.list(namespace, { limit: 1000 })).map((id) => ({ namespace, id })),
      ),
    );
    return listed.flat();
  };
  const db = await open(limitCapabilities(store, without), { clock, random: seededRandom(2), embedder });
  // Every way leaves the vectors, which the types of a plain store do not show.
  return { store, embedder, db: db as unknown as Database<MemoryStore>, docs: db.repo(Long) as unknown as Docs, left };
}

/** What an oracle says after all that guards of passages alone hold off. */
export async function passageCampaign(): Promise<string[]> {
  const parts = [surplus, hidden, planted, rewritten, recut, recutLater, tooLong, madeLater];
  const failed = (error: unknown): string[] => [`It fails: ${error}`];
  return (await Promise.all(parts.map((part) => part().catch(failed)))).flat();
}

/** Texts get fewer passages, and go, on a store that keeps no promise but those that are asked of it. */
async function surplus(): Promise<string[]> {
  const wrong: string[] = [];
  for (const without of [[], ['commit', 'scan']] as const) {
    const { docs, left } = await start(without);
    for (const id of ['fewer', 'none', 'deleted']) await docs.create({ id, text: words('1', '2', '3', '4') });
    await docs.mutate('fewer', setText(words('1', '3')));
    await docs.mutate('none', setText(null));
    await docs.delete('deleted');
    const { length } = await left();
    if (length !== 2) wrong.push(`${length} vectors are left of 2 passages`);
  }
  return wrong;
}

/** One entity has more near passages than are asked for. */
async function hidden(): Promise<string[]> {
  const { docs } = await start();
  await docs.create({ id: 'near', text: words('same', 'same', 'same') });
  await docs.create({ id: 'far', text: words('other') });
  const { hits } = await docs.search(words('same'), { limit: 2 });
  return hits.length === 2 ? [] : ['passages of one entity take the place of another'];
}

/** Vectors under a generation that is named, of passages that it does not have. */
async function planted(): Promise<string[]> {
  const { docs, store, embedder, left } = await start();
  await docs.create({ id: 'a', text: words('1', '2') });
  const [first] = await left();
  for (const mark of ['.002', '']) {
    const { namespace = '', id = '' } = first ?? {};
    await store.vectors.insert(namespace, id.replace('.000', mark), embedder.vectorOf('a query'));
  }
  return disagreements(docs, embedder, ['a'], { chunk: CHUNK });
}

const fields = z.object({ id: z.string(), text: z.string(), stars: z.number().default(0) });

/** As `Long`, but that its code turns texts round. */
const Reversed = defineEntity('long', fields, {
  id: 'id',
  embeddings: {
    vector: {
      from: ({ text }) => text.split(' ').reverse().join(' '),
      index: 'exact',
      template: 'fields:["text"]',
      chunk: CHUNK,
    },
  },
});

/** Another program makes another text of the same record. */
async function rewritten(): Promise<string[]> {
  const wrong: string[] = [];
  const { docs, store, embedder } = await start();
  await docs.create({ id: 'a', text: words('1', '2') });
  const reversed = (await open(store, { clock, random: seededRandom(3), embedder })).repo(Reversed);
  const [before] = (await reversed.search(words('1'))).hits;
  if (before?.passage !== undefined) wrong.push('a passage is shown of a text that has no vectors');
  await reversed.mutate('a', setText(words('1', '2', '3')));
  const [after] = (await reversed.search(words('1'))).hits;
  if (after?.passage?.text !== words('1')) wrong.push('vectors are taken over from another text');
  return wrong;
}

/** What the record says of the passages of a text, as another version of Unicode would have it: other cuts, another number. */
const RECUT = [
  [/(-{10}002)[\w-]{3}/, '$1zzz'],
  [/(-{10})002/, '$1001'],
] as const;

async function recutRecords(store: MemoryStore, [named, other]: (typeof RECUT)[number]): Promise<void> {
  const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
  for (const { key, value } of entries) {
    const text = Buffer.from(value).toString('latin1');
    if (named.test(text)) await store.put(key, Buffer.from(text.replace(named, other), 'latin1'));
  }
}

/** Another version of Unicode has cut the text elsewhere, or into another number of passages. */
async function recut(): Promise<string[]> {
  const wrong: string[] = [];
  for (const how of RECUT) {
    const { docs, store, embedder } = await start();
    await docs.create({ id: 'a', text: words('1', '2') });
    await recutRecords(store, how);
    const fresh = (await open(store, { clock, random: seededRandom(3), embedder })).repo(Long);
    const [hit] = (await fresh.search(words('1'))).hits;
    if (hit === undefined) wrong.push('what was cut elsewhere is not found');
    if (hit?.passage !== undefined) wrong.push('a passage is shown of a text that was cut elsewhere');
  }
  return wrong;
}

/** The same of a text whose vectors nobody has made yet. */
async function recutLater(): Promise<string[]> {
  const { store, embedder } = await start();
  const late = async (seed: number) =>
    (await open(store, { clock, random: seededRandom(seed), embedder, outbox: false })).repo(Late);
  await (await late(3)).create({ id: 'a', text: words('1', '2') });
  await recutRecords(store, RECUT[0]);
  const docs = await late(4);
  await docs.outbox.drain();
  return disagreements(docs, embedder, ['a'], { queries: [words('1'), words('2')], chunk: CHUNK });
}

const Short = defineEntity('short', fields, {
  id: 'id',
  embeddings: { vector: { from: 'text', index: 'exact', chunk: { ...CHUNK, limit: 2 } } },
});

async function tooLong(): Promise<string[]> {
  const { db } = await start();
  const saved = await db
    .repo(Short)
    .create({ id: 'a', text: words('1', '2', '3') })
    .catch((error: unknown) => error);
  return NorimakiError.is(saved, 'embedding.tooLong') ? [] : ['a text of too many passages is saved'];
}

/** Of a text whose vectors are made later some passages are there at once. */
async function madeLater(): Promise<string[]> {
  const { db, embedder } = await start();
  const docs = db.repo(Late);
  await docs.create({ id: 'a', text: words('1', '2') });
  await docs.outbox.drain();
  await docs.mutate('a', setText(words('2', '3', '4')));
  await docs.outbox.drain();
  return disagreements(docs, embedder, ['a'], { queries: ['2', '3', '4'].map((name) => words(name)), chunk: CHUNK });
}
