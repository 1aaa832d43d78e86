import { readFileSync } from 'node:fs';
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

/** What `ErrorDetails` and the error itself say. */
function rowsOfCode(): Row[] {
  const text = readFileSync(join(ROOT, 'src/core/errors.ts'), 'utf8');
  const source = ts.createSourceFile('errors.ts', text, ts.ScriptTarget.Latest);
  const table = source.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === 'ErrorDetails',
  ) as ts.InterfaceDeclaration;
  return table.members.map((member) => {
    if (!ts.isPropertySignature(member) || member.type === undefined || !ts.isTypeLiteralNode(member.type)) {
      throw new TypeError('A code of ErrorDetails is not followed by its details.');
    }
    const code = nameOf(member.name);
    // Any details will do: whether a code is retryable depends on the code alone.
    const error = new NorimakiError(code as ErrorCode, '', {} as ErrorDetails[ErrorCode]);
    const details = member.type.members.map(({ name }) => nameOf(name));
    return { code, details, retryable: error.retryable };
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
    ([, code = '', details = '', retryable]) => ({
      code,
      details: [...details.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
      retryable: retryable === 'yes',
    }),
  );
}

test('the table of errors is that of the code', () => {
  expect(rowsOfGuide()).toEqual(rowsOfCode());
});
