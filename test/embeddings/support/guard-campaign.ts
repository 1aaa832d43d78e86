import type { Chunking } from '../../../src/core/model/model.ts';
import type { VectorStore } from '../../../src/core/store.ts';
import type { Vectors } from '../../../src/core/vectors/index.ts';
import { open } from '../../../src/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import {
  fakeEmbedder,
  faultStore,
  limitCapabilities,
  manualClock,
  SimulatedCrash,
  seededRandom,
} from '../../../src/testing/index.ts';
import { CHUNK, Long, words } from './long-docs.ts';
import { disagreements } from './oracle.ts';
import { passageCampaign } from './passage-campaign.ts';
import { Doc, type Docs, setText } from './world.ts';

/** What a campaign saves: texts that each have one vector, or several. */
interface Kind {
  readonly entity: typeof Doc | typeof Long;
  readonly chunk?: Chunking;
  /** A text of this name, and of so many passages if it is cut. */
  text(name: string, passages: number): string;
  /** What else may go wrong. */
  more(): Promise<string[]>;
}

const kinds = {
  'texts with one vector': { entity: Doc, text: (name) => name, more: async () => [] },
  passages: {
    entity: Long,
    chunk: CHUNK,
    text: (name, passages) => words(...Array.from({ length: passages }, (_, i) => `${name}${i}`)),
    more: passageCampaign,
  },
} satisfies Record<string, Kind>;

/** What an oracle says after all that guards hold off. */
export async function campaign(name: keyof typeof kinds): Promise<string[]> {
  const kind: Kind = kinds[name];
  return [...(await leftBehind(kind)), ...(await cutShort(kind)), ...(await kind.more())];
}

/** Edits, deletes and expiries whose old vectors a careless store has kept. */
async function leftBehind(kind: Kind): Promise<string[]> {
  const clock = manualClock(0, { autoAdvance: true });
  const environment = { clock, random: seededRandom(1) };
  const inner = await memory().openStore(environment);
  const embedder = fakeEmbedder();
  const store = careless(limitCapabilities(inner, ['commit', 'scan']) as unknown as VectorStore);
  const docs = (await open(store, { ...environment, embedder })).repo(kind.entity) as unknown as Docs;
  const ids = ['edited', 'deleted', 'expired', 'again'];
  for (const id of ids) await docs.create({ id, text: kind.text(`${id}First`, 3) });
  for (const [text, passages] of [
    ['second', 2],
    ['third', 4],
    ['editedFirst', 3],
    ['last', 2],
  ] as const) {
    await docs.mutate('edited', setText(kind.text(text, passages)));
  }
  await docs.delete('deleted');
  await docs.touch('expired', { ttl: '1s' });
  await docs.delete('again');
  await docs.create({ id: 'again', text: kind.text('anew', 2) });
  await clock.advance(2_000);
  const wrong = await disagreements(docs, embedder, ids, kind);
  const { hits } = await docs.search('a query', { limit: 100 });
  if (hits.some(({ entity }) => entity.id === 'expired')) wrong.push('expired is found after its end');
  return wrong;
}

/** Acknowledges inserts that it drops, every other one; keeps vectors that it should delete, and records past their end. */
function careless(store: VectorStore): VectorStore {
  let inserts = 0;
  const vectors = new Proxy(store.vectors, {
    get(target, name: keyof Vectors) {
      if (name === 'delete') return async () => true;
      if (name === 'insert' && inserts++ % 2 === 0) return async () => {};
      return target[name].bind(target);
    },
  });
  return new Proxy(store, {
    get: (target, name: keyof VectorStore) => {
      if (name === 'vectors') return vectors;
      if (name === 'put') {
        const put: VectorStore['put'] = (key, value, options) =>
          target.put(key, value, { ...options, expiresAt: undefined });
        return put;
      }
      const value: unknown = target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A process that dies between the vectors of a text and the text itself. */
async function cutShort({ entity, text, chunk }: Kind): Promise<string[]> {
  const clock = manualClock(0, { autoAdvance: true });
  const inner = await memory().openStore({ clock, random: seededRandom(1) });
  const store = limitCapabilities(inner, ['commit', 'scan']);
  const embedder = fakeEmbedder();
  const docs = (await open(store, { clock, random: seededRandom(2), embedder })).repo(entity) as unknown as Docs;
  await docs.create({ id: 'old', text: text('old', 2) });
  let puts = 0;
  const script = ({ verb }: { verb: string }) => (verb === 'put' && ++puts === 2 ? 'crashBefore' : 'none');
  const dying = await open(faultStore(store, { random: seededRandom(3), script }), { clock, embedder });
  const edit = (dying.repo(entity) as unknown as Docs).mutate('old', setText(text('new', 3)));
  const died = await edit.catch((error: Error) => error.cause ?? error);
  if (!(died instanceof SimulatedCrash)) throw new Error('It has not died.', { cause: died });
  return disagreements(docs, embedder, ['old'], { queries: [text('new', 1)], chunk });
}
