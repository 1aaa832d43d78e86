import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import { systemEnvironment } from '../../src/core/system.ts';
import { type EmbeddedOptions, embedded } from '../../src/stores/embedded/index.ts';
import { startChild } from './support/child.ts';
import { bytes, errorOf, openStore, temporaryFolder } from './support/folder.ts';

const refusalOf = (path: string): Promise<unknown> => errorOf(embedded({ path }).openStore(systemEnvironment));

/** A closed folder with some data in it. */
async function filledFolder(): Promise<{ data: string; file: string }> {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await Promise.all(Array.from({ length: 300 }, (_, i) => store.put(bytes(`key-${i}`), new Uint8Array(3000).fill(i))));
  await store.close();
  return { data, file: join(data, 'records.1.mdb') };
}

test('only this user may enter the folder or read its files', async () => {
  const before = process.umask(0);
  try {
    const { data } = await temporaryFolder();
    const store = await openStore(join(data, 'deeper', 'down'));
    await store.put(bytes('a'), bytes('b'));
    await store.compact();
    await store.backup(join(data, 'copy'));
    const copy = await openStore(join(data, 'copy'));
    await copy.put(bytes('a'), bytes('c'));
    const entries = await readdir(data, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      expect(`${entry.name} ${(mode & 0o777).toString(8)}`).toBe(`${entry.name} ${entry.isDirectory() ? 700 : 600}`);
    }
    expect(entries.filter(({ name }) => name.endsWith('-lock')).length).toBe(2);
    expect((await stat(data)).mode & 0o777).toBe(0o700);
  } finally {
    process.umask(before);
  }
});

test('a path that cannot be a folder is refused, and what is there stays', async () => {
  const { path } = await temporaryFolder();
  await writeFile(join(path, 'file'), 'precious');
  await symlink(join(path, 'nowhere'), join(path, 'dangling'));
  await mkdir(join(path, 'others'));
  await writeFile(join(path, 'others', 'thesis.tex'), 'precious');
  for (const name of ['file', 'file/below', 'dangling', 'others', 'dangling/below']) {
    const error = await refusalOf(join(path, name));
    expect(`${name}: ${(error as NorimakiError).code}`).toBe(`${name}: argument.invalid`);
  }
  expect(await readFile(join(path, 'file'), 'utf8')).toBe('precious');
  expect(await readFile(join(path, 'others', 'thesis.tex'), 'utf8')).toBe('precious');
  for (const options of [
    { path: '' },
    { path: 'a\0b' },
    { path, durability: 'never' },
    { path, mapSize: 10 },
    { path, sweep: { every: '0s' } },
    { path, sweep: { batch: 0 } },
  ]) {
    // Options that the types forbid, as plain JavaScript may pass them.
    const error = await errorOf(embedded(options as EmbeddedOptions).openStore(systemEnvironment));
    expect(NorimakiError.is(error, 'argument.invalid')).toBe(true);
  }
});

test('a link to a folder is followed, a data file that is a link is not', async () => {
  const { data, file } = await filledFolder();
  await symlink(data, `${data}-link`);
  const store = await openStore(`${data}-link`);
  expect((await store.stats()).records).toBe(300);
  await store.close();
  await rename(file, `${data}.elsewhere`);
  await symlink(`${data}.elsewhere`, file);
  expect(NorimakiError.is(await refusalOf(data), 'argument.invalid')).toBe(true);
});

const DAMAGES: [string, (content: Buffer) => Buffer][] = [
  ['empty', () => Buffer.alloc(0)],
  ['text', () => Buffer.from('This is not a database. '.repeat(1000))],
  ['noise', (content) => content.map((_, i) => (i * 7919) % 256) as Buffer],
  ['a first page without magic', (content) => Buffer.concat([Buffer.alloc(4096), content.subarray(4096)])],
  ['a second page without magic', (content) => content.fill(0, 4096, 8192)],
  ['half a page', (content) => content.subarray(0, 2048)],
  ['one page', (content) => content.subarray(0, 4096)],
  ['the meta pages alone', (content) => content.subarray(0, 8192)],
  ['half the file', (content) => content.subarray(0, Math.floor(content.length / 8192) * 4096)],
  ['half the file and a bit', (content) => content.subarray(0, Math.floor(content.length / 2) + 17)],
  ['another page size', (content) => patchMetas(content, 48, 12_345n)],
  ['a root beyond the file', (content) => patchMetas(content, 136, 10n ** 9n)],
  ['a root in the meta pages', (content) => patchMetas(content, 136, 1n)],
];

function patchMetas(content: Buffer, offset: number, value: bigint): Buffer {
  content.writeBigUInt64LE(value, offset);
  content.writeBigUInt64LE(value, 4096 + offset);
  return content;
}

test.each(DAMAGES)('a data file that is damaged is refused and left as it is: %s', async (_, damage) => {
  const { data, file } = await filledFolder();
  const damaged = damage(await readFile(file));
  await writeFile(file, damaged);
  const error = await refusalOf(data);
  expect(NorimakiError.is(error, 'store.incompatible')).toBe(true);
  expect(String(error)).toContain('backup');
  expect(Buffer.compare(await readFile(file), damaged)).toBe(0);
  expect(await readdir(join(data, 'openers'))).toEqual([]);
  expect(await readdir(join(data, 'gate'))).toEqual([]);
});

