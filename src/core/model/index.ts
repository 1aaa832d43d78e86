export { compileModel } from './compile.ts';
export type * from './model.ts';
export type * from './types.ts';
