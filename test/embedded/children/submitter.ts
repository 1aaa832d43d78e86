import { systemEnvironment } from '../../../src/core/system.ts';
import { NorimakiError, open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { faultStore } from '../../../src/testing/index.ts';
import { letterText, startDesk, TOPICS } from '../../patterns/support/dedup-desk.ts';
import { hear, tell } from './talk.ts';

// submitter <path> <number> <letters>: submits so many letters to a folder whose answers are lost now and then, once it is told to;
// every process has the same texts. Tells each verdict.

const [path = '', number = '0', letters = '0'] = process.argv.slice(2);
const store = await embedded({ path, durability: 'committed' }).openStore(systemEnvironment);
const db = await open(faultStore(store, { ...systemEnvironment, faults: { errorAfter: 0.03 } }));
const desk = startDesk(db);
tell({ ready: true });
await hear();
for (let i = 0; i < Number(letters); i++) {
  const topic = i % TOPICS;
  const variant = Math.floor(i / TOPICS) % 2;
  const input = { id: `${number}/${i}`, text: letterText(topic, variant) };
  for (;;) {
    try {
      const { kind, ...verdict } = await desk.submit(input);
      tell({ id: input.id, topic, variant, kind, of: 'of' in verdict ? verdict.of : undefined });
      break;
    } catch (error) {
      // As a caller should: what is not certain is asked again.
      const isDoubtful = NorimakiError.is(error, 'outcome.unknown') || NorimakiError.match(error, 'store.');
      if (!isDoubtful && !NorimakiError.match(error, 'conflict.')) throw error;
    }
  }
}
await db.close();
tell({ done: true });
