import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, readPages } from './markdown.ts';

/** The anchors of a page's headings, as code hosts make them. */
function anchors(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

test.each(readPages().map(({ file, text }) => [file, text]))('the links of %s lead somewhere', (file, text) => {
  const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (link.startsWith('https://')) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(ROOT, file) : join(ROOT, dirname(file), path);
    if (!existsSync(target)) return [link];
    return anchor === undefined || anchors(readFileSync(target, 'utf8')).includes(anchor) ? [] : [link];
  });
  expect(broken).toEqual([]);
});
