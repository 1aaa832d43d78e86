import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
let folder: string;

/** A program of a user, who has a decorator mode of its own; the library was compiled with legacy decorators. */
const PROGRAM = `
import { z } from 'zod';
import { defineAggregate, defineProjection, Entity, EventStore, Field, Id, memory, open, ProjectedRecord } from './library.mjs';
const Account = defineAggregate({
  name: 'account',
  events: { Deposited: z.object({ amount: z.int() }) },
  initial: () => 0,
  evolve: (sum, { data }) => sum + data.amount,
});
@Entity('balance')
class Balance extends ProjectedRecord {
  @Id() id!: string;
  @Field(z.number()) total: number = 0;
  get isRich(): boolean { return this.total > 6; }
}
const Balances = defineProjection({
  name: 'balances',
  from: Account,
  into: Balance,
  id: (event) => event.stream.id,
  apply(balance, event) { balance.total += event.data.amount; },
});
const store = new EventStore(await open(memory()), { name: 'bank', aggregates: [Account] });
for (const amount of [3, 4]) await store.append(Account.stream('mia'), [Account.event('Deposited', { amount })], { expected: 'any' });
const projection = store.project(Balances);
await projection.caughtUp();
const { id, total, isRich, projected } = await store.view(Balances).getOrThrow('mia');
const seen = Object.values(projected).flatMap(({ upTo }) => Object.values(upTo));
await projection.close();
console.log(JSON.stringify([id, total, isRich, seen]));
`;

beforeAll(async () => {
  // Inside the tree, so that it finds the packages that it imports.
  await mkdir(join(ROOT, 'node_modules/.cache'), { recursive: true });
  folder = await mkdtemp(join(ROOT, 'node_modules/.cache/projections-'));
  const rooms = ['index.ts', 'patterns/index.ts', 'stores/memory/index.ts'];
  const contents = rooms.map((room) => `export * from './src/${room}';`).join('\n');
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  const shared = { bundle: true, packages: 'external', format: 'esm', target: 'node20', tsconfigRaw } as const;
  await build({ stdin: { contents, resolveDir: ROOT, loader: 'ts' }, outfile: join(folder, 'library.mjs'), ...shared });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(['legacy', 'standard'])('with %s decorators a class of views is an entity like any other', async (mode) => {
  const compilerOptions = { experimentalDecorators: mode === 'legacy', useDefineForClassFields: true };
  const { code } = await transform(PROGRAM, { loader: 'ts', target: 'node20', tsconfigRaw: { compilerOptions } });
  const file = join(folder, `${mode}.mjs`);
  await writeFile(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  expect(JSON.parse(stdout)).toEqual(['mia', 7, true, [2]]);
});
