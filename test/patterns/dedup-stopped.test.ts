import { expect, test } from 'vitest';
import { type FaultCall, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { gate } from './support/caches.ts';
import { startDedup, textOf } from './support/deduplicators.ts';
import { openStore } from './support/stores.ts';

const NEAR = { jaccard: 0.8, bands: 4, rows: 2 };
const W = textOf('w');
const NEARLY = textOf('w', 1);
const OTHER = textOf('o');

/** Stops before the nth write of such a record, and those that follow it. */
function stopAt(entity: string, nth = 1, write: FaultCall['verb'] = 'put') {
  const here = gate<void>();
  const go = gate<void>();
  let writes = 0;
  const script = async ({ verb, keys }: FaultCall) => {
    const isIt = verb === write && keys.some((key) => Buffer.from(key).includes(entity));
    if (isIt && ++writes >= nth) {
      here.open();
      await go.promise;
    }
    return 'none' as const;
  };
  return { here: here.promise, go: () => go.open(), script };
}

type Script = Parameters<typeof startDedup>[1]['script'];

/** Processes on one store, each of which meets what it is given: places to stop at, or faults. */
async function world() {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  let seed = 1;
  const start = (...stops: readonly { readonly script: NonNullable<Script> }[]) =>
    startDedup(store, {
      clock,
      seed: seed++,
      near: NEAR,
      script: async (call) => {
        for (const { script } of stops) {
          const fault = await script(call);
          if (fault !== undefined && fault !== 'none') return fault;
        }
        return 'none';
      },
    });
  return { clock, start, calm: await start() };
}

type World = Awaited<ReturnType<typeof world>>;

/** A document `y`, and a submission of its copy `x` that has seen that `y` is there and is in no list yet. */
async function copyHalfWay(calm: World['calm'], start: World['start']) {
  await calm.dedup.submit({ id: 'y', text: W });
  const listing = stopAt('norimaki.index');
  const copied = (await start(listing)).dedup.submit({ id: 'x', text: W });
  await listing.here;
  return { listing, copied };
}

test('who was told meanwhile that it is unique does not join an older one that was not', async () => {
  const { clock, start } = await world();
  // It is the older one, and in no bucket yet.
  const entering = stopAt('norimaki.dedup.bucket');
  // Its claim is the first such write.
  const joining = stopAt('norimaki.dedup.group', 2);
  const older = (await start(entering, joining)).dedup.submit({ id: 'x', text: W });
  await entering.here;
  await clock.advance(1);
  const settling = stopAt('norimaki.dedup.group', 2);
  const younger = (await start(settling)).dedup.submit({ id: 'y', text: NEARLY });
  await settling.here;
  entering.go();
  await joining.here;
  settling.go();
  expect(await younger).toMatchObject({ kind: 'unique' });
  joining.go();
  expect(await older).toMatchObject({ kind: 'near', of: 'y', canonical: 'y' });
});

test('a copy that is listed just after nobody was found inherits the text all the same', async () => {
  const { calm, start } = await world();
  const { listing, copied } = await copyHalfWay(calm, start);
  // It has seen that there is no copy.
  const leaving = stopAt('norimaki.dedup.group');
  const removed = (await start(leaving)).dedup.remove('y');
  await leaving.here;
  listing.go();
  await copied;
  leaving.go();
  await removed;
  expect(await calm.dedup.check(NEARLY)).toMatchObject({ kind: 'near', of: 'x' });
  expect(await calm.dedup.submit({ id: 'z', text: W })).toMatchObject({ kind: 'exact', of: 'x' });
});

test('who takes back what it has lost a race with leaves what another has made of it meanwhile', async () => {
  const { start, calm } = await world();
  const storing = stopAt('doc');
  const withdrawing = stopAt('doc', 1, 'delete');
  const submitted = (await start(storing, withdrawing)).dedup.submit({ id: 'x', text: W }, { onDuplicate: 'reject' });
  await storing.here;
  await calm.dedup.submit({ id: 'y', text: NEARLY });
  storing.go();
  await withdrawing.here;
  expect(await calm.dedup.submit({ id: 'x', text: OTHER })).toMatchObject({ kind: 'unique', stored: true });
  withdrawing.go();
  expect(await submitted).toMatchObject({ kind: 'near', of: 'y', stored: false });
  expect((await calm.docs.get('x'))?.text).toBe(OTHER);
  expect(await calm.dedup.check(`${OTHER} addendum`)).toMatchObject({ kind: 'near', of: 'x' });
});

test('what joins a cluster that joins another before it is listed is listed there', async () => {
  const { clock, start, calm } = await world();
  for (const id of ['a', 'b', 'c']) {
    await calm.dedup.submit({ id, text: textOf(id) });
    await clock.advance(1);
  }
  const listing = stopAt('norimaki.index');
  const merged = (await start(listing)).dedup.merge('b', 'c');
  await listing.here;
  expect((await calm.dedup.merge('a', 'b')).members).toEqual(['a', 'b']);
  listing.go();
  await merged;
  for (const id of ['a', 'b', 'c']) expect((await calm.dedup.cluster(id))?.members).toEqual(['a', 'b', 'c']);
});

/** Stops a submission of `x` where its document is stored and it is in no cluster, and does something else. */
async function editAmid(onDuplicate: 'link' | 'store', text: string) {
  const { start, calm } = await world();
  for (const one of [W, OTHER]) await calm.dedup.submit({ id: one.slice(0, 1), text: one });
  const entering = stopAt('norimaki.dedup.entry');
  const submitted = (await start(entering)).dedup.submit({ id: 'x', text: W }, { onDuplicate });
  await entering.here;
  await calm.dedup.submit({ id: 'x', text });
  entering.go();
  return { dedup: calm.dedup, told: await submitted };
}

test('who wants its own text kept apart does not keep apart what another has made of the document', async () => {
  const { dedup } = await editAmid('store', `${OTHER} addendum`);
  expect((await dedup.cluster('x'))?.members).toEqual(['o', 'x']);
});

test('what another has made too short meanwhile is in no cluster', async () => {
  const { dedup, told } = await editAmid('link', 'ok');
  expect(told).toMatchObject({ kind: 'tooShort', stored: true });
  expect(await dedup.cluster('x')).toBeUndefined();
});

/** Removes a document, and submits it again before the first write of such a record. */
async function comeBackAmid(entity: string, ids: readonly string[]) {
  const { start, calm } = await world();
  const { dedup } = calm;
  for (const id of ids) await dedup.submit({ id, text: W });
  const leaving = stopAt(entity);
  const removed = (await start(leaving)).dedup.remove('x');
  await leaving.here;
  const told = await dedup.submit({ id: 'x', text: W });
  leaving.go();
  await removed;
  return { dedup, told };
}

test('a copy that comes back while it is taken out is a copy again', async () => {
  const { dedup, told } = await comeBackAmid('norimaki.index', ['y', 'x']);
  expect(told).toMatchObject({ kind: 'exact', of: 'y', stored: true });
  expect((await dedup.cluster('y'))?.members).toEqual(['y', 'x']);
});

test('who held a text and comes back while it is taken out holds it again', async () => {
  const { dedup, told } = await comeBackAmid('norimaki.dedup.group', ['x']);
  expect(told).toMatchObject({ kind: 'unique', stored: true });
  expect(await dedup.submit({ id: 'z', text: W })).toMatchObject({ kind: 'exact', of: 'x' });
});

test('who found nobody that has a text does not take it from a copy that has inherited it since', async () => {
  const { calm, start } = await world();
  const { listing, copied } = await copyHalfWay(calm, start);
  await calm.docs.delete('y');
  // It has seen that nobody is.
  const claiming = stopAt('norimaki.dedup.group');
  const claimed = (await start(claiming)).dedup.submit({ id: 'z', text: W });
  await claiming.here;
  listing.go();
  await copied;
  await calm.dedup.remove('y');
  claiming.go();
  expect(await claimed).toMatchObject({ kind: 'exact', of: 'x' });
});

test('two that found each other at the same instant agree on which stays', async () => {
  const { start } = await world();
  // In one bucket, so that the other finds it; in the rest it finds the other.
  const entering = stopAt('norimaki.dedup.bucket', 2);
  const joining = [stopAt('norimaki.dedup.group', 2), stopAt('norimaki.dedup.group', 2)] as const;
  let calls = 0;
  // Two that led to each other would lead on for ever.
  const end = { script: () => (++calls > 500 ? 'crashBefore' : 'none') } as const;
  const one = await start(entering, joining[0], end);
  const other = await start(joining[1], end);
  const first = one.dedup.submit({ id: 'x', text: W });
  await entering.here;
  const second = other.dedup.submit({ id: 'y', text: NEARLY });
  await joining[1].here;
  entering.go();
  await joining[0].here;
  for (const { go } of joining) go();
  const told = await Promise.all([first, second]);
  expect(told.map(({ kind }) => kind).sort()).toEqual(['near', 'unique']);
  expect((await one.dedup.cluster('x'))?.members).toHaveLength(2);
});

test('who was found first by one that died then lists itself', async () => {
  const { clock, start } = await world();
  const entering = stopAt('norimaki.dedup.bucket');
  const listing = stopAt('norimaki.index');
  // Stays there for good.
  void (await start(entering, listing)).dedup.submit({ id: 'y', text: W });
  await entering.here;
  await clock.advance(1);
  const settling = stopAt('norimaki.dedup.group', 2);
  const other = await start(settling);
  const submitted = other.dedup.submit({ id: 'x', text: NEARLY });
  await settling.here;
  entering.go();
  await listing.here;
  settling.go();
  expect(await submitted).toMatchObject({ kind: 'near', of: 'y', canonical: 'y' });
  expect((await other.dedup.cluster('x'))?.members).toEqual(['y', 'x']);
});
