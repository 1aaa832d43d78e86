import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Opens a folder and closes it again, so many milliseconds long.

const [, , path = '', time = '0'] = process.argv;
const { clock } = systemEnvironment;
const end = clock.mono() + Number(time);
let opened = 0;
for (; clock.mono() < end; opened++) {
  const store = await embedded({ path, durability: 'committed' }).openStore(systemEnvironment);
  await store.close();
}
tell({ opened });
