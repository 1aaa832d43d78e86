import { NorimakiError } from '../../core/errors.ts';

/** Refuses where the optional peer dependency is missing. */
export async function requireGrpc(load: () => Promise<unknown> = () => import('@grpc/grpc-js')): Promise<void> {
  try {
    await load();
  } catch (cause) {
    throw new NorimakiError(
      'capability.missing',
      'The norikv store needs the package @grpc/grpc-js: run `npm install @grpc/grpc-js`.',
      { capability: '@grpc/grpc-js', neededBy: 'the norikv store' },
      { cause },
    );
  }
}
