import type { NorimakiError } from '../../../src/core/errors.ts';
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
for (let words = await hear(); words !== 'end'; words = await hear()) {
  const [verb = '', key = '', value = ''] = words.split(' ');
  tell(await answer(verb, key, value).catch((error: NorimakiError) => ({ code: error.code })));
}
async function answer(verb: string, key: string, value: string): Promise<object> {
  if (verb === 'put') return { version: await store.put(encode(key), encode(value)) };
  if (verb === 'delete') return { existed: await store.delete(encode(key)) };
  if (verb === 'get') return { value: new TextDecoder().decode((await store.get(encode(key)))?.value) };
  for (let i = 0; i < Number(value); i++) await store.put(encode(`${key}${i}`), new Uint8Array(100_000));
  return { filled: true };
}

await store.close();
tell({ closed: true });
process.exit();
