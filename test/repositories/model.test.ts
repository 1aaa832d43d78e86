import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ScanStore } from '../../src/core/store.ts';
import { Entity, Field, Id, Index, NorimakiError, open, type RepositoryOf, Ttl, Unique } from '../../src/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { openStore, STORE_KINDS } from '../patterns/support/stores.ts';
import { isLong } from '../support/campaign.ts';
import { START } from '../support/open.ts';

/** The default of a guest, in milliseconds. */
const LIFE = 100;

@Entity('guest')
@Ttl(`${LIFE}ms`)
class Guest {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() seat!: string;
  @Field(z.string()) @Index('byCity') city!: string;
  @Field(z.int().optional()) @Index('byCity') age?: number | undefined;
  @Field(z.date().optional()) @Ttl() until?: Date;
}

type Guests = RepositoryOf<typeof Guest, ScanStore>;
type Fields = Pick<Guest, 'seat' | 'city' | 'age'>;
/** A guest, and until when there is one. */
type Known = Fields & { readonly until: number };
type Life = 'keep' | 'renew' | `${number}ms` | undefined;

const IDS = ['a', 'b', 'c', 'd'];
const SEATS = ['1', '2', '3'];
const CITIES = ['x', 'y'];

const fields: fc.Arbitrary<Fields> = fc.record({
  seat: fc.constantFrom(...SEATS),
  city: fc.constantFrom(...CITIES),
  age: fc.constantFrom(undefined, 0, 1, 2),
});
const ttl: fc.Arbitrary<Life> = fc.constantFrom(undefined, 'keep', 'renew', '30ms', '300ms');
const write = fc.oneof(
  fc.record({ verb: fc.constantFrom('create' as const, 'put' as const, 'mutate' as const), fields, ttl }),
  fc.record({ verb: fc.constant('touch' as const), ttl }),
  fc.record({ verb: fc.constant('delete' as const) }),
);
type Write = typeof write extends fc.Arbitrary<infer W> ? W : never;

/** Writes of one client to one guest, which it does not wait for in between. */
const burst = fc.record({
  client: fc.constantFrom(0, 1),
  id: fc.constantFrom(...IDS),
  writes: fc.oneof(fc.tuple(write), fc.array(write, { minLength: 2, maxLength: 5 })),
});
const wait = fc.record({ ms: fc.integer({ min: 1, max: 120 }) });
const steps = fc.array(fc.oneof({ arbitrary: burst, weight: 4 }, { arbitrary: wait, weight: 1 }), {
  minLength: 5,
  maxLength: 30,
});

/** What a write resolves to, or the code of its error. */
type Done = Known | boolean | string;

/** What repositories promise, said in the plainest way. */
class Model {
  readonly #guests = new Map<string, Known>();
  now = START;

  live(): [string, Known][] {
    const live = [...this.#guests].filter(([, { until }]) => until > this.now);
    return live.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  take(id: string, write: Write): Done {
    const { verb } = write;
    const stored = this.#guests.get(id);
    const before = stored !== undefined && stored.until > this.now ? stored : undefined;
    if (verb === 'delete') return this.#guests.delete(id) && before !== undefined;
    if (before === undefined && (verb === 'mutate' || verb === 'touch')) return 'not.found';
    if (before !== undefined && verb === 'create') return 'already.exists';
    const { seat, city, age } = 'fields' in write ? write.fields : (before as Known);
    if (this.live().some(([other, its]) => other !== id && its.seat === seat)) return 'already.exists';
    const given = write.ttl ?? (verb === 'touch' ? 'renew' : 'keep');
    const life = given === 'keep' || given === 'renew' ? LIFE : Number.parseInt(given, 10);
    const until = given === 'keep' && before !== undefined ? before.until : this.now + life;
    const after = { seat, city, age, until };
    this.#guests.set(id, after);
    return after;
  }
}

const known = ({ seat, city, age, until }: Guest): Known => ({ seat, city, age, until: until?.getTime() ?? 0 });

async function take(guests: Guests, id: string, write: Write): Promise<Done> {
  try {
    switch (write.verb) {
      case 'create':
      case 'put':
        return known(await guests[write.verb]({ id, ...write.fields }, { ttl: write.ttl }));
      case 'mutate':
        return known(await guests.mutate(id, (guest) => void Object.assign(guest, write.fields), { ttl: write.ttl }));
      case 'touch':
        return known(await guests.touch(id, { ttl: write.ttl }));
      case 'delete':
        return await guests.delete(id);
    }
  } catch (error) {
    if (error instanceof NorimakiError) return error.code;
    throw error;
  }
}

const RUNS = { memory: isLong ? 5_000 : 150, embedded: isLong ? 500 : 15, norikv: isLong ? 500 : 10 };

test.each(STORE_KINDS)('two clients see what a plain map of guests would say, on the %s store', async (kind) => {
  const clock = manualClock(START);
  const store = await openStore(kind, { clock, random: seededRandom(1) });
  const clients = await Promise.all(
    [2, 3].map((seed) => open(store as ScanStore, { clock, random: seededRandom(seed) })),
  );
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(steps, async (taken) => {
      const tenant = `run ${runs++}`;
      const handles = clients.map((db) => db.forTenant(tenant));
      const repos = handles.map((handle) => handle.repo(Guest));
      const model = new Model();
      model.now = clock.now();
      for (const step of taken) {
        if ('ms' in step) {
          await clock.advance(step.ms);
          model.now += step.ms;
          continue;
        }
        const { id, writes } = step;
        const [guests, other] = step.client === 0 ? repos : repos.toReversed();
        const done = await Promise.all(writes.map((write) => take(guests as Guests, id, write)));
        expect(done).toEqual(writes.map((write) => model.take(id, write)));
        expect(await seenBy(other as Guests)).toEqual(allOf(model));
      }
      // Nor is anything left of what is gone.
      expect((await handles[0]?.doctor())?.findings).toEqual([]);
    }),
    { numRuns: RUNS[kind], seed: 20_261_130, endOnFailure: true },
  );
});

/** Everything that can be asked. */
async function seenBy(guests: Guests): Promise<object> {
  const inCities = await Promise.all(CITIES.map((city) => guests.find({ city })));
  const bySeat = await Promise.all(SEATS.map((seat) => guests.findOne({ seat })));
  return {
    all: (await guests.list()).items.map((guest) => [guest.id, known(guest)]),
    counted: await guests.count(),
    byId: (await guests.getMany(IDS)).map((guest) => guest?.seat),
    bySeat: bySeat.map((guest) => guest?.id),
    inCities: inCities.map(({ items }) => items.map(({ id }) => id)),
  };
}

function allOf(model: Model): object {
  const live = model.live();
  const byAge = (city: string): string[] =>
    live
      .filter(([, fields]) => fields.city === city && fields.age !== undefined)
      .sort(([, a], [, b]) => (a.age as number) - (b.age as number))
      .map(([id]) => id);
  return {
    all: live,
    counted: live.length,
    byId: IDS.map((id) => live.find(([one]) => one === id)?.[1].seat),
    bySeat: SEATS.map((seat) => live.find(([, fields]) => fields.seat === seat)?.[0]),
    inCities: CITIES.map(byAge),
  };
}
