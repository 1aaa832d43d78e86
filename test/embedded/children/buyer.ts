import { systemEnvironment } from '../../../src/core/system.ts';
import { NorimakiError, open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { faultStore } from '../../../src/testing/index.ts';
import { startStock } from '../../patterns/support/inventory-shop.ts';
import { hear, tell } from './talk.ts';

// buyer <path> <number> <buyers>: so many buyers on a folder whose answers are lost now and then, once it is told to; each buys
// alone or a cart, and every tenth cancels. Reports what was sold, by order.

const [path = '', number = '0', buyers = '0'] = process.argv.slice(2);
const store = await embedded({ path, durability: 'committed' }).openStore(systemEnvironment);
const faulty = faultStore(store, { ...systemEnvironment, faults: { errorAfter: 0.05 } });
const db = await open(faulty);
const inventory = startStock(db);
tell({ ready: true });
await hear();
/** As a caller should: what is not certain is asked again. */
async function surely<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (
        !NorimakiError.is(error, 'outcome.unknown') &&
        !NorimakiError.match(error, 'store.') &&
        !NorimakiError.match(error, 'conflict.')
      )
        throw error;
    }
  }
}
let sold = 0;
let cancelled = 0;
let refused = 0;
await Promise.all(
  Array.from({ length: Number(buyers) }, async (_, i) => {
    const lines = [{ sku: 'hot', quantity: 1 }];
    if (i % 3 === 0) lines.push({ sku: 'other', quantity: 1 });
    const idempotencyKey = `${number}/${i}`;
    const tried = await surely(() => inventory.tryReserve(lines, { idempotencyKey }));
    if (!tried.ok) {
      refused++;
    } else if (i % 10 === 5) {
      await surely(() => inventory.release(tried.hold.id));
      cancelled++;
    } else {
      await surely(() => inventory.commit(tried.hold.id));
      sold++;
    }
  }),
);
await db.close();
tell({ sold, cancelled, refused });
