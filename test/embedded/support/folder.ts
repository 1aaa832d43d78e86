import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Environment } from '../../../src/core/clock.ts';
import { systemEnvironment } from '../../../src/core/system.ts';
import { type EmbeddedOptions, type EmbeddedStore, embedded } from '../../../src/stores/embedded/index.ts';

/** A folder that goes away with the test, on a real disk if the test is about that; `data` in it does not exist yet. */
export async function temporaryFolder(on: 'any' | 'disk' = 'any'): Promise<{ path: string; data: string }> {
  const parent = on === 'disk' ? process.env.NORIMAKI_DISK : undefined;
  const path = await mkdtemp(join(parent ?? tmpdir(), 'norimaki-embedded-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return { path, data: join(path, 'data') };
}

/** Opens a store that is closed with the test at the latest. */
export async function openStore(
  path: string,
  options: Partial<EmbeddedOptions> = {},
  environment: Environment = systemEnvironment,
): Promise<EmbeddedStore> {
  const store = await embedded({ path, ...options }).openStore(environment);
  onTestFinished(() => store.close());
  return store;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

/** Every key there can be. */
export const EVERYTHING = { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) };

/** What a call rejects with. */
export async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => {
      throw new Error('The call should have failed.');
    },
    (error: unknown) => error,
  );
}
