import { expect, test } from 'vitest';
import { loadOptional, requireGrpc } from './optional.ts';

/** What Node says of `import(name)` where there is no such package. */
function notFound(name: string): Error {
  const error = new Error(`Cannot find package '${name}' imported from /app/main.js`);
  return Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
}

test('without the package a sentence says what to install, and for what', async () => {
  const missing = requireGrpc('the server', () => Promise.reject(notFound('@grpc/grpc-js')));
  await expect(missing).rejects.toMatchObject({
    code: 'capability.missing',
    message: expect.stringMatching(/the server needs .*npm install @grpc\/grpc-js/),
    details: { capability: '@grpc/grpc-js', neededBy: 'the server' },
  });
});

test('a package that is installed and fails to load says so itself', async () => {
  for (const failure of [new Error('broken'), notFound('protobufjs')]) {
    await expect(requireGrpc('the server', () => Promise.reject(failure))).rejects.toBe(failure);
  }
});

test('a package that may be left out is undefined where Node does not find it', async () => {
  const name = '@grpc/nothing';
  expect(await loadOptional(name, () => import(name))).toBeUndefined();
  expect(await loadOptional('node:fs', () => import('node:fs'))).toHaveProperty('readFile');
});
