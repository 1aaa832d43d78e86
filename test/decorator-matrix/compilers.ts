import { transformSync } from '@swc/core';
import { transformSync as esbuildTransform } from 'esbuild';
import ts from 'typescript';

/** How one compiler is to treat decorators and fields. */
export interface Settings {
  readonly mode: 'legacy' | 'standard';
  readonly useDefineForClassFields: boolean;
}

/** Turns one TypeScript file into JavaScript that Node 20 runs. */
export type Compile = (code: string, settings: Settings) => string;

const tsc: Compile = (code, { mode, useDefineForClassFields }) =>
  ts.transpileModule(code, {
    reportDiagnostics: false,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: mode === 'legacy',
      useDefineForClassFields,
    },
  }).outputText;

/** As those compile who also use a framework that injects by type. */
const tscEmittingTypes: Compile = (code, { useDefineForClassFields }) =>
  ts.transpileModule(code, {
    reportDiagnostics: false,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      useDefineForClassFields,
    },
  }).outputText;

const esbuild: Compile = (code, { mode, useDefineForClassFields }) =>
  esbuildTransform(code, {
    loader: 'ts',
    target: 'node20',
    tsconfigRaw: { compilerOptions: { experimentalDecorators: mode === 'legacy', useDefineForClassFields } },
  }).code;

const swc: Compile = (code, { mode, useDefineForClassFields }) =>
  transformSync(code, {
    swcrc: false,
    configFile: false,
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform:
        mode === 'legacy'
          ? { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields }
          : { decoratorVersion: '2023-11', useDefineForClassFields },
    },
  }).code;

/** The compilers that work a file at a time. */
export const compilers = { tsc, 'tsc with emitted types': tscEmittingTypes, esbuild, swc } as const;
