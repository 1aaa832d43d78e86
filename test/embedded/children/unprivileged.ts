import { NorimakiError } from '../../../src/core/errors.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { tell } from './talk.ts';

// Opens a folder as a user who may not.

const [, , path = ''] = process.argv;
const opener = embedded({ path });
await import('lmdb');
if (process.getuid?.() === 0) process.setuid?.(65_534);
try {
  await opener.openStore(systemEnvironment);
  tell({ code: 'opened' });
} catch (error) {
  tell({ code: error instanceof NorimakiError ? error.code : String(error) });
}
