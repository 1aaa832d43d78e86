import { z } from 'zod';
import type { Store } from '../../../src/core/store.ts';
import { open } from '../../../src/index.ts';
import { defineAggregate, EventStore, type EventStoreOptions } from '../../../src/patterns/index.ts';
import type { FaultOptions } from '../../../src/testing/index.ts';
import { type FaultStore, faultStore, type ManualClock, seededRandom } from '../../../src/testing/index.ts';

/** An account that is never overdrawn. */
export const Account = defineAggregate({
  name: 'account',
  events: {
    Opened: z.object({ owner: z.string() }),
    Deposited: z.object({ amount: z.int().positive() }),
    Withdrawn: z.object({ amount: z.int().positive() }),
  },
  initial: () => ({ owner: '', balance: 0, events: 0 }),
  evolve: (state, event) => {
    const events = state.events + 1;
    switch (event.type) {
      case 'Opened':
        return { ...state, owner: event.data.owner, events };
      case 'Deposited':
        return { ...state, balance: state.balance + event.data.amount, events };
      case 'Withdrawn':
        return { ...state, balance: state.balance - event.data.amount, events };
    }
  },
  decide: (command: { readonly type: 'Deposit' | 'Withdraw'; readonly amount: number }, state) => {
    const { type, amount } = command;
    if (type === 'Deposit') return [{ type: 'Deposited', data: { amount } }];
    if (state.balance < amount) throw new Overdrawn();
    return [{ type: 'Withdrawn', data: { amount } }];
  },
});

export class Overdrawn extends Error {}

/** One process on a store: a database, chance and faults of its own. */
export interface EventProcess {
  readonly events: EventStore;
  readonly faulty: FaultStore;
}

export interface EventProcessOptions extends Partial<EventStoreOptions> {
  readonly clock: ManualClock;
  readonly seed: number;
  readonly faults?: FaultOptions['faults'];
  readonly script?: FaultOptions['script'];
}

export async function startEvents(
  store: Store,
  { clock, seed, faults, script, ...options }: EventProcessOptions,
): Promise<EventProcess> {
  const random = seededRandom(seed);
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock, random });
  return { faulty, events: new EventStore(db, { name: 'bank', aggregates: [Account], ...options }) };
}

/** All that an iterable yields. */
export async function all<T>(from: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of from) found.push(one);
  return found;
}