test('a file that lacks its very last used page is refused, one that lacks only free pages is not', async () => {
  const { data } = await temporaryFolder();
  const store = await openStore(data);
  await store.put(bytes('small'), bytes('value'));
  // One transaction takes pages at the end and frees them again: LMDB never writes them.
  const file = join(data, 'records.1.mdb');
  await Promise.all([
    store.put(bytes('big'), new Uint8Array(1_000_000)),
    store.put(bytes('other'), new Uint8Array(10)),
    store.delete(bytes('big')),
  ]);
  await store.close();
  const content = await readFile(file);
  const lastPage = Number(
    content.readBigUInt64LE(152) > content.readBigUInt64LE(4096 + 152)
      ? content.readBigUInt64LE(144)
      : content.readBigUInt64LE(4096 + 144),
  );
  expect(content.length, 'this file is shorter than its meta page tells').toBeLessThan((lastPage + 1) * 4096);
  const again = await openStore(data);
  expect((await again.get(bytes('other')))?.value.length).toBe(10);
  await again.close();

  await writeFile(file, content.subarray(0, content.length - 4096));
  expect(NorimakiError.is(await refusalOf(data), 'store.incompatible')).toBe(true);
});

test('damage that shows only when a page is read is a typed error of that call', async () => {
  const { data, file } = await filledFolder();
  const content = await readFile(file);
  // The leaf pages of the records are wiped; what leads to them is whole.
  for (let page = 2 * 4096; page < content.length; page += 4096) {
    const isLeaf = content.readUInt16LE(page + 18) === 2;
    const firstKey = page + 24 + content.readUInt16LE(page + 24) + 8;
    if (isLeaf && content.toString('latin1', firstKey, firstKey + 4) === 'key-') content.fill(0, page, page + 4096);
  }
  await writeFile(file, content);
  const child = startChild('peer', data);
  await child.next();
  child.send('get key-7');
  expect(await child.next()).toEqual({ code: 'store.incompatible' });
  child.send('put key-7 value');
  expect(await child.next()).toEqual({ code: 'store.incompatible' });
  child.send('end');
  await child.ended;

  // The root of them all: opening needs it.
  const main = Number(
    content.readBigUInt64LE(content.readBigUInt64LE(152) > content.readBigUInt64LE(4248) ? 136 : 4232),
  );
  await writeFile(file, content.fill(0, main * 4096, main * 4096 + 4096));
  expect(NorimakiError.is(await refusalOf(data), 'store.incompatible')).toBe(true);
});

test('an LMDB file of another program, and one of another format, are refused', async () => {
  const { data, file } = await filledFolder();
  await rm(file);
  const foreign = openLmdb(file, { noSubdir: true, overlappingSync: false, encoding: 'binary', keyEncoding: 'binary' });
  await foreign.put(bytes('precious'), Buffer.from('data'));
  await foreign.close();
  const content = await readFile(file);
  const error = await refusalOf(data);
  expect(NorimakiError.is(error, 'store.incompatible')).toBe(true);
  expect(Buffer.compare(await readFile(file), content)).toBe(0);

  const other = await filledFolder();
  const root = openLmdb(other.file, { noSubdir: true, overlappingSync: false });
  const meta = root.openDB('meta', { encoding: 'binary', keyEncoding: 'binary' });
  await meta.put(bytes('format'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 3]));
  await root.close();
  const newer = await refusalOf(other.data);
  expect(NorimakiError.is(newer, 'store.incompatible')).toBe(true);
  expect(String(newer)).toContain('format 3');
});

test('what a crash left is cleared away, what lives is not', async () => {
  const { data, file } = await filledFolder();
  const child = startChild('peer', data);
  await child.next();
  const [living = ''] = await readdir(join(data, 'openers'));
  const dead = living.replace(/^\d+/, '4194000');
  await writeFile(join(data, 'openers', dead), 'x');
  await writeFile(join(data, 'gate', `compact.${dead}`), '');
  await mkdir(join(data, `tmp.${dead}`));
  await mkdir(join(data, `tmp.${living}`));
  const store = await openStore(data);
  expect((await readdir(join(data, 'openers'))).length).toBe(2);
  expect((await readdir(data)).sort()).toEqual(
    ['gate', 'openers', 'records.1.mdb', 'records.1.mdb-lock', `tmp.${living}`].sort(),
  );
  await store.put(bytes('a'), bytes('b'));
  child.send('end');
  await child.ended;
  await store.close();

  await writeFile(`${data}/records.2.mdb`, await readFile(file));
  const newest = await openStore(data);
  expect((await readdir(data)).filter((name) => name.startsWith('records')).sort()).toEqual([
    'records.2.mdb',
    'records.2.mdb-lock',
  ]);
  expect((await newest.stats()).records).toBe(301);
});

test('a folder that this user may not enter is refused', async () => {
  const { data } = await filledFolder();
  await chmod(data, 0);
  const child = startChild('unprivileged', data);
  const answer = await child.next();
  expect(answer).toEqual({ code: 'argument.invalid' });
  await child.ended;
});
