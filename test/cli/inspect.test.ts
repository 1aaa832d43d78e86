import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, open } from '../../src/index.ts';
import { serve } from '../../src/server/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { requireBuild } from '../docs/build.ts';
import { call, run } from './support/command.ts';
import { folder, plantCorruption, seed } from './support/world.ts';

beforeAll(requireBuild);

const EMBEDDED = ['--store', 'embedded:./data'];
const Ticket = defineEntity('ticket', z.object({ venue: z.string(), seat: z.number(), until: z.date() }), {
  id: ['venue', 'seat'],
  deadline: 'until',
});

async function seedTickets(cwd: string, tenant?: string): Promise<void> {
  await using whole = await open(embedded({ path: join(cwd, 'data') }));
  const db = tenant === undefined ? whole : whole.forTenant(tenant);
  await db.repo(Ticket).create({ venue: 'hall', seat: 7, until: new Date('2999-01-01T00:00:00Z') });
}

test('prints a record with its version, its deadline and its size, without its class', async () => {
  const cwd = folder();
  await seed(cwd, 3);
  await seedTickets(cwd);
  const film = await run(['inspect', 'film', 'f1', ...EMBEDDED], { cwd });
  expect(film).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(film.stdout)).toEqual({
    entity: 'film',
    id: ['f1'],
    version: expect.stringMatching(/^\d+\.\d+$/),
    bytes: expect.any(Number),
    schema: 1,
    fields: { id: 'f1', title: 'title 1', year: 1901 },
  });
  const ticket = JSON.parse((await call(['inspect', 'ticket', 'hall', '7', ...EMBEDDED], { cwd })).stdout);
  expect(ticket).toMatchObject({ id: ['hall', 7], expiresAt: '2999-01-01T00:00:00.000Z', fields: { seat: 7 } });
});

test('without an id it prints the first records, a line each, and says that there are more', async () => {
  const cwd = folder();
  await seed(cwd, 12);
  const ten = await call(['inspect', 'film', ...EMBEDDED], { cwd });
  const lines = ten.stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(10);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id: ['f0'], fields: { title: 'title 0' } });
  expect(ten.stderr).toMatch(/There are more: --limit/);
  const all = await call(['inspect', 'film', '--limit', '12', ...EMBEDDED], { cwd });
  expect(all.stdout.trimEnd().split('\n')).toHaveLength(12);
  expect(all).toMatchObject({ exitCode: 0, stderr: '' });
});

test('what cannot be read is shown as far as it can', async () => {
  const cwd = folder();
  await seed(cwd, 3);
  await plantCorruption(cwd);
  const { exitCode, stdout } = await call(['inspect', 'film', 'f2', ...EMBEDDED], { cwd });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ id: ['f2'], bytes: 1, problem: expect.stringContaining('envelope') });
});

test('what is not found: says what there is instead, of which tenant and under which root, and exits with 1', async () => {
  const cwd = folder();
  await seed(cwd, 3);
  await seedTickets(cwd, 'acme');
  const look = async (...words: string[]) => {
    const { exitCode, stdout, stderr } = await run(['inspect', ...words, ...EMBEDDED], { cwd });
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
    return stderr;
  };
  const [id, entity, tenant, root] = await Promise.all([
    look('film', '9'),
    look('flim'),
    look('film', '--tenant', 'acme'),
    look('film', '--root', 'shop'),
  ]);
  expect(id).toBe(
    "There is no film with the id '9', or 9, or 9n.\nThe entity is there: leave the id out to see its first records.\n",
  );
  expect(entity).toContain("The store has 'film'.");
  expect(entity).toContain("It has tenants: 'acme'. Name one with --tenant.");
  expect(tenant).toContain("The store has 'ticket' of this tenant.");
  expect(root).toContain("it has 'norimaki': name one with --root");
  const { stdout } = await call(['inspect', 'ticket', '--tenant', 'acme', ...EMBEDDED], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ id: ['hall', 7] });
});

test('a server is asked as a folder is', async () => {
  const cwd = folder();
  await seed(cwd, 3);
  await using server = await serve(embedded({ path: join(cwd, 'data') }), { port: 0 });
  const store = ['--store', `norikv://${server.address}`];
  const [one, all, none] = await Promise.all(
    [['f1'], [], ['f9']].map((id) => run(['inspect', 'film', ...id, ...store], { cwd })),
  );
  expect(one).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(one?.stdout ?? '')).toMatchObject({ id: ['f1'], fields: { title: 'title 1' } });
  expect(all?.stdout.trimEnd().split('\n')).toHaveLength(3);
  expect(none?.stderr).toContain('The entity is there');
});

const mistakes: Record<string, { words: string[]; says: RegExp }> = {
  'no store': { words: ['film'], says: /required option '--store <store>'/ },
  'a store that is none': {
    words: ['film', '--store', 'redis://x'],
    says: /'norikv:\/\/host:port' or 'embedded:path'/,
  },
  'a folder that is not there': {
    words: ['film', '--store', 'embedded:./nowhere'],
    says: /there is no folder .\/nowhere/,
  },
  'a limit of 0': { words: ['film', '--limit', '0', ...EMBEDDED], says: /--limit is a whole number from 1 to 1000/ },
};

test('bad usage says what to do, and exits with 2', async () => {
  const cwd = folder();
  const ends = Object.entries(mistakes).map(async ([name, { words, says }]) => {
    const { exitCode, stdout, stderr } = await call(['inspect', ...words], { cwd });
    expect(stderr, name).toMatch(says);
    expect({ exitCode, stdout }, name).toEqual({ exitCode: 2, stdout: '' });
  });
  await Promise.all(ends);
  expect(existsSync(join(cwd, 'nowhere'))).toBe(false);
});
