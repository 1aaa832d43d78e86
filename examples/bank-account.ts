// A bank account that is made of what happened to it. Nothing is overwritten, so every balance of the past can be told.
import { open } from 'norimaki';
import { defineAggregate, EventStore, given } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

type Command =
  | { type: 'Open'; owner: string }
  | { type: 'Deposit'; amount: number }
  | { type: 'Withdraw'; amount: number };

const Account = defineAggregate({
  name: 'account',
  events: {
    Opened: z.object({ owner: z.string() }),
    Deposited: z.object({ amount: z.number().positive() }),
    Withdrawn: z.object({ amount: z.number().positive() }),
  },
  initial: () => ({ owner: undefined as string | undefined, balance: 0 }),
  // What an event means. It never refuses: it has happened.
  evolve: (account, event) => {
    switch (event.type) {
      case 'Opened':
        return { ...account, owner: event.data.owner };
      case 'Deposited':
        return { ...account, balance: account.balance + event.data.amount };
      case 'Withdrawn':
        return { ...account, balance: account.balance - event.data.amount };
    }
  },
  // What a command leads to: the rules of the house are here.
  decide: (command: Command, account) => {
    if (command.type === 'Open') {
      if (account.owner !== undefined) throw new Error('It is open already.');
      return { type: 'Opened', data: { owner: command.owner } };
    }
    if (account.owner === undefined) throw new Error('There is no such account.');
    const { amount } = command;
    if (command.type === 'Deposit') return { type: 'Deposited', data: { amount } };
    if (account.balance < amount) throw new Error(`Only ${account.balance} are there.`);
    return { type: 'Withdrawn', data: { amount } };
  },
});

// The rules are tested without a store: they are functions.
const opened = Account.event('Opened', { owner: 'Kim' });
given(Account, [opened, Account.event('Deposited', { amount: 50 })])
  .when({ type: 'Withdraw', amount: 20 })
  .then([Account.event('Withdrawn', { amount: 20 })]);
given(Account, [opened])
  .when({ type: 'Withdraw', amount: 20 })
  .thenThrows(/Only 0 are there/);
console.log('the rules hold');

await using db = await open(memory());
const store = new EventStore(db, { name: 'bank', aggregates: [Account] });

await store.handle(Account, 'NL-1', { type: 'Open', owner: 'Kim' });
await store.handle(Account, 'NL-1', { type: 'Deposit', amount: 100 });
// Two withdrawals at once, for which there is not enough: one of them is decided anew, and refused.
const withdrawals = await Promise.allSettled(
  [80, 80].map((amount) => store.handle(Account, 'NL-1', { type: 'Withdraw', amount })),
);
for (const one of withdrawals) console.log(one.status === 'fulfilled' ? 'withdrawn' : one.reason.message);

// A client that did not hear the answer asks again with its key: it counts once.
for (let attempt = 1; attempt <= 2; attempt++) {
  const deposit = { type: 'Deposit', amount: 5 } as const;
  const { outcome } = await store.handle(Account, 'NL-1', deposit, { idempotencyKey: 'transfer 4711' });
  console.log(`attempt ${attempt}: ${outcome}`);
}

const now = await store.load(Account, 'NL-1');
const before = await store.load(Account, 'NL-1', { at: 2n });
console.log(
  `balance: ${now.state.balance} at version ${now.version}, ${before.state.balance} at version ${before.version}`,
);
for await (const { version, type, data } of store.read(Account.stream('NL-1'))) {
  console.log(`  ${version} ${type} ${JSON.stringify(data)}`);
}
