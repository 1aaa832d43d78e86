import { makeVersion, type Version, versionParts } from '../core/version.ts';
import type { Version as WireVersion } from './generated/norikv/v1/norikv.ts';

export function toWireVersion(version: Version): WireVersion {
  return versionParts(version);
}

export function fromWireVersion({ term, index }: WireVersion): Version {
  return makeVersion(term, index);
}
