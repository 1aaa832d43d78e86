import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import { randomId } from '../../core/random-id.ts';

/** A token, and the id of the record that it leads to. */
export interface Minted {
  readonly token: string;
  readonly id: string;
}

/** The keys that one secret gives: each is used for one thing only. */
interface Keys {
  readonly sign: Buffer;
  readonly id: Buffer;
  readonly derive: Buffer;
}

const BODY_BYTES = 32;
const SIGNATURE_LENGTH = 22;
const FORM = new RegExp(`^([\\w-]{43})\\.([\\w-]{${SIGNATURE_LENGTH}})$`);

/**
 * Makes and reads tokens: 256 random bits and a signature. The store holds their HMAC only. Whoever reads the store can make no
 * token of it; whoever guesses tokens is turned away without a call to the store.
 */
export class Tokens {
  /** The current secret's first. */
  readonly #keys: readonly [Keys, ...Keys[]];

  /** Tokens of one scope are unsigned in another, even with the same secrets. */
  constructor(scope: readonly (string | null)[], [current, ...previous]: readonly [Secret, ...Secret[]]) {
    this.#keys = [keysOf(scope, current), ...previous.map((secret) => keysOf(scope, secret))];
  }

  /** A token that nobody has seen. */
  fresh(random: Random): Minted {
    return mint(this.#keys[0], randomId(random, BODY_BYTES));
  }

  /** The token that these parts stand for, by each of the secrets, the current one first: the same in every process. */
  derived(...parts: readonly (string | null)[]): readonly [Minted, ...Minted[]] {
    const derive = (keys: Keys): Minted => mint(keys, hmac(keys.derive, JSON.stringify(parts)));
    const [current, ...previous] = this.#keys;
    return [derive(current), ...previous.map(derive)];
  }

  /** The id of the record of a token; `undefined` if no secret has signed it. */
  idOf(token: unknown): string | undefined {
    const [, body, signature] = (typeof token === 'string' && FORM.exec(token)) || [];
    if (body === undefined || signature === undefined) return undefined;
    const given = Buffer.from(signature);
    const signer = this.#keys.find((keys) => timingSafeEqual(Buffer.from(signatureOf(keys, body)), given));
    // How long the store looks for an id tells nothing of the token: only the secret makes the one of the other.
    return signer && hmac(signer.id, body);
  }
}

/** What tokens are signed with. */
export type Secret = string | Uint8Array;

function keysOf(scope: readonly (string | null)[], secret: Secret): Keys {
  const key = (use: string): Buffer =>
    createHmac('sha256', secret)
      .update(JSON.stringify(['norimaki.session', use, ...scope]))
      .digest();
  return { sign: key('sign'), id: key('id'), derive: key('derive') };
}

function mint(keys: Keys, body: string): Minted {
  return { token: `${body}.${signatureOf(keys, body)}`, id: hmac(keys.id, body) };
}

function signatureOf({ sign }: Keys, body: string): string {
  return hmac(sign, body).slice(0, SIGNATURE_LENGTH);
}

function hmac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
