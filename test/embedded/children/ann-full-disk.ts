import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NorimakiError } from '../../../src/core/errors.ts';
import { type AnnSnapshot, startAnn } from '../../../src/stores/embedded/ann/index.ts';
import { tell } from './talk.ts';

// Saves a graph where the disk has room for all of it but its end.

const [, , disk = '', graph = '', saved = ''] = process.argv;
const PAGE = 4096;
// What the test passed on.
const snapshot = JSON.parse(saved) as AnnSnapshot;
const { dimensions, metric } = snapshot;
const path = join(disk, 'saved');
const ballast = join(disk, 'ballast');

const thread = startAnn();
const space = await thread.space({ dimensions, metric, type: 'hnsw' });
await space.load(graph, snapshot);
await space.save(path);

const pages = Math.ceil(snapshot.bytes / PAGE);
const codes: string[] = [];
for (const missing of [1, 2, 100]) {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(ballast, new Uint8Array(bavail * bsize - (pages - missing) * PAGE));
  codes.push(
    await space.save(path).then(
      () => 'saved',
      (error: unknown) => (error instanceof NorimakiError ? error.code : String(error)),
    ),
  );
  await rm(ballast);
}
const [loaded, files] = [await space.load(path, snapshot), (await readdir(disk)).sort()];
await space.save(path);
tell({ codes, loaded, files });
await thread.close();
