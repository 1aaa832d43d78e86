import { open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { SavedNote, textEmbedder } from '../../embeddings/support/saved-note.ts';
import { tell } from './talk.ts';

// Saves and edits notes until the process is killed, and tells of every acknowledged save; their vectors are made meanwhile.

const [, , path = '', round = '0', state = 'up'] = process.argv;
const db = await open(embedded({ path }), { embedder: textEmbedder(state === 'down' ? 'down' : 'up') });
const notes = db.repo(SavedNote);
tell({ ready: true });
for (let n = 0; ; n++) {
  // Every fifth is edited by the next round, so an edit may meet an entry of a process that is gone.
  const id = n % 5 === 0 ? `shared ${n}` : `${round} ${n}`;
  const text = `${round} ${n}`;
  await notes.put({ id, text });
  tell({ id, text });
}
