import { beforeAll, expect, test } from 'vitest';
import { requireBuild } from '../docs/build.ts';
import { call, run, start } from './support/command.ts';
import { configText, folder, NEW, OLD, seed } from './support/world.ts';

beforeAll(requireBuild);

const moving = (embedder: string): string =>
  configText(
    `embedder: ${embedder}, embedders: [old]`,
    `
const old = hashingEmbedder({ dimensions: 16 });
`,
  );
const config = { 'norimaki.config.mjs': moving('hashingEmbedder({ dimensions: 32 })') };

test('moves, goes back, moves again, and drops', async () => {
  const cwd = folder(config);
  await seed(cwd, 20);
  const moved = await run(['reindex', 'film'], { cwd });
  expect(moved.stdout).toBe(`film.titleVector is searched by ${NEW.id}: 20 records, 20 embedded now.
The new index finds 100.0 % of the nearest.
The vectors of ${OLD.id} are kept: drop them with --finish, or go back to them with --rollback.
`);
  expect(moved.stderr).toContain('  fill  100%  20 of 20  20 embedded\n');
  expect(moved.stderr).toContain('  recall  100%');
  expect(moved.exitCode).toBe(0);

  const back = await call(['reindex', 'film', '--field', 'titleVector', '--rollback'], { cwd });
  expect(back).toMatchObject({ exitCode: 0, stdout: 'Rolled back to the vectors from before.\n' });

  const options = ['--embedder', NEW.id, '--no-recall', '--concurrency', '8', '--max-failed', '1', '--json'];
  const again = await call(['reindex', 'film', ...options], { cwd });
  expect(JSON.parse(again.stdout)).toMatchObject({ embedder: NEW.id, previous: OLD.id, records: 20, embedded: 20 });

  const finish = await call(['reindex', 'film', '--finish'], { cwd });
  expect(finish).toMatchObject({ exitCode: 0, stdout: 'The vectors from before are dropped.\n' });
  const twice = await call(['reindex', 'film', '--finish', '--json'], { cwd });
  expect(twice).toMatchObject({ exitCode: 0, stdout: '{"finished":false}\n' });
  expect((await call(['doctor'], { cwd })).stdout).toContain('Nothing is wrong.');
});

test('metric and recall are passed on', async () => {
  const cwd = folder(config);
  await seed(cwd, 20);
  const options = ['--metric', 'euclidean', '--index', 'exact', '--recall', '1', '--sample', '3', '--json'];
  const { stdout, stderr } = await call(['reindex', 'film', '--embedder', OLD.id, ...options], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ embedder: OLD.id, previous: OLD.id, recall: 1, embedded: 20 });
  expect(stderr).not.toContain('2,');
});

test('a tenant is moved alone', async () => {
  const cwd = folder(config);
  await seed(cwd, 3);
  await seed(cwd, 5, 'acme');
  const { stdout } = await call(['reindex', 'film', '--tenant', 'acme', '--json'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ records: 5, embedded: 5 });
});

test('what the embedder refuses fails it with its sentence, and --max-failed allows it', async () => {
  const refusing = `{ ...slow(hashingEmbedder({ dimensions: 32 }), 0), embed: async (texts) => texts.map((text) =>
    text.endsWith(' 7') ? new NorimakiError('embedder.rejected', 'No.', { embedder: 'picky' }) : new Array(32).fill(1)) }`;
  const cwd = folder({ 'norimaki.config.mjs': `import { NorimakiError } from 'norimaki';${moving(refusing)}` });
  await seed(cwd, 20);
  const { exitCode, stdout, stderr } = await run(['reindex', 'film'], { cwd });
  expect(exitCode).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/1 records of film cannot be given a vector .* \(reindex\.incomplete\)\n$/);
  expect(stderr).not.toContain(' at ');
  expect((await call(['reindex', 'film', '--verbose'], { cwd })).stderr).toMatch(/\n +at /);
  const allowed = await call(['reindex', 'film', '--max-failed', '1'], { cwd });
  expect(allowed.stdout).toContain("1 record cannot be embedded:\n  'f7'  embedder.rejected\n");
  expect(allowed.exitCode).toBe(0);
});

test('Ctrl-C stops it at a good place; called again, it goes on where it was', async () => {
  const slow = moving('slow(hashingEmbedder({ dimensions: 32 }), 20)');
  const cwd = folder({ 'norimaki.config.mjs': slow });
  await seed(cwd, 400);
  const { process, says, ended } = start(['reindex', 'film', '--concurrency', '8'], { cwd });
  await says('  fill   25%');
  process.kill('SIGINT');
  const { exitCode, stdout, stderr } = await ended;
  expect(stderr).toContain('Stopping. Once more ends it at once.\n');
  expect(stderr).toContain('Stopped. Searches are answered as before; call it again, and it goes on where it was.\n');
  expect(stdout).toBe('');
  expect(exitCode).toBe(130);
  const again = JSON.parse((await run(['reindex', 'film', '--json'], { cwd })).stdout);
  expect(again).toMatchObject({ embedder: NEW.id, records: 400 });
  expect(again.embedded).toBeGreaterThan(0);
  expect(again.embedded).toBeLessThanOrEqual(300);
});

/** Asks an embedder that never answers, and needs so many milliseconds to close its store. */
const stuck = (ms: number): string =>
  moving(`{
    id: 'stuck', dimensions: 32, embed() { console.error('asked'); return setTimeout(3_600_000); },
  }`).replace(
    "embedded({ path: './data' })",
    `{
      async openStore(environment) {
        const store = await embedded({ path: './data' }).openStore(environment);
        const close = store.close.bind(store);
        store.close = () => setTimeout(${ms}).then(close);
        return store;
      },
    }`,
  );

test('Ctrl-C that comes twice at once, as npx sends it, is one', async () => {
  const cwd = folder({ 'norimaki.config.mjs': stuck(400) });
  await seed(cwd, 5);
  const { process, says, ended } = start(['reindex', 'film'], { cwd });
  await says('asked');
  process.kill('SIGINT');
  await says('Stopping.');
  process.kill('SIGINT');
  const { exitCode, stderr } = await ended;
  expect(stderr).toContain('Stopped.');
  expect(exitCode).toBe(130);
});

test('a second Ctrl-C ends it, whatever it waits for', async () => {
  const cwd = folder({ 'norimaki.config.mjs': stuck(3_600_000) });
  await seed(cwd, 5);
  const { process, says, ended } = start(['reindex', 'film'], { cwd });
  await says('asked');
  process.kill('SIGINT');
  await says('Stopping.');
  // What comes at once is taken for an echo; a person takes longer.
  const again = setInterval(() => process.kill('SIGINT'), 100);
  const { exitCode, stderr } = await ended;
  clearInterval(again);
  expect(stderr).not.toContain('Stopped.');
  expect(exitCode).toBe(130);
});

test('SIGTERM stops it as well', async () => {
  const cwd = folder({ 'norimaki.config.mjs': moving('slow(hashingEmbedder({ dimensions: 32 }), 20)') });
  await seed(cwd, 400);
  const { process, says, ended } = start(['reindex', 'film', '--concurrency', '8'], { cwd });
  await says('  fill   25%');
  process.kill('SIGTERM');
  const { exitCode, stderr } = await ended;
  expect(stderr).toContain('Stopped.');
  expect(exitCode).toBe(143);
});
