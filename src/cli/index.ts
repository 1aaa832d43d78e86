// Without the command and what it is made of: a program's own config may be imported by the program too.
export { type Config, defineConfig } from './config.ts';
