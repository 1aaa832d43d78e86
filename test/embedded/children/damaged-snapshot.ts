import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { vectorOf } from '../support/vectors.ts';
import { tell } from './talk.ts';

// Opens a folder whose snapshot is damaged and searches for vectors by themselves; ends in order or not at all.

const [, , path = '', namespace = '', dimensions = '0', ...ids] = process.argv;
const store = await embedded({ path }).openStore(systemEnvironment);
const lost: string[] = [];
for (const id of ids) {
  const [hit] = await store.vectors.search(namespace, vectorOf(id, Number(dimensions)), 1);
  if (hit?.id !== id) lost.push(id);
}
tell({ lost });
await store.close();
