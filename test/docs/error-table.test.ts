import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { type ErrorCode, type ErrorDetails, NorimakiError } from '../../src/core/errors.ts';
import { ROOT } from './markdown.ts';

interface Row {
  readonly code: string;
  readonly details: readonly string[];
  readonly retryable: boolean;
}

/** The codes of the interfaces of a file whose names end so, with what they carry. */
function codesIn(file: string): Omit<Row, 'retryable'>[] {
  const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.Latest);
  const tables = source.statements.filter(
    (statement): statement is ts.InterfaceDeclaration =>
      ts.isInterfaceDeclaration(statement) && statement.name.text.endsWith('ErrorDetails'),
  );
  return tables.flatMap(({ members }) =>
    members.map((member) => {
      if (!ts.isPropertySignature(member) || member.type === undefined || !ts.isTypeLiteralNode(member.type)) {
        throw new TypeError('A code of ErrorDetails is not followed by its details.');
      }
      return { code: nameOf(member.name), details: member.type.members.map(({ name }) => nameOf(name)) };
    }),
  );
}

/** What `ErrorDetails` and the error itself say. */
function rowsOfCode(): Row[] {
  return codesIn('src/core/errors.ts').map((row) => {
    // Any details will do: whether a code is retryable depends on the code alone.
    const error = new NorimakiError(row.code as ErrorCode, '', {} as ErrorDetails[ErrorCode]);
    return { ...row, retryable: error.retryable };
  });
}

function nameOf(name: ts.PropertyName | undefined): string {
  if (name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name))) return name.text;
  throw new TypeError('A name in ErrorDetails is neither an identifier nor a string.');
}

/** What docs/errors.md says. */
function rowsOfGuide(): Row[] {
  const guide = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  return [...guide.matchAll(/^\| `([^`]+)` +\|.*\|(.*)\| (yes|no) +\|$/gm)].map(
    ([, code = '', details = '', retryable]) => ({ code, details: quoted(details), retryable: retryable === 'yes' }),
  );
}

/** What the tables of codes on the other pages say, headed `code | when | details`. */
function rowsOfPages(): Omit<Row, 'retryable'>[] {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md') && name !== 'errors.md');
  return pages.flatMap((name) => {
    const page = readFileSync(join(ROOT, 'docs', name), 'utf8');
    const tables = page.matchAll(/^\| code +\| when +\| details +\|\n.*\n((?:\|.*\n)+)/gm);
    return [...tables].flatMap(([, rows = '']) =>
      [...rows.matchAll(/^\| `([^`]+)` +\|.*\|(.*)\|$/gm)].map(([, code = '', details = '']) => ({
        code,
        details: quoted(details),
      })),
    );
  });
}

function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

const byCode = (a: { readonly code: string }, b: { readonly code: string }): number => (a.code < b.code ? -1 : 1);

test('the table of errors is that of the code', () => {
  expect(rowsOfGuide()).toEqual(rowsOfCode());
});

test('the tables of errors on the pages of blocks are those of the code', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /(?:^|\/)errors\.ts$/.test(file) && file !== 'core/errors.ts')
    .map((file) => `src/${file}`);
  expect(files.length).toBeGreaterThan(5);
  expect(rowsOfPages().sort(byCode)).toEqual(files.flatMap(codesIn).sort(byCode));
});
