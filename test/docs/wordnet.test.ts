import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readSynsets } from '../../examples/wordnet/read.ts';
import { requireBuild } from './build.ts';
import { CompiledExamples, examplesIn } from './compiled-examples.ts';

test('every line of WordNet is read', async () => {
  const synsets = await readSynsets();
  expect(synsets.length).toBe(117_791);
  expect(new Set(synsets.map(({ id }) => id)).size).toBe(synsets.length);
  expect(synsets[0]).toEqual({
    id: 'noun 00001740',
    part: 'noun',
    words: ['entity'],
    gloss: 'that which is perceived or known or inferred to have its own distinct existence (living or nonliving)',
  });
  expect(synsets.every(({ words, gloss }) => gloss !== '' && words.every((word) => /^\S/.test(word)))).toBe(true);
});

test('the demo: killed, resumed, searched, and nothing found wrong', async () => {
  requireBuild();
  const compiled = new CompiledExamples();
  for (const name of examplesIn('films')) compiled.compile(name);
  const { stdout } = await promisify(execFile)(process.execPath, [compiled.demo('wordnet'), '3000']);
  const [, acknowledged] = /killed after ([\d,]+) were acknowledged: SIGKILL/.exec(stdout) ?? [];
  expect(acknowledged).toMatch(/^[12],[0-9]00$/);
  expect(stdout).toMatch(/resumed: [\d,]+ were there, [\d,]+ were added/);
  expect(stdout).toContain(`in the database: 3,000; of those acknowledged before the kill: ${acknowledged}`);
  expect(stdout).toContain('3,000 records, 3,000 vectors, 3,000 index entries: 0 findings');
  expect(stdout).toContain('Everything is there, and can be found.');
});
