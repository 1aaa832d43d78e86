import fc from 'fast-check';
import { expect, test } from 'vitest';
import { distance } from '../../src/core/vectors/index.ts';
import { open } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, faultStore, manualClock, seededRandom } from '../../src/testing/index.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';
import { countVectors, Note } from './support/deferred.ts';
import { disagreements } from './support/oracle.ts';

const IDS = ['a', 'b'];

const step = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    id: fc.constantFrom(...IDS),
    text: fc.constantFrom('x', 'y', 'z', null),
  }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'touch' as const), id: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constantFrom('search' as const, 'drain' as const, 'expire' as const) }),
);

test('whatever the order of saves, deletes, expiries, searches and two workers, no hit is stale and all is found at rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 3 }),
      async (scheduler, actors) => {
        const clock = manualClock(START, { autoAdvance: true });
        const store = await memory().openStore({ clock, random: seededRandom(1) });
        const embedder = fakeEmbedder();
        const direct = await open(store, { clock, random: seededRandom(2), embedder, outbox: false });
        let isScheduled = true;
        // Every call of a store, and every call of the embedder, is a step of its own.
        const embed = embedder.embed.bind(embedder);
        embedder.embed = async (texts, options) => {
          if (isScheduled) await scheduler.schedule(Promise.resolve(), 'embed');
          return embed(texts, options);
        };
        const repositories = await Promise.all(
          actors.map(async (_, i) => {
            const script = async ({ verb }: { verb: string }): Promise<'none'> => {
              if (isScheduled) await scheduler.schedule(Promise.resolve(), `${i} ${verb}`);
              return 'none';
            };
            const stepwise = faultStore(store, { clock, random: seededRandom(3 + i), script });
            const db = await open(stepwise, { clock, random: seededRandom(10 + i), embedder, outbox: false });
            return db.repo(Note);
          }),
        );
        const wrong: string[] = [];
        const act = async (notes: (typeof repositories)[number], steps: (typeof actors)[number]): Promise<void> => {
          for (const one of steps) {
            if (one.kind === 'put') await notes.put({ id: one.id, text: one.text });
            else if (one.kind === 'delete') await notes.delete(one.id);
            else if (one.kind === 'touch') await notes.touch(one.id, { ttl: '1s' }).catch(() => {});
            else if (one.kind === 'drain') await notes.outbox.drain();
            else if (one.kind === 'expire') await clock.advance(1_000);
            else {
              for (const { entity, score } of (await notes.search('x')).hits) {
                const expected = 1 - distance('cosine', embedder.vectorOf('x'), embedder.vectorOf(String(entity.text)));
                if (Math.abs(expected - score) > 1e-5) wrong.push(`${entity.id} has the score of another text`);
              }
            }
          }
        };
        const done = Promise.all(
          actors.map((steps, i) => act(repositories[i] as (typeof repositories)[number], steps)),
        );
        await scheduler.waitFor(done);
        isScheduled = false;

        const notes = direct.repo(Note);
        await notes.outbox.drain();
        wrong.push(...(await disagreements(notes, embedder, IDS)));
        const { waiting, dead } = await notes.outbox.counts();
        if (waiting + dead > 0) wrong.push(`${waiting} wait and ${dead} are dead`);
        const live = (await notes.getMany(IDS)).filter((note) => note?.text);
        // What expired leaves its vector until the house-keeping comes.
        const hasExpired = actors.flat().some(({ kind }) => kind === 'touch');
        const vectors = await countVectors({ store, embedder });
        if (!hasExpired && vectors !== live.length) wrong.push(`${vectors} vectors of ${live.length} notes`);
        expect(wrong).toEqual([]);
      },
    ),
    { numRuns: isLong ? 2_000 : 150 },
  );
});
