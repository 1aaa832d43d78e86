import { systemEnvironment } from '../../../src/core/system.ts';
import { open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { SavedNote, savedEmbedder } from '../../embeddings/support/saved.ts';
import { tell } from './talk.ts';
import { writeTexts } from './write-texts.ts';

// Saves and edits notes and longer texts until the process is killed, and tells of every acknowledged save; vectors are made
// meanwhile.

const [, , path = '', round = '0', state = 'up', seed = '0'] = process.argv;
const store = await embedded({ path }).openStore(systemEnvironment);
const embedder = savedEmbedder(state === 'down' ? 'down' : 'up');
const db = await open(store, { embedder });
tell({ ready: true });
await Promise.all([saveNotes(), writeTexts(store, embedder, { round, isDown: state === 'down', seed: Number(seed) })]);

async function saveNotes(): Promise<void> {
  const notes = db.repo(SavedNote);
  for (let n = 0; ; n++) {
    // Every fifth is edited by the next round, so an edit may meet an entry of a process that is gone.
    const id = n % 5 === 0 ? `shared ${n}` : `${round} ${n}`;
    const text = `${round} ${n}`;
    await notes.put({ id, text });
    tell({ id, text });
  }
}
