import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { hashingEmbedder } from '../../src/embedders/index.ts';
import { type Default, defineEntity, Embedding, Entity, Field, Id, open } from '../../src/index.ts';
import {
  defineProjection,
  EventStore,
  ProjectedRecord,
  projectedFields,
  type RebuildProgress,
} from '../../src/patterns/index.ts';
import { openMemory } from '../support/open.ts';
import { type Seen, SeenViews, Tally } from './support/event-tally.ts';

@Entity('note')
class Note extends ProjectedRecord {
  @Id() id!: Id<string>;
  @Field(z.string()) text: Default<string> = '';
  @Embedding({ from: (note: Note) => note.text }) vector?: Float32Array;

  shout(): string {
    return this.text.toUpperCase();
  }
}

async function bench() {
  const { db, clock, store: bytes } = await openMemory();
  const store = new EventStore(db, { name: 'tallies', aggregates: [Tally] });
  const count = (id: string, ...numbers: number[]) =>
    store.append(
      Tally.stream(id),
      numbers.map((n) => Tally.event('Counted', { n })),
      { expected: 'any' },
    );
  return { db, clock, bytes, store, count, views: store.view(SeenViews) };
}

/** The same views by another rule, which a newer program has. */
const Doubled = defineProjection({
  name: 'seen',
  version: 2,
  from: Tally,
  into: SeenViews.rules.into as typeof Seen,
  id: (event) => event.stream.id,
  apply(view, event) {
    if (event.type === 'Counted') view.total += 2 * event.data.n;
  },
});

