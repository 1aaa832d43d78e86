import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NorimakiError } from '../../../src/core/errors.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Fills the disk that the folder lies on, and reports what the store makes of it.

const [, , disk = ''] = process.argv;
const path = join(disk, 'data');
const ballast = join(disk, 'ballast');
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const opener = embedded({ path });

await writeFile(ballast, new Uint8Array(2_000_000));
let store = await opener.openStore(systemEnvironment);
const acknowledged = new Map<string, string>();
const refused = new Set<string>();
const codes = new Set<string>();

async function write(name: string): Promise<void> {
  try {
    acknowledged.set(name, await store.put(encode(name), new Uint8Array(20_000).fill(name.length)));
  } catch (error) {
    refused.add(name);
    codes.add(error instanceof NorimakiError ? error.code : String(error));
  }
}

async function missing(): Promise<string[]> {
  const lost: string[] = [];
  for (const [name, version] of acknowledged) {
    if ((await store.get(encode(name)))?.version !== version) lost.push(name);
  }
  for (const name of refused) if ((await store.get(encode(name))) !== undefined) lost.push(`${name} appeared`);
  return lost;
}

for (let i = 0; refused.size < 30; i += 10) {
  await Promise.all(Array.from({ length: 10 }, (_, j) => write(`key-${i + j}`)));
}
tell({ codes: [...codes], acknowledged: acknowledged.size, lost: await missing() });

const compacting = await store.compact().then(
  () => 'done',
  (error: unknown) => (error instanceof NorimakiError ? error.code : String(error)),
);
const backingUp = await store.backup(join(disk, 'copy')).then(
  () => 'done',
  (error: unknown) => (error instanceof NorimakiError ? error.code : String(error)),
);
tell({ compacting, backingUp, lost: await missing() });

await store.close();
store = await opener.openStore(systemEnvironment);
tell({ reopenedWhileFull: true, lost: await missing() });

await rm(ballast);
const before = refused.size;
await Promise.all([1, 2, 3].map((i) => write(`after-${i}`)));
tell({ refusedAfterwards: refused.size - before, lost: await missing() });

await store.close();
store = await opener.openStore(systemEnvironment);
tell({ lost: await missing() });
await store.close();
