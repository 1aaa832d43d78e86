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
import { Entity, Field, Inventory, memory, open, StockRecord } from './library.mjs';
@Entity('stock')
class Stock extends StockRecord {
  @Field(z.string()) title: string = '';
}
const inventory = new Inventory(await open(memory()), Stock, { name: 'main' });
const { title } = await inventory.create({ sku: 'A', title: 'Nori', onHand: 3 });
const { id } = await inventory.reserve([{ sku: 'A', quantity: 2 }]);
await inventory.commit(id);
console.log(JSON.stringify([title, await inventory.available('A')]));
`;

beforeAll(async () => {
  // Inside the tree, so that it finds the packages that it imports.
  await mkdir(join(ROOT, 'node_modules/.cache'), { recursive: true });
  folder = await mkdtemp(join(ROOT, 'node_modules/.cache/inventory-'));
  const rooms = ['index.ts', 'patterns/index.ts', 'stores/memory/index.ts'];
  const contents = rooms.map((room) => `export * from './src/${room}';`).join('\n');
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  const shared = { bundle: true, packages: 'external', format: 'esm', target: 'node20', tsconfigRaw } as const;
  await build({ stdin: { contents, resolveDir: ROOT, loader: 'ts' }, outfile: join(folder, 'library.mjs'), ...shared });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(['legacy', 'standard'])('with %s decorators a class of stock is an entity like any other', async (mode) => {
  const compilerOptions = { experimentalDecorators: mode === 'legacy', useDefineForClassFields: true };
  const { code } = await transform(PROGRAM, { loader: 'ts', target: 'node20', tsconfigRaw: { compilerOptions } });
  const file = join(folder, `${mode}.mjs`);
  await writeFile(file, code);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  expect(JSON.parse(stdout)).toEqual(['Nori', 1]);
});
