import { NorimakiError } from './errors.ts';

declare const versionBrand: unique symbol;

/**
 * The version of one write: an opaque token for `ifMatch`. Compare it for
 * equality only; it is made of two unsigned 64-bit numbers, too wide for a JS number.
 */
export type Version = string & { readonly [versionBrand]: never };

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const VERSION = /^(0|[1-9]\d{0,19})\.(0|[1-9]\d{0,19})$/;

/** Builds a version from its parts; for adapters. */
export function makeVersion(term: bigint, index: bigint): Version {
  if (term < 0n || term > U64_MAX || index < 0n || index > U64_MAX) {
    throw new NorimakiError('argument.invalid', 'A version is made of two unsigned 64-bit integers.', {
      argument: 'version',
    });
  }
  return `${term}.${index}` as Version;
}

/** The parts of a version; for adapters. Refuses a string that `makeVersion` did not make. */
export function versionParts(version: Version): { term: bigint; index: bigint } {
  const match = VERSION.exec(version);
  const term = BigInt(match?.[1] ?? -1);
  const index = BigInt(match?.[2] ?? -1);
  if (match === null || term > U64_MAX || index > U64_MAX) {
    throw new NorimakiError(
      'argument.invalid',
      'This is not a version: pass the token that a read or a write returned.',
      { argument: 'version' },
    );
  }
  return { term, index };
}
