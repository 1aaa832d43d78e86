import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf } from '../support/fates.ts';
import { START } from '../support/open.ts';
import { anyFaults } from './support/counters.ts';
import { idsOf, startIndex } from './support/index-documents.ts';
import { expectOnAverage } from './support/on-average.ts';
import { openStore, STORE_KINDS, type StoreKind } from './support/stores.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 1500, embedded: 150, norikv: 150 }
  : { memory: 12, embedded: 2, norikv: 1 };
const PROCESSES = 3;

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  test('no id is lost and none comes back; every listing is in order and has what was there all the time', async () => {
    const clock = manualClock(START, { autoAdvance: true });
    const store = await openStore(kind, { clock, random: seededRandom(1) });
    let acknowledged = 0;
    let runs = 0;
    const property = async (seed: number): Promise<void> => {
      const name = `index ${runs++}`;
      const random = seededRandom(seed);
      const processes = await Promise.all(
        Array.from({ length: PROCESSES }, (_, i) =>
          startIndex(store, { name, clock, seed: seed * 31 + i * 7, faults: anyFaults(seed + i) }),
        ),
      );
      /** What is known of each id; an id has one writer at a time. */
      const states = new Map<string, 'in' | 'out' | 'either'>();
      const busy = new Set<string>();
      /** Counts every change that begins, by id. */
      const changes = new Map<string, number>();
      const problems: string[] = [];
      const change = async (): Promise<void> => {
        const { index } = processes[pickInt(random, PROCESSES)] as (typeof processes)[number];
        const id = `id ${pickInt(random, 60)}`;
        if (busy.has(id)) return;
        busy.add(id);
        changes.set(id, (changes.get(id) ?? 0) + 1);
        const isAdd = random.float() < 0.75;
        const before = states.get(id) ?? 'out';
        states.set(id, 'either');
        const fate = await (isAdd ? index.add(id) : index.remove(id)).catch(fateOf);
        if (typeof fate === 'boolean') {
          acknowledged++;
          if (before !== 'either' && fate !== (isAdd === (before === 'out')))
            problems.push(`${isAdd ? 'add' : 'remove'} of ${id}, which was ${before}, said ${fate}`);
        }
        const after = isAdd ? 'in' : 'out';
        if (typeof fate === 'boolean') states.set(id, after);
        else if (fate === 'refused') states.set(id, before);
        else states.set(id, before === after ? before : 'either');
        busy.delete(id);
      };
      const list = async (): Promise<void> => {
        const { index } = processes[pickInt(random, PROCESSES)] as (typeof processes)[number];
        const calm = [...states].filter(([id]) => !busy.has(id));
        const counts = new Map(changes);
        const found = await idsOf(index).catch(fateOf);
        if (typeof found === 'string') return;
        if (found.some((id, i) => i > 0 && id <= (found[i - 1] as string))) problems.push(`out of order: ${found}`);
        for (const [id, state] of calm) {
          if (changes.get(id) !== counts.get(id)) continue;
          if (state === 'in' && !found.includes(id)) problems.push(`${id} was not listed`);
          if (state === 'out' && found.includes(id)) problems.push(`${id} was listed`);
        }
      };
      const step = (): Promise<void> => (random.float() < 0.9 ? change() : list());
      for (let round = 0; round < 30; round++) await Promise.all([step(), step(), step(), step()]);
      for (const { faulty } of processes) await faulty.heal();
      const { index } = await startIndex(store, { name, clock, seed: 5 });
      const found = await idsOf(index);
      for (const [id, state] of states) {
        if (state === 'in' && !found.includes(id)) problems.push(`${id} is lost`);
        if (state === 'out' && found.includes(id)) problems.push(`${id} is there`);
        if ((await index.has(id)) !== found.includes(id))
          problems.push(`${id} is listed and not had, or had and not listed`);
      }
      expect(problems, `seed ${seed}`).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), property), {
      numRuns: RUNS[kind],
      seed: 20_260_101,
      endOnFailure: true,
    });
    // Most calls succeed, or nothing was tested.
    expectOnAverage(acknowledged, RUNS[kind], 50);
  });
});