describe('a projection', () => {
  test('counts each event once, in every view that it changes, and is read like a repository', async () => {
    const { store, count, views } = await bench();
    await count('a', 1, 2);
    await using projection = store.project(SeenViews);
    await projection.caughtUp();
    await count('b', 10);
    await count('a', 3);
    await projection.caughtUp();
    expect(await views.get('a')).toMatchObject({ seen: ['a/1', 'a/2', 'a/3'], total: 6 });
    expect(await views.getOrThrow('all')).toMatchObject({ total: 16 });
    expect((await views.getMany(['b', 'c'])).map((view) => view?.total)).toEqual([10, undefined]);
    expect(await views.count()).toBe(3);
    const ids: string[] = [];
    for await (const { id } of views.scan()) ids.push(id);
    expect(ids).toEqual(['a', 'all', 'b']);
    expect(await projection.lag()).toEqual({ handled: 4n, events: 0n, streams: 0 });
    expect('mutate' in views).toBe(false);
  });

  test('forgets of a view that all streams share which streams it saw, so that the record stays small', async () => {
    const { store, count, views } = await bench();
    await using projection = store.project(SeenViews);
    for (let i = 0; i < 80; i++) await count(`s${i}`, 1);
    await projection.caughtUp();
    const all = await views.getOrThrow('all');
    expect(all.total).toBe(80);
    for (const { upTo } of Object.values(all.projected)) expect(Object.keys(upTo).length).toBeLessThanOrEqual(33);
  });

  test('of a newer version builds its views beside the old ones, which readers see until then, and deletes those', async () => {
    const { db, clock, store, count, views } = await bench();
    for (const id of ['a', 'b', 'c']) await count(id, 1, 2);
    await using old = store.project(SeenViews);
    await old.caughtUp();
    const program = new EventStore(db, { name: 'tallies', aggregates: [Tally] });
    const progress: RebuildProgress[] = [];
    await using newer = program.project(Doubled, { onProgress: (one) => progress.push(one) });
    expect((await views.get('a'))?.total).toBe(3);
    await newer.caughtUp();
    expect((await program.view(Doubled).get('a'))?.total).toBe(6);
    await clock.sleep(1000);
    expect((await views.get('a'))?.total).toBe(6);
    expect(await views.get('all')).toBeUndefined();
    expect(progress[0]).toMatchObject({ phase: 'building', total: 6n });
    await clock.sleep(20_000);
    expect(await recordsLeft(db)).toEqual(['seen#2']);
    await expect(store.rebuild(SeenViews)).rejects.toMatchObject({ code: 'events.projectionNewer' });
  });

  test('is rebuilt with progress while others append and read; a rebuild that was stopped goes on', async () => {
    const { db, store, count, views } = await bench();
    await using projection = store.project(SeenViews);
    for (let i = 0; i < 20; i++) await count(`s${i}`, 1, 2);
    await projection.caughtUp();
    const before = await views.getOrThrow('s1');
    const stop = new AbortController();
    const stopped = store.rebuild(SeenViews, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    const progress: RebuildProgress[] = [];
    const rebuilt = store.rebuild(SeenViews, { onProgress: (one) => progress.push(one) });
    await count('s1', 3);
    expect(await views.get('s1')).toMatchObject({ id: before.id });
    await rebuilt;
    await projection.caughtUp();
    expect((await views.get('s1'))?.seen).toEqual(['s1/1', 's1/2', 's1/3']);
    expect((await views.get('all'))?.total).toBe(63);
    expect(progress.at(-1)).toMatchObject({ phase: 'cleaning' });
    // The generation that was begun first is the one that was completed.
    expect(await recordsLeft(db)).toEqual(['seen#2']);
  });

  test('shows readers new views only once they hold every event that there is', async () => {
    const { clock, store, count, views } = await bench();
    for (const id of ['a', 'b']) await count(id, 1, 2);
    await using old = store.project(SeenViews);
    await old.caughtUp();
    let isStuck = true;
    const Slow = defineProjection({
      name: 'seen',
      version: 2,
      from: Tally,
      into: SeenViews.rules.into as typeof Seen,
      id: (event) => event.stream.id,
      apply(view, event) {
        if (isStuck && event.stream.id === 'b' && event.version === 2n) throw new Error('Not yet.');
        if (event.type === 'Counted') view.total += 2 * event.data.n;
      },
    });
    await using newer = store.project(Slow);
    for (let seconds = 0; seconds < 10; seconds++) {
      await clock.sleep(1000);
      expect([await views.get('a'), await views.get('b')]).toMatchObject([{ total: 3 }, { total: 3 }]);
    }
    isStuck = false;
    await newer.caughtUp();
    await clock.sleep(1000);
    expect([await views.get('a'), await views.get('b')]).toMatchObject([{ total: 6 }, { total: 6 }]);
  });

  test('waits at an event that it fails at, and leaves none out', async () => {
    const { store, count } = await bench();
    let isBroken = true;
    const Fragile = defineProjection({
      name: 'fragile',
      from: [Tally],
      into: SeenViews.rules.into as typeof Seen,
      id: () => 'all',
      apply(view, event) {
        if (isBroken && event.type === 'Counted' && event.data.n === 2) throw new Error('Two.');
        view.seen.push(`${event.stream.id}/${event.version}`);
      },
    });
    await count('a', 1, 2, 3);
    await count('b', 1);
    const failed: (bigint | undefined)[] = [];
    await using projection = store.project(Fragile, {
      onFailure: ({ event, attempts }) => {
        failed.push(event?.version);
        isBroken = attempts < 8;
      },
    });
    await projection.caughtUp();
    expect(new Set(failed)).toEqual(new Set([2n]));
    const { seen = [] } = (await store.view(Fragile).get('all')) ?? {};
    expect(seen.filter((name) => name.startsWith('a'))).toEqual(['a/1', 'a/2', 'a/3']);
    expect(seen.length).toBe(4);
    isBroken = true;
    await count('c', 2);
    const stopping = store.project(Fragile, { onError: 'stop', retry: { maxAttempts: 2, base: 1 } });
    await projection.close();
    await expect(stopping.done).rejects.toMatchObject({ code: 'events.handlerFailed', details: { id: 'c' } });
  });

  test('makes views of a class that can be searched', async () => {
    const { db } = await openMemory({ embedder: hashingEmbedder() });
    const store = new EventStore(db, { name: 'notes', aggregates: [Tally] });
    const Notes = defineProjection({
      name: 'notes',
      from: Tally,
      into: Note,
      id: (event) => (event.type === 'Noted' ? event.stream.id : undefined),
      initial: (event) => ({ text: `${event.stream.id}:` }),
      apply(note, event) {
        if (event.type === 'Noted') note.text += ` ${event.data.text}`;
      },
    });
    await store.append(Tally.stream('a'), [Tally.event('Noted', { text: 'toasted seaweed' })], { expected: 'new' });
    await store.append(Tally.stream('b'), [Tally.event('Noted', { text: 'iron pan' })], { expected: 'new' });
    await store.append(Tally.stream('c'), [Tally.event('Counted', { n: 1 })], { expected: 'new' });
    await using projection = store.project(Notes);
    await projection.caughtUp();
    const notes = store.view(Notes);
    const { hits } = await notes.search('seaweed', { limit: 1 });
    expect(hits[0]?.entity.shout()).toBe('A: TOASTED SEAWEED');
    expect(await notes.count()).toBe(2);
    await store.rebuild(Notes);
    expect((await notes.search('iron', { limit: 1 })).hits[0]?.entity.id).toBe('b');
  });

  test.each([[{ name: '' }], [{ version: 0 }], [{ partitions: 0 }], [{ apply: undefined }]])(
    'refuses %j',
    (options) => {
      const rules = {
        name: 'x',
        from: Tally,
        into: SeenViews.rules.into as typeof Seen,
        id: () => 'a',
        apply: () => {},
      };
      expect(() => defineProjection({ ...rules, ...(options as object) })).toThrow(
        expect.objectContaining({ code: 'argument.invalid' }),
      );
    },
  );
});

/** Names of the generations that have records. */
async function recordsLeft(db: Awaited<ReturnType<typeof bench>>['db']): Promise<string[]> {
  const found: string[] = [];
  for (const generation of [1, 2, 3]) {
    const Generation = defineEntity(`seen#${generation}`, z.object({ id: z.string(), ...projectedFields }), {
      id: 'id',
    });
    const peek = await open(db.store, {});
    if ((await peek.repo(Generation).count()) > 0) found.push(`seen#${generation}`);
  }
  return found;
}
