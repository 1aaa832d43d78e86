import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, open } from '../../src/index.ts';
import { Tenants } from '../../src/patterns/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { requireBuild } from '../docs/build.ts';
import { call, run } from './support/command.ts';
import { configText, folder, OLD } from './support/world.ts';

beforeAll(requireBuild);

const KEY = Buffer.alloc(32, 7);
const plans = { free: {} };
const encryption = { keys: () => ({ current: 'k1', keys: { k1: KEY } }) };

/** A config as that of `world.ts`, with a second entity that belongs to tenants, all of them managed. */
const config = {
  'norimaki.config.mjs': configText(
    `embedder: hashingEmbedder({ dimensions: 32 }), embedders: [hashingEmbedder({ dimensions: 16 })],
    tenants: {
      name: 'saas',
      plans: { free: {} },
      encryption: { keys: () => ({ current: 'k1', keys: { k1: Buffer.alloc(32, 7) } }) },
    }`,
    `
const Note = defineEntity('note', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  tenantScoped: true,
  embeddings: { vector: { from: 'text', index: 'exact' } },
});`,
  ).replace('[Film]', '[Film, Note]'),
};

const Note = defineEntity('note', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  tenantScoped: true,
  embeddings: { vector: { from: 'text', index: 'exact' } },
});

/** Stores notes of a managed tenant that was purged and made anew before, so that it lives in its second generation. */
async function seedManaged(path: string, count: number): Promise<void> {
  await using db = await open(embedded({ path: join(path, 'data') }), { embedder: OLD });
  await using tenants = new Tenants(db, { name: 'saas', plans, encryption, writeTimeout: 1 });
  await tenants.create('acme', { plan: 'free' });
  await (await tenants.db('acme')).repo(Note).create({ id: 'old', text: 'of the tenant before' });
  for await (const _ of tenants.purge('acme', { confirm: 'acme' }));
  await tenants.create('acme', { plan: 'free' });
  const notes = (await tenants.db('acme')).repo(Note);
  for (let n = 0; n < count; n++) await notes.create({ id: `n${n}`, text: `note ${n}` });
}

test('a managed tenant is looked at where it lives, and read with its keys', async () => {
  const cwd = folder(config);
  await seedManaged(cwd, 5);
  const { exitCode, stdout } = await run(['doctor', '--tenant', 'acme'], { cwd });
  expect(stdout).toContain('Looked at 5 records, 5 vectors');
  expect(stdout).toContain('Nothing is wrong.');
  expect(exitCode).toBe(0);
});

test('the vectors of a managed tenant are moved', async () => {
  const cwd = folder(config);
  await seedManaged(cwd, 5);
  const { stdout } = await call(['reindex', 'note', '--tenant', 'acme', '--json'], { cwd });
  expect(JSON.parse(stdout)).toMatchObject({ records: 5, embedded: 5, previous: OLD.id });
});

test('a tenant that nobody made is unknown', async () => {
  const cwd = folder(config);
  await seedManaged(cwd, 1);
  const { exitCode, stderr } = await call(['doctor', '--tenant', 'globex'], { cwd });
  expect(stderr).toContain('(tenant.unknown)');
  expect(exitCode).toBe(1);
});

test('without --tenant the entities of tenants are left out, and named', async () => {
  const cwd = folder(config);
  await seedManaged(cwd, 5);
  const { stdout } = await call(['doctor'], { cwd });
  expect(stdout).toContain('Looked at 0 records');
  expect(stdout).toContain('Not looked at, as it belongs to tenants: note. Name a tenant with --tenant.\n');
  for (const words of [
    ['doctor', '--entity', 'note'],
    ['reindex', 'note'],
  ]) {
    const { exitCode, stderr } = await call(words, { cwd });
    expect(stderr).toContain('The records of note belong to tenants: name one with --tenant.\n');
    expect(exitCode).toBe(2);
  }
});
