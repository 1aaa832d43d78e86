import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { vectorOf } from '../support/vectors.ts';
import { hear, tell } from './talk.ts';

// One of several processes on a folder: inserts, deletes and searches as its parent says.

const [, , path = '', namespace = '', dimensions = '0'] = process.argv;
const store = await embedded({ path }).openStore(systemEnvironment);
const vector = (id: string): Float32Array => vectorOf(id, Number(dimensions));
tell({ ready: true });
for (let words = await hear(); words !== 'end'; words = await hear()) {
  const [verb = '', ...ids] = words.split(' ');
  if (verb === 'insert') for (const id of ids) await store.vectors.insert(namespace, id, vector(id));
  if (verb === 'delete') for (const id of ids) await store.vectors.delete(namespace, id);
  const found: (string | undefined)[] = [];
  if (verb === 'search') {
    const hits = await Promise.all(ids.map((id) => store.vectors.search(namespace, vector(id), 1)));
    found.push(...hits.map(([hit]) => (hit !== undefined && hit.distance < 1e-6 ? hit.id : undefined)));
  }
  tell({ verb, found });
}
await store.close();
tell({ closed: true });
process.exit();
