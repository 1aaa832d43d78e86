import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

// What must not compile stands below a @ts-expect-error, so that a compiler without complaints proves both. With legacy
// decorators the same files are part of `npm run check:types`.
test('the types hold with standard decorators', () => {
  const { fileNames, options } = read(join(import.meta.dirname, 'tsconfig.standard.json'));
  const program = ts.createProgram(fileNames, options);
  // Of these files alone: what they import is no different with other decorators, and takes most of the time.
  const complaints = fileNames.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
  expect(fileNames.length).toBeGreaterThan(10);
  expect(printed(complaints)).toBe('');
});

function read(config: string): ts.ParsedCommandLine {
  const parsed = ts.getParsedCommandLineOfConfigFile(config, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(printed([diagnostic]));
    },
  });
  if (parsed === undefined) throw new Error(`${config} cannot be read.`);
  return parsed;
}

function printed(diagnostics: readonly ts.Diagnostic[]): string {
  return ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: ts.sys.getCurrentDirectory,
    getNewLine: () => '\n',
  });
}
