import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, status } from '@grpc/grpc-js';
import type { ServerAuth } from '../options.ts';

/** Why a call is turned away. */
interface Refusal {
  readonly code: status;
  readonly details: string;
}

export type Authorise = (metadata: Metadata) => Promise<Refusal | undefined>;

/** Nothing of a token is in what is told. */
const REFUSED: Refusal = { code: status.UNAUTHENTICATED, details: 'A good bearer token is needed.' };
const UNDECIDED: Refusal = { code: status.UNAVAILABLE, details: 'The token cannot be checked now: try again.' };

export function authoriser(auth: ServerAuth): Authorise {
  const isGood = typeof auth === 'function' ? auth : oneOf(auth.tokens);
  return async (metadata) => {
    const token = tokenOf(metadata);
    if (token === undefined) return REFUSED;
    try {
      return (await isGood(token)) === true ? undefined : REFUSED;
    } catch {
      // What it says may hold the token.
      return UNDECIDED;
    }
  };
}

function tokenOf(metadata: Metadata): string | undefined {
  const [header, ...more] = metadata.get('authorization');
  if (typeof header !== 'string' || more.length > 0) return undefined;
  return /^bearer +(\S+)$/i.exec(header)?.[1];
}

/** Takes the same time whatever the token is: digests are of one length, and all are compared. */
function oneOf(tokens: readonly string[]): (token: string) => boolean {
  const digests = tokens.map(digestOf);
  return (token) => {
    const digest = digestOf(token);
    return digests.map((good) => timingSafeEqual(good, digest)).includes(true);
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
