import { NorimakiError } from '../../../src/core/errors.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Watches a folder and tells its parent of every change, until it is killed or the watch is lost.

const [, , path = ''] = process.argv;
const store = await embedded({ path }).openStore(systemEnvironment);
const watch = await store.watch({ start: new Uint8Array(), end: Uint8Array.of(255) });
tell({ ready: true });
try {
  for await (const changes of watch) {
    for (const change of changes) {
      const key = Buffer.from(change.key).toString();
      tell(change.type === 'put' ? { key, version: change.version } : { key });
    }
  }
} catch (error) {
  tell({ error: error instanceof NorimakiError ? error.code : String(error) });
}
await store.close();
