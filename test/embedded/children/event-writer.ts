import { open } from '../../../src/index.ts';
import { EventStore } from '../../../src/patterns/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { Account } from '../../patterns/support/event-stores.ts';
import { hear, tell } from './talk.ts';

// event-writer <path> <name> <appends>: appends to one stream, and deposits on one account, and tells what was acknowledged.

const [path = '', name = '', appends = '0'] = process.argv.slice(2);
const db = await open(embedded({ path, durability: 'committed' }));
const events = new EventStore(db, { name: 'bank', aggregates: [Account], snapshotEvery: 50 });
tell({ ready: true });
await hear();
for (let i = 0; i < Number(appends); i++) {
  const text = `${name}/${i}`;
  const { version } = await events.append({ category: 'log', id: 'one' }, [{ type: 'Noted', data: text }], {
    expected: 'any',
    idempotencyKey: text,
  });
  tell({ appended: text, version: String(version) });
  if (i % 8 === 0) {
    await events.handle(Account, 'joint', { type: 'Deposit', amount: 1 }, { idempotencyKey: text });
    tell({ deposited: text });
  }
}
await db.close();
