import { NorimakiError } from '../../../src/core/errors.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Adds 1 to a number so many times, by compare-and-set, and reports the versions of its writes.

const [, , path = '', times = '0', durability = 'flushed'] = process.argv;
const key = new TextEncoder().encode('number');
const store = await embedded({ path, durability: durability === 'flushed' ? 'flushed' : 'committed' }).openStore(
  systemEnvironment,
);
const versions: string[] = [];
for (let done = 0; done < Number(times); ) {
  const record = await store.get(key);
  const next = Buffer.alloc(4);
  next.writeUInt32BE((record === undefined ? 0 : Buffer.from(record.value).readUInt32BE()) + 1);
  try {
    versions.push(await store.put(key, next, record === undefined ? { ifAbsent: true } : { ifMatch: record.version }));
    done += 1;
  } catch (error) {
    if (!NorimakiError.is(error, 'version.mismatch') && !NorimakiError.is(error, 'already.exists')) throw error;
  }
}
await store.close();
tell({ versions });
