import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Compacts a folder over and over, with a write between.

const [, , path = ''] = process.argv;
const store = await embedded({ path, sweep: false }).openStore(systemEnvironment);
tell({ ready: true });
for (let n = 0; ; n++) {
  await store.compact();
  const version = await store.put(new TextEncoder().encode('last'), new TextEncoder().encode(String(n)));
  tell({ n, version });
}
