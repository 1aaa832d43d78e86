import { NorimakiError } from '../core/errors.ts';

/** Loads an optional package; `undefined` where it is not installed. */
export async function loadOptional<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if (isNotInstalled(error)) return undefined;
    throw error;
  }
}

/** The package that the server is built on. Errors: `capability.missing`. */
export async function requireGrpc(load: () => Promise<unknown> = () => import('@grpc/grpc-js')): Promise<void> {
  if ((await loadOptional(load)) !== undefined) return;
  throw new NorimakiError(
    'capability.missing',
    'The server needs the package @grpc/grpc-js: run `npm install @grpc/grpc-js`.',
    {
      capability: '@grpc/grpc-js',
      neededBy: 'the server',
    },
  );
}

function isNotInstalled(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}
