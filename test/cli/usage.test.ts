import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { requireBuild } from '../docs/build.ts';
import { ROOT } from '../docs/markdown.ts';
import { call, run } from './support/command.ts';
import { configText, folder, OLD } from './support/world.ts';

beforeAll(requireBuild);

const MJS = 'norimaki.config.mjs';
const good = { [MJS]: configText() };

const mistakes: Record<string, { files?: Record<string, string>; words: string[]; says: RegExp }> = {
  'no command': { words: [], says: /^Usage: norimaki/ },
  'an unknown command': { words: ['docter'], says: /unknown command 'docter'[\s\S]*Did you mean doctor\?/ },
  'an unknown option': {
    words: ['doctor', '--mend'],
    says: /unknown option '--mend'[\s\S]*norimaki doctor --help tells more/,
  },
  'a word too many': { words: ['doctor', 'film'], says: /too many arguments/ },
  'no entity to reindex': { words: ['reindex'], says: /missing required argument 'entity'/ },
  'no number': { words: ['reindex', 'film', '--sample', 'ten'], says: /It is no number/ },
  'a metric that is none': {
    words: ['reindex', 'film', '--metric', 'l1'],
    says: /Allowed choices are cosine, euclidean/,
  },
  'options that exclude each other': {
    words: ['reindex', 'film', '--finish', '--rollback'],
    says: /cannot be used with/,
  },
  'a finish that moves': { words: ['reindex', 'film', '--rollback', '--no-recall'], says: /cannot be used with/ },
  'no config': { words: ['doctor'], says: /There is no norimaki\.config\.mjs, .* export default defineConfig/ },
  'a config that is not there': { words: ['doctor', '--config', 'x.mjs'], says: /There is no file .*x\.mjs/ },
  'a config without a default': { files: { [MJS]: '' }, words: ['doctor'], says: /the default export is no config/ },
  'a config that throws': {
    files: { [MJS]: "throw new Error('The disk is asleep.');" },
    words: ['doctor'],
    says: /^norimaki\.config\.mjs cannot be loaded: The disk is asleep\.\n$/,
  },
  'a package that is not installed': {
    files: { [MJS]: "import 'not-installed';" },
    words: ['doctor'],
    says: /cannot be loaded: Cannot find package 'not-installed'/,
  },
  'a misspelt key': {
    files: { [MJS]: configText('embeder: 1') },
    words: ['doctor'],
    says: /there is no 'embeder' in a config, only store, entities, embedder, embedders, root, tenants\./,
  },
  'no store': {
    files: { [MJS]: 'export default { entities: [] };' },
    words: ['doctor'],
    says: /'store' is no store\. Give one as to open/,
  },
  'no entities': {
    files: { [MJS]: 'export default { store: { openStore() {} }, entities: [] };' },
    words: ['doctor'],
    says: /'entities' is the list of entities/,
  },
  'what is no entity': {
    files: { [MJS]: 'export default { store: { openStore() {} }, entities: [{}] };' },
    words: ['doctor'],
    says: /This is no entity: pass a class with @Entity on it.*argument\.invalid/,
  },
  'an unknown entity': {
    files: good,
    words: ['doctor', '--entity', 'film', 'flim'],
    says: /There is no entity flim in the config; it has film\./,
  },
  'an unknown entity to reindex': { files: good, words: ['reindex', 'flim'], says: /There is no entity flim/ },
  'an unknown embedding': {
    files: good,
    words: ['reindex', 'film', '--field', 'plot'],
    says: /film has no such embedding to move; it has titleVector\. \(argument/,
  },
  'an unknown embedder': {
    files: good,
    words: ['reindex', 'film', '--embedder', 'x'],
    says: new RegExp(`There is no embedder x in the config; it has ${OLD.id.replace(/[?+]/g, '\\$&')}\\.`),
  },
  'too much at once': {
    files: good,
    words: ['reindex', 'film', '--concurrency', '0'],
    says: /concurrency is a whole number from 1 to 1000\. \(argument\.invalid\)/,
  },
  'an empty tenant': { files: good, words: ['doctor', '--tenant', ''], says: /A tenant is a string/ },
};

describe('bad usage says what to do, exits with 2, and shows no stack', () => {
  test.each(Object.entries(mistakes))('%s', async (_, { files, words, says }) => {
    const { exitCode, stdout, stderr } = await call(words, { cwd: folder(files) });
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });
});

test('what fails for another reason exits with 1', async () => {
  const cwd = folder({ [MJS]: configText('embedders: []') });
  const { exitCode, stdout, stderr } = await run(['doctor'], { cwd });
  expect(stderr).toMatch(/embedder.*\([a-z.]+\)\n$/);
  expect(stdout).toBe('');
  expect(exitCode).toBe(1);
});

test('--verbose shows where a config threw', async () => {
  const cwd = folder({ [MJS]: "throw new Error('The disk is asleep.');" });
  const { stderr } = await run(['doctor', '--verbose'], { cwd });
  expect(stderr).toMatch(/The disk is asleep\.\n +at .*norimaki\.config\.mjs/);
});

test('help and version are no mistakes, of the command as it is published', async () => {
  const command = join(ROOT, 'dist/cli/main.js');
  const help = await run(['reindex', '--help'], { cwd: folder(), command });
  expect(help).toMatchObject({ exitCode: 0, stderr: '' });
  expect(help.stdout).toContain('Usage: norimaki reindex [options] <entity>');
  const version = await run(['--version'], { cwd: folder(), command });
  expect(version).toMatchObject({ exitCode: 0, stderr: '' });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

const DECORATED = `
import { Entity, Field, Id } from 'norimaki';
import { defineConfig } from 'norimaki/cli';
import { embedded } from 'norimaki/stores/embedded';
import { z } from 'zod';

@Entity('film')
class Film {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
}

export default defineConfig({ store: embedded({ path: './data' }), entities: [Film] });
`;

test('a config in TypeScript needs a loader: without one it says which, with it it works', async () => {
  const cwd = folder({ 'norimaki.config.ts': DECORATED });
  const without = await run(['doctor'], { cwd });
  expect(without.exitCode).toBe(2);
  expect(without.stderr).toMatch(/Node cannot load norimaki\.config\.ts by itself.*NODE_OPTIONS='--import tsx' npx/);
  const { exitCode, stdout } = await run(['doctor'], { cwd, execArgv: ['--import', 'tsx'] });
  expect(stdout).toContain('Looked at 0 records');
  expect(exitCode).toBe(0);
});

test('a script in JavaScript that imports TypeScript is told the same', async () => {
  const cwd = folder({ 'norimaki.config.js': "export { default } from './film.ts';", 'film.ts': DECORATED });
  expect((await run(['doctor'], { cwd })).stderr).toContain("NODE_OPTIONS='--import tsx' npx");
});
