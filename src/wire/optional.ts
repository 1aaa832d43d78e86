import { NorimakiError } from '../core/errors.ts';

// Not part of index.ts, which loads grpc-js itself.

const GRPC = '@grpc/grpc-js';

/**
 * Loads an optional package; `undefined` where it is not installed. One that is installed and fails to load, or that lacks a
 * package of its own, rejects with its own error.
 */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if (isMissing(error, name)) return undefined;
    throw error;
  }
}

/** The package that both ends are built on. Errors: `capability.missing` where it is not installed. */
export async function requireGrpc(neededBy: string, load: () => Promise<unknown> = loadGrpc): Promise<void> {
  if ((await loadOptional(GRPC, load)) !== undefined) return;
  throw new NorimakiError(
    'capability.missing',
    `The package ${GRPC} is not installed, and ${neededBy} needs it: run \`npm install ${GRPC}\`.`,
    { capability: GRPC, neededBy },
  );
}

function loadGrpc(): Promise<unknown> {
  return import('@grpc/grpc-js');
}

function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${name}'`);
}
