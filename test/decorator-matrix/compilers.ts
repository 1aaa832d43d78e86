import { transformSync as transformBySwc } from '@swc/core';
import { transformSync as transformByEsbuild } from 'esbuild';
import ts from 'typescript';

/** How a compiler is to treat decorators and fields. */
export interface Settings {
  readonly mode: 'legacy' | 'standard';
  readonly useDefineForClassFields: boolean;
  /** Legacy only: with the types of fields, as for a framework that injects by type. */
  readonly emitDecoratorMetadata?: boolean;
}

/** Turns one TypeScript file into JavaScript that Node 20 runs. */
type Compile = (code: string, settings: Settings) => string;

/** The settings as a tsconfig has them. */
export function compilerOptions({ mode, useDefineForClassFields, emitDecoratorMetadata = false }: Settings) {
  return { experimentalDecorators: mode === 'legacy', useDefineForClassFields, emitDecoratorMetadata };
}

const tsc: Compile = (code, settings) => {
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, ...compilerOptions(settings) };
  return ts.transpileModule(code, { compilerOptions: options }).outputText;
};

const esbuild: Compile = (code, settings) =>
  transformByEsbuild(code, {
    loader: 'ts',
    target: 'node20',
    tsconfigRaw: { compilerOptions: compilerOptions(settings) },
  }).code;

const swc: Compile = (code, { mode, useDefineForClassFields, emitDecoratorMetadata = false }) =>
  transformBySwc(code, {
    swcrc: false,
    configFile: false,
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: {
        useDefineForClassFields,
        ...(mode === 'legacy'
          ? { legacyDecorator: true, decoratorMetadata: emitDecoratorMetadata }
          : { decoratorVersion: '2023-11' }),
      },
    },
  }).code;

/** The compilers that work a file at a time. */
export const compilers = { tsc, esbuild, swc } as const;

/** The name of one of them. */
export type Compiler = keyof typeof compilers;
