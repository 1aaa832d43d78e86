import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requireBuild } from '../docs/build.ts';
import { call, run, start } from './support/command.ts';
import { configText, folder, plantCorruption, plantOrphans, seed, seedDeferred, waiting } from './support/world.ts';

beforeAll(requireBuild);

const config = { 'norimaki.config.mjs': configText() };

test('nothing is wrong: says so, and exits with 0', async () => {
  const cwd = folder(config);
  await seed(cwd, 20);
  const { exitCode, stdout, stderr } = await run(['doctor'], { cwd });
  expect(stdout).toBe('Looked at 20 records, 20 vectors, 20 unique values, 20 index entries.\nNothing is wrong.\n');
  expect(stderr).toContain('  film  100%  80 of 80  vectors, 0 found\n');
  expect(exitCode).toBe(0);
});

test('damage is found, left alone, and mended with --fix', async () => {
  const cwd = folder(config);
  await seed(cwd, 20);
  await plantOrphans(cwd);
  for (let time = 1; time <= 2; time++) {
    const { exitCode, stdout } = await run(['doctor'], { cwd });
    expect(exitCode).toBe(1);
    expect(stdout).toContain("  unique.orphan  film  'f1'  title\n");
    expect(stdout).toContain("  index.orphan   film  'f1'  year\n");
    expect(stdout).toContain("  vector.orphan  film  'f1'  titleVector\n");
    expect(stdout).toContain('3 findings. Mend what can be mended with --fix.\n');
  }
  const fixed = await call(['doctor', '--fix'], { cwd });
  expect(fixed.exitCode).toBe(0);
  expect(fixed.stdout).toContain("  vector.orphan  film  'f1'  titleVector  mended\n");
  expect(fixed.stdout).toContain('3 findings, all mended.\n');
  expect((await call(['doctor'], { cwd })).stdout).toContain('Nothing is wrong.');
});

test('what cannot be mended is left, and the exit code is 1', async () => {
  const cwd = folder(config);
  await seed(cwd, 20);
  await plantOrphans(cwd);
  await plantCorruption(cwd);
  const { exitCode, stdout } = await call(['doctor', '--fix'], { cwd });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/ {2}record\.corrupt {2}film {2}'f2'/);
  expect(stdout).toMatch(/^\d findings, 3 mended\. The rest is for you to mend\.$/m);
});

test('--json prints the report, and nothing else, to stdout', async () => {
  const cwd = folder(config);
  await seed(cwd, 5);
  await plantOrphans(cwd);
  const { exitCode, stdout } = await call(['doctor', '--json'], { cwd });
  expect(exitCode).toBe(1);
  const report = JSON.parse(stdout);
  expect(report.checked).toEqual({ records: 4, vectors: 5, claims: 5, entries: 5 });
  expect(report.isHealthy).toBe(false);
  expect(report.findings).toContainEqual({
    kind: 'index.orphan',
    entity: 'film',
    id: ['f1'],
    fields: ['year'],
    fixed: false,
  });
});

test('a tenant is looked at alone', async () => {
  const cwd = folder(config);
  await seed(cwd, 3);
  await seed(cwd, 5, 'acme');
  await plantOrphans(cwd, 'acme');
  expect((await call(['doctor'], { cwd })).stdout).toContain('Looked at 3 records');
  const { exitCode, stdout } = await call(['doctor', '--tenant', 'acme'], { cwd });
  expect(stdout).toContain('Looked at 4 records');
  expect(exitCode).toBe(1);
});

test('an empty store is suspicious, and healthy', async () => {
  const { exitCode, stdout } = await call(['doctor'], { cwd: folder(config) });
  expect(stdout).toContain('There is nothing: does the config open the right store?');
  expect(exitCode).toBe(0);
});

test('the paths of a config are relative to it, wherever the command is called from', async () => {
  const cwd = folder(config);
  await seed(cwd, 7);
  const file = join(basename(cwd), 'norimaki.config.mjs');
  const { stdout } = await run(['doctor', '--config', file, '--entity', 'film'], { cwd: dirname(cwd) });
  expect(stdout).toContain('Looked at 7 records');
});

test('without --fix nothing is written, not even the vectors that wait in an outbox', async () => {
  const deferred = configText().replace("from: 'title'", "from: 'title', mode: 'deferred'");
  const cwd = folder({ 'norimaki.config.mjs': deferred });
  await seedDeferred(cwd, 50);
  const { stdout } = await call(['doctor'], { cwd });
  expect(stdout).toContain('Looked at 50 records, 0 vectors');
  expect(await waiting(cwd)).toBe(50);
});

// Records from before the embedding was added lack their vectors: mending takes as long as the embedder.
const SLOW = configText('embedder: slow(hashingEmbedder({ dimensions: 16 }), 100)')
  .replaceAll('titleVector', 'byTitle')
  .replace("unique: ['title'], index: ['year'], ", '');

test('Ctrl-C stops it at a good place; called again, it mends the rest', async () => {
  const cwd = folder({ 'norimaki.config.mjs': SLOW, 'quick.config.mjs': SLOW.replace(', 100)', ', 0)') });
  await seed(cwd, 800);
  const { process, says, ended } = start(['doctor', '--fix'], { cwd });
  await says('  film   25%');
  process.kill('SIGINT');
  const { exitCode, stdout, stderr } = await ended;
  expect(stderr).toContain('Stopped. What was mended stays mended; call it again to look at everything.\n');
  expect(stderr).not.toContain('aborted');
  expect(stdout).toBe('');
  expect(exitCode).toBe(130);
  const again = await call(['doctor', '--fix', '--config', 'quick.config.mjs', '--json'], { cwd });
  expect(again.exitCode).toBe(0);
  const { found } = JSON.parse(again.stdout);
  expect(found['vector.missing']).toBeGreaterThan(0);
  expect(found['vector.missing']).toBeLessThan(800);
});
