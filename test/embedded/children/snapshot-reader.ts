import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { vectorOf } from '../support/vectors.ts';
import { tell } from './talk.ts';

// Opens a folder whose snapshot may be damaged and searches; ends in order or not at all.

const [, , path = '', dimensions = '0', id = ''] = process.argv;
const store = await embedded({ path }).openStore(systemEnvironment);
const found = await store.vectors.search('large', vectorOf(id, Number(dimensions)), 3);
tell({ found: found.map((hit) => hit.id) });
await store.close();
