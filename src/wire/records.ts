import type { Key, Stored } from '../core/store.ts';
import type { Record as WireRecord } from './generated/norimaki/v1/norimaki.ts';
import { fromWireVersion, toWireVersion } from './versions.ts';

const NO_KEY = new Uint8Array(0);

function toWireInstant(instant: number | undefined): bigint | undefined {
  return instant === undefined ? undefined : BigInt(instant);
}

export function fromWireInstant(instant: bigint | undefined): number | undefined {
  return instant === undefined ? undefined : Number(instant);
}

/** Without a key where the question names it. */
export function toWireRecord({ value, version, expiresAt }: Stored, key: Key = NO_KEY): WireRecord {
  return { key, value, version: toWireVersion(version), expiresAt: toWireInstant(expiresAt) };
}

/** `undefined` for a record without a version, which is none. */
export function fromWireRecord({ value, version, expiresAt }: WireRecord): Stored | undefined {
  if (version === undefined) return undefined;
  const stored = { value, version: fromWireVersion(version) };
  return expiresAt === undefined ? stored : { ...stored, expiresAt: fromWireInstant(expiresAt) };
}
