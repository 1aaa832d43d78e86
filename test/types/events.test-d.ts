import { z } from 'zod';
import { type Database, defineEntity } from '../../src/index.ts';
import {
  defineAggregate,
  defineProjection,
  EventStore,
  given,
  projectedFields,
  stream,
} from '../../src/patterns/index.ts';

const Account = defineAggregate({
  name: 'account',
  events: { Opened: z.object({ owner: z.string() }), Deposited: z.object({ amount: z.number() }) },
  initial: () => ({ owner: '', balance: 0 }),
  evolve: (state, event) => {
    // @ts-expect-error which event it is was not asked.
    event.data.amount;
    if (event.type === 'Opened') return { ...state, owner: event.data.owner };
    // @ts-expect-error a deposit has no owner.
    event.data.owner;
    return { ...state, balance: state.balance + event.data.amount };
  },
  decide: (command: { type: 'Deposit'; amount: number }, state) => {
    state.balance satisfies number;
    return { type: 'Deposited', data: { amount: command.amount } };
  },
});

declare const db: Database;
const store = new EventStore(db, { name: 'bank', aggregates: [Account] });
const account = Account.stream('a');
const deposited = Account.event('Deposited', { amount: 1 });

deposited.data.amount satisfies number;
// @ts-expect-error a wrong type.
Account.event('Deposited', { amount: '1' });
// @ts-expect-error no event of this aggregate.
Account.event('Closed', {});

store.append(account, [deposited], { expected: 1n });
store.append(account, [deposited], { expected: 'new' });
// @ts-expect-error what is expected has no default.
store.append(account, [deposited], {});
// @ts-expect-error a version is a bigint.
store.append(account, [deposited], { expected: 1 });
// @ts-expect-error no event of this aggregate.
store.append(account, [{ type: 'Closed', data: {} }], { expected: 'any' });
// Of another stream nothing is known.
store.append(stream('log', 'a'), [{ type: 'Anything', data: 7 }], { expected: 'any' });

store.handle(Account, 'a', { type: 'Deposit', amount: 1 });
// @ts-expect-error no such command.
store.handle(Account, 'a', { type: 'Close' });

export async function reading(): Promise<void> {
  for await (const event of store.read(account)) {
    event.version satisfies bigint;
    if (event.type === 'Deposited') event.data.amount satisfies number;
    // @ts-expect-error an event that was read does not change.
    event.version = 1n;
  }
  const { state, version } = await store.load(Account, 'a');
  state.balance satisfies number;
  version satisfies bigint;
  // @ts-expect-error nothing of the state.
  state.total;
}

given(Account, [deposited]).when({ type: 'Deposit', amount: 1 }).then([deposited]);
given(Account).thenState({ owner: '', balance: 0 });
// @ts-expect-error no such command.
given(Account).when({ type: 'Close' });
// @ts-expect-error no state of it.
given(Account).thenState({ balance: 0 });

defineAggregate({
  name: 'patient',
  events: { Admitted: z.object({ person: z.string(), name: z.string() }) },
  // @ts-expect-error what stands for a name is a text.
  personal: { Admitted: { subject: 'person', fields: { name: 7 } } },
  initial: () => 0,
  evolve: (state) => state,
});
defineAggregate({
  name: 'patient',
  events: { Admitted: z.object({ person: z.string(), name: z.string() }) },
  // @ts-expect-error there is no such field.
  personal: { Admitted: { subject: 'person', fields: { nickname: '' } } },
  initial: () => 0,
  evolve: (state) => state,
});

const Balance = defineEntity(
  'balance',
  z.object({ id: z.string(), total: z.number().default(0), ...projectedFields }),
  {
    id: 'id',
  },
);
const Plain = defineEntity('plain', z.object({ id: z.string() }), { id: 'id' });

store.subscribe({ name: 'mailer', streams: Account }, (event, { version, attempt, signal, fence }) => {
  event.version satisfies bigint;
  version satisfies bigint;
  attempt satisfies number;
  fence satisfies bigint;
  signal satisfies AbortSignal;
  if (event.type === 'Deposited') event.data.amount satisfies number;
  // @ts-expect-error which event it is was not asked.
  event.data.owner;
  // @ts-expect-error no event of this aggregate.
  if (event.type === 'Closed') return;
});
store.subscribe({ name: 'all' }, (event) => {
  event.type satisfies string;
  // @ts-expect-error of all streams nothing is known.
  event.data.amount;
});
// @ts-expect-error a subscription has a name.
store.subscribe({ streams: Account }, () => {});
// @ts-expect-error no such decision.
store.subscribe({ name: 'x', onError: 'ignore' }, () => {});

const Balances = defineProjection({
  name: 'balances',
  from: Account,
  into: Balance,
  id: (event) => event.stream.id,
  initial: () => ({ total: 1 }),
  apply(balance, event) {
    if (event.type === 'Deposited') balance.total += event.data.amount;
    // @ts-expect-error no field of the view.
    balance.owner;
    // @ts-expect-error what it has seen is the projection's.
    balance.projected;
  },
});
defineProjection({
  name: 'plain',
  from: Account,
  // @ts-expect-error a view has the field projected.
  into: Plain,
  id: (event) => event.stream.id,
  apply: () => {},
});
defineProjection({
  name: 'balances',
  from: Account,
  into: Balance,
  // @ts-expect-error the id of a view is a text.
  id: () => 7,
  apply: () => {},
});

store.project(Balances).caughtUp() satisfies Promise<void>;
store.rebuild(Balances, {
  onProgress({ done, total }) {
    done satisfies bigint;
    total satisfies bigint;
  },
});

export async function viewing(): Promise<void> {
  const views = store.view(Balances);
  const balance = await views.getOrThrow('a');
  balance.total satisfies number;
  // @ts-expect-error no field of the view.
  balance.owner;
  // @ts-expect-error views are read, not written.
  views.mutate('a', () => {});
  // @ts-expect-error the id of a view is a text.
  views.get(7);
}
