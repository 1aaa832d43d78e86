import { systemEnvironment } from '../../../src/core/system.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { seededRandom } from '../../../src/testing/seeded-random.ts';

// What the writers of `crash-writer.ts` share.

const [, , path = '', givenRound = '0', seed = '0'] = process.argv;

export const round = givenRound;
export const random = seededRandom(Number(seed));
export const store = await embedded({ path }).openStore(systemEnvironment);
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
