import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NorimakiError, open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { fakeEmbedder } from '../../../src/testing/index.ts';
import { disagreements } from '../../embeddings/support/oracle.ts';
import { Doc, type Docs } from '../../embeddings/support/world.ts';
import { tell } from './talk.ts';

// Saves and edits what is embedded until the disk is full, and reports what record and vector make of it.

const [, , disk = ''] = process.argv;
const [path, ballast] = [join(disk, 'data'), join(disk, 'ballast')];
/** Saves that disagreements() can look at with one search. */
const MOST = 95;

const embedder = fakeEmbedder({ dimensions: 4096 });
const reopen = async () => {
  const db = await open(embedded({ path }), { embedder });
  // The class is written in TypeScript's decorators, whose types the repository needs said.
  return { db, docs: db.repo(Doc) as unknown as Docs };
};
/** What each document was acknowledged to be. */
const texts = new Map<string, string>();
const refused = new Set<string>();
const codes = new Set<string>();

async function save(id: string, text: string): Promise<void> {
  try {
    await docs.put({ id, text });
    texts.set(id, text);
    refused.delete(id);
  } catch (error) {
    refused.add(id);
    codes.add(error instanceof NorimakiError ? error.code : String(error));
  }
}

async function wrong(): Promise<string[]> {
  const ids = [...new Set([...texts.keys(), ...refused])];
  const found = await docs.getMany(ids);
  const lost = ids.filter((id, i) => found[i]?.text !== texts.get(id));
  const { isHealthy, found: findings } = await db.doctor();
  return [...lost, ...(await disagreements(docs, embedder, ids)), ...(isHealthy ? [] : [JSON.stringify(findings)])];
}

let { db, docs } = await reopen();
await save('first', 'before the disk is full');
const { bavail, bsize } = await statfs(disk);
await writeFile(ballast, new Uint8Array(bavail * bsize - 1_200_000));
for (let i = 0; refused.size < 10 && texts.size < MOST; i += 5) {
  await Promise.all([0, 1, 2, 3, 4].map((j) => save(`doc-${i + j}`, `text of ${i + j}`)));
  await save('first', `edit ${i}`);
}
tell({ codes: [...codes], saved: texts.size, refused: refused.size, wrong: await wrong() });

await db.close();
({ db, docs } = await reopen());
tell({ reopenedWhileFull: true, wrong: await wrong() });

await rm(ballast);
for (const id of [...refused]) await save(id, `${id} once there is space`);
tell({ refused: refused.size, wrong: await wrong() });
await db.close();
