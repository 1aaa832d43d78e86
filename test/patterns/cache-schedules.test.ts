import { describe, expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { Cache, type CacheOptions } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { type Choose, everyOrder, Stage, SteppedStore } from './support/schedules.ts';

const MAX_ORDERS = isLong ? 5_000 : 20;

/**
 * The source, a number that grows with each change, and which number each call must at least see: that of the last change
 * whose invalidation was acknowledged before it began.
 */
class Witness {
  #value = 1;
  #floor = 0;
  /** Of values that are put at once nobody knows which is the last. */
  readonly #racesPuts: boolean;

  constructor(racesPuts: boolean) {
    this.#racesPuts = racesPuts;
  }

  readonly load = async (step: () => Promise<void>): Promise<number> => {
    const value = this.#value;
    await step();
    return value;
  };

  /** A change, and what tells the cache of it. */
  readonly change = async (tell: (value: number) => Promise<unknown>): Promise<void> => {
    this.#value += 1;
    const value = this.#value;
    await tell(value);
    this.#floor = Math.max(this.#floor, this.#racesPuts ? 2 : value);
  };

  readonly read = async (read: () => Promise<number | undefined>): Promise<void> => {
    const floor = this.#floor;
    const seen = await read();
    if (seen !== undefined && seen < floor) throw new Error(`saw ${seen}, and ${floor} was there before the call`);
  };
}

interface World {
  /** Another one each time. */
  readonly key: string;
  readonly caches: readonly [Cache<number>, Cache<number>];
  readonly witness: Witness;
  /** Of a process, by its cache. */
  readonly get: (cache: Cache<number>) => Promise<number>;
}

type Actor = (world: World) => Promise<void>;

/** What all call for, whatever the order of their steps. */
interface Scene {
  readonly name: string;
  /** What is done before, in peace. */
  readonly before?: Actor | undefined;
  readonly actors: readonly Actor[];
  readonly racesPuts?: boolean;
  readonly get?: (cache: Cache<number>, load: () => Promise<number>, key: string) => Promise<number>;
}

const get: Actor = ({ caches: [cache], witness, get }) => witness.read(() => get(cache));
const getElsewhere: Actor = ({ caches: [, cache], witness, get }) => witness.read(() => get(cache));
const invalidate: Actor = ({ caches: [cache], witness, key }) => witness.change(() => cache.invalidate(key));
const invalidateElsewhere: Actor = ({ caches: [, cache], witness, key }) => witness.change(() => cache.invalidate(key));
const put: Actor = ({ caches: [cache], witness, key }) => witness.change((value) => cache.put(key, value));
const putElsewhere: Actor = ({ caches: [, cache], witness, key }) => witness.change((value) => cache.put(key, value));
const clear: Actor = ({ caches: [, cache], witness }) => witness.change(() => cache.clear());
const peek: Actor = ({ caches: [cache], witness, key }) => witness.read(() => cache.get(key));
const ownClear: Actor = ({ caches: [cache], witness }) => witness.change(() => cache.clear());
const ownTag: Actor = ({ caches: [cache], witness }) => witness.change(() => cache.invalidateTags(['t']));
const expire: Actor = ({ caches: [, cache], witness, key }) => witness.change(() => cache.expire(key));
const tag =
  (...tags: string[]): Actor =>
  ({ caches: [, cache], witness }) =>
    witness.change(() => cache.invalidateTags(tags));

/** There is an entry, and it has to be loaded anew. */
const outdate: Actor = async (world) => {
  await get(world);
  await world.caches[0].expire(world.key);
};

const plainly: NonNullable<Scene['get']> = (cache, load, key) => cache.get(key, load);
const tagged: Scene['get'] = (cache, load, key) => cache.get(key, load, { tags: ['t', 'u'] });
/** Only the loader knows the tags, and only at the end. */
const taggedLate: Scene['get'] = (cache, load, key) =>
  cache.get(key, async ({ tag }) => {
    const value = await load();
    tag('t', 'u');
    return value;
  });

const SCENES: readonly Scene[] = [
  { name: 'a load and an invalidation', actors: [get, invalidate] },
  { name: 'a load and an invalidation elsewhere', actors: [get, invalidateElsewhere] },
  { name: 'a load and a put', actors: [get, put] },
  { name: 'a load and a put elsewhere', actors: [get, putElsewhere] },
  { name: 'another load and a put', before: outdate, actors: [get, put] },
  { name: 'another load and an invalidation elsewhere', before: outdate, actors: [get, invalidateElsewhere] },
  { name: 'another load and a tag', before: outdate, actors: [get, tag('t')], get: tagged },
  { name: 'a load and a clear', actors: [get, clear] },
  { name: 'a load and an expiry', actors: [get, expire] },
  { name: 'a load and an invalidated tag', actors: [get, tag('t')], get: tagged },
  { name: 'a load that learns its tags late, and an invalidated tag', actors: [get, tag('u')], get: taggedLate },
  { name: 'two invalidated tags', before: get, actors: [tag('t'), tag('u')], get: tagged },
  { name: 'two invalidations of one tag, and a load', actors: [tag('t'), tag('t'), get], get: tagged },
  { name: 'a hit and an invalidation', before: getElsewhere, actors: [get, invalidate] },
  { name: 'two loads and an invalidation', actors: [get, getElsewhere, invalidateElsewhere] },
  { name: 'two calls that share a load, and an invalidation elsewhere', actors: [get, get, invalidateElsewhere] },
  { name: 'two puts and a load', before: get, actors: [put, putElsewhere, getElsewhere], racesPuts: true },
];

const MODES = [
  ['without memory', { l1: false, singleFlight: 'process' }],
  ['where memory asks the store', { coherence: 'validate', singleFlight: 'process' }],
  ['where one process at a time loads', { l1: false }],
] as const;

/** Of one process, whose memory must not be behind what it was told itself. */
const OWN_SCENES: readonly Scene[] = [
  { name: 'a load and an invalidation', actors: [get, invalidate] },
  { name: 'a read of the store and an invalidation', before: getElsewhere, actors: [peek, invalidate] },
  { name: 'a hit in the store and an invalidation', before: getElsewhere, actors: [get, invalidate] },
  { name: 'a hit in the store and a put', before: getElsewhere, actors: [get, put] },
  { name: 'a hit in the store and a clear', before: getElsewhere, actors: [get, ownClear] },
  { name: 'a hit in the store and an invalidated tag', before: getElsewhere, actors: [get, ownTag], get: tagged },
];

test.each(OWN_SCENES)('memory is never behind its own process: $name', async ({ before, actors, get = plainly }) => {
  const { play, ran } = await theatre({ singleFlight: 'process' }, async ({ caches: [cache], witness, key, get }) => {
    await witness.read(() => cache.get(key));
    await witness.read(() => get(cache));
  });
  await everyOrder((choose) => play(choose, { before, actors, get }), order());
  expect(ran()).toBeGreaterThan(8);
});

test.each([
  ['a key that nobody has loaded', undefined],
  ['one that is to be loaded anew', outdate],
] as const)('while the lease is healthy two processes load %s once, in any order of steps', async (_, prepare) => {
  let loads = 0;
  let healthy = 0;
  const { play, clock } = await theatre({ l1: false }, async () => {});
  const count: Scene['get'] = (cache, load, key) =>
    cache.get(key, () => {
      loads += 1;
      return load();
    });
  const before: Actor = async (world) => {
    await prepare?.(world);
    loads = 0;
  };
  await everyOrder(async (choose) => {
    const began = clock.mono();
    await play(choose, { before, actors: [get, getElsewhere], get: count });
    // One who is not let on for longer than the lease has lost it.
    if (clock.mono() - began > 4_000) return;
    healthy += 1;
    expect(loads).toBe(1);
  }, order());
  expect(healthy).toBeGreaterThan(10);
});

describe.each(MODES)('%s, in any order of steps, no call sees less than was there when it began', (_, options) => {
  test.each(SCENES)('$name', async ({ before, actors, racesPuts = false, get = plainly }) => {
    const { play, ran } = await theatre(options, async ({ caches, witness, key, get }) => {
      // What was left behind must not be less either, and the same everywhere.
      const left: (number | undefined)[] = [];
      for (const cache of caches) await witness.read(async () => (left[left.length] = await cache.get(key)));
      for (const cache of caches) await witness.read(async () => (left[left.length] = await get(cache)));
      expect(left[0]).toBe(left[1]);
      expect(left[2]).toBe(left[3]);
      if (racesPuts) expect(left[0]).toBeGreaterThan(1);
    });
    await everyOrder((choose) => play(choose, { before, actors, racesPuts, get }), order());
    expect(ran()).toBeGreaterThan(10);
  });
});

function order(): Parameters<typeof everyOrder>[1] {
  const random = seededRandom(7);
  return { max: MAX_ORDERS, float: () => random.float() };
}

/** Two processes on one store, for scenes that are played again and again; `after` looks at what each has left. */
async function theatre(options: Partial<CacheOptions>, after: Actor) {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock, random: seededRandom(7) });
  let stage: Stage | undefined;
  let runs = 0;
  const step = async (): Promise<void> => stage?.step();
  const start = async (seed: number): Promise<Cache<number>> => {
    const db = await open(new SteppedStore(store, step), { clock, random: seededRandom(seed) });
    return new Cache<number>(db, { ...options, name: 'c', early: 0 });
  };
  const caches = [await start(1), await start(2)] as const;
  const play = async (choose: Choose, scene: Omit<Scene, 'name'> & Required<Pick<Scene, 'get'>>): Promise<void> => {
    const key = `k${runs++}`;
    const witness = new Witness(scene.racesPuts ?? false);
    const world: World = { key, caches, witness, get: (cache) => scene.get(cache, () => witness.load(step), key) };
    await scene.before?.(world);
    stage = new Stage(choose);
    await stage.play(scene.actors.map((actor) => () => actor(world)));
    stage = undefined;
    await after(world);
    expect(caches.map((cache) => cache.stats().failures)).toEqual([0, 0]);
  };
  return { play, clock, ran: () => runs };
}
