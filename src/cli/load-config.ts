import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { modelOf } from '../decorators/index.ts';
import type { Config } from './config.ts';
import { UsageError } from './usage-error.ts';

const NAMES = ['norimaki.config.mjs', 'norimaki.config.js', 'norimaki.config.ts'];
const KEYS: readonly string[] = [
  'store',
  'entities',
  'embedder',
  'embedders',
  'root',
  'tenants',
] satisfies (keyof Config)[];

/** Node's words for a file that it cannot read as JavaScript. */
const TYPESCRIPT_CODES: readonly unknown[] = [
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
];

/** Imports the config module; the working directory becomes its folder. Errors: `UsageError`, and what is wrong with an entity. */
export async function loadConfig(given: string | undefined): Promise<Config> {
  const file = given === undefined ? find() : resolve(given);
  if (!existsSync(file)) throw new UsageError(`There is no file ${file}. Name the config module with --config.`);
  // A path such as './data' means the same data wherever the command is called from.
  process.chdir(dirname(file));
  const module: { readonly default?: unknown } = await importConfig(file);
  return check(module.default, basename(file));
}

function find(): string {
  const file = NAMES.map((name) => resolve(name)).find(existsSync);
  if (file !== undefined) return file;
  throw new UsageError(
    `There is no ${NAMES.join(', no ')} in ${process.cwd()}. Write one that exports what to open: export default defineConfig({ store, entities }), with defineConfig from 'norimaki/cli'; or name another file with --config.`,
  );
}

async function importConfig(file: string): Promise<object> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const name = basename(file);
    if (isTypeScript(error, name)) {
      throw new UsageError(
        `Node cannot load ${name} by itself, because it is, or imports, TypeScript with decorators. Call the command with a loader: npm install --save-dev tsx, then NODE_OPTIONS='--import tsx' npx norimaki …; or compile it to JavaScript.`,
        { cause: error },
      );
    }
    throw new UsageError(`${name} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
}

function isTypeScript(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && TYPESCRIPT_CODES.includes(error.code)) return true;
  // Newer versions of Node strip types, and then meet a decorator.
  return name.endsWith('.ts') && error instanceof SyntaxError;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it throws something that is no error.';
}

function check(config: unknown, name: string): Config {
  const wrong = (what: string): UsageError => new UsageError(`${name}: ${what}`);
  if (!isObject(config)) {
    throw wrong('the default export is no config. Write export default defineConfig({ store, entities }).');
  }
  const unknown = Object.keys(config).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0) throw wrong(`there is no '${unknown.join("', '")}' in a config, only ${KEYS.join(', ')}.`);
  const { store, entities } = config;
  if (!isObject(store) || !('openStore' in store || 'capabilities' in store)) {
    throw wrong("'store' is no store. Give one as to open, such as embedded({ path: './data' }).");
  }
  if (!Array.isArray(entities) || entities.length === 0) {
    throw wrong("'entities' is the list of entities to look after, one at least.");
  }
  for (const entity of entities) modelOf(entity);
  // The rest is for `open` to check.
  return config as unknown as Config;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
