import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Uses a store and comes to its end; nothing may keep the process alive.

const [, , path = '', manner = ''] = process.argv;
const store = await embedded({ path, sweep: { every: '10ms' } }).openStore(systemEnvironment);
const key = new TextEncoder().encode('a');
await store.put(key, key, { expiresAt: 1 });
await store.get(key);
if (manner === 'closing') {
  await store.compact();
  await store.close();
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): object[] };
  tell({ handles: handles.call(process).map((handle) => handle.constructor.name) });
}
