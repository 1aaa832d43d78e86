import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { hear, tell } from './talk.ts';

// A second process on a folder: does what its parent says.

const [, , path = '', durability = 'flushed'] = process.argv;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const store = await embedded({
  path,
  durability: durability === 'flushed' ? 'flushed' : 'committed',
}).openStore(systemEnvironment);
tell({ ready: true });
for (;;) {
  const [verb, key = '', value = ''] = (await hear()).split(' ');
  if (verb === 'put') tell({ version: await store.put(encode(key), encode(value)) });
  else if (verb === 'get') tell({ value: new TextDecoder().decode((await store.get(encode(key)))?.value) });
  else if (verb === 'fill') {
    for (let i = 0; i < Number(value); i++) await store.put(encode(`${key}${i}`), new Uint8Array(100_000));
    tell({ filled: true });
  } else break;
}
await store.close();
tell({ closed: true });
process.exit();
