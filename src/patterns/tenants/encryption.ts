import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Key } from '../../core/store.ts';
import type { Sealer } from '../../repositories/internal.ts';

/** The keys of one tenant, 32 bytes each, by an id that is stored with each record. */
export interface TenantKeys {
  /** The id of the key by which new records are encrypted. */
  readonly current: string;
  /** All keys by which records may have been encrypted; the current one is among them. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
}

/** Where the keys come from. Asked at each `tenants.db()`; what it answers holds for all handles of that tenant here. */
export interface TenantEncryption {
  keys(tenant: string): TenantKeys | Promise<TenantKeys>;
}

const FORMAT = 1;
const NONCE = 12;
const TAG = 16;
const KEY = 32;
const MAX_KEY_ID = 64;
const HEAD = 2;

/**
 * AES-256-GCM over the bytes of a record: format, length of the key's id, its id, nonce, tag, text. What stands before the
 * text and the record's own key are authenticated with it.
 */
export class KeyRing implements Sealer {
  readonly #random: Random;
  #keys: ReadonlyMap<string, Uint8Array> = new Map();
  #current = '';

  constructor(random: Random) {
    this.#random = random;
  }

  get overhead(): number {
    return HEAD + MAX_KEY_ID + NONCE + TAG;
  }

  /** Goes on with other keys. Errors: `argument.invalid`. */
  turn({ current, keys }: TenantKeys): void {
    const all = new Map(Object.entries(keys));
    for (const [id, key] of all) {
      if (id === '' || Buffer.byteLength(id) > MAX_KEY_ID) refuse(`The id of a key has 1 to ${MAX_KEY_ID} bytes.`);
      if (!(key instanceof Uint8Array) || key.length !== KEY) refuse(`A key for encryption has ${KEY} bytes.`);
    }
    if (!all.has(current)) refuse('The current key for encryption is not among the keys.');
    this.#keys = all;
    this.#current = current;
  }

  seal(key: Key, plain: Uint8Array): Uint8Array {
    const id = Buffer.from(this.#current);
    const head = Buffer.concat([Uint8Array.of(FORMAT, id.length), id, this.#random.bytes(NONCE)]);
    // `turn` has seen it there.
    const secret = this.#keys.get(this.#current) as Uint8Array;
    const cipher = createCipheriv('aes-256-gcm', secret, head.subarray(-NONCE)).setAAD(aad(head, key));
    const text = [cipher.update(plain), cipher.final()];
    return new Uint8Array(Buffer.concat([head, cipher.getAuthTag(), ...text]));
  }

  open(key: Key, sealed: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
    const end = HEAD + (bytes[1] ?? 0) + NONCE;
    if (bytes[0] !== FORMAT || bytes.length < end + TAG) return undefined;
    const secret = this.#keys.get(bytes.toString('utf8', HEAD, end - NONCE));
    if (secret === undefined) return undefined;
    const head = bytes.subarray(0, end);
    try {
      const decipher = createDecipheriv('aes-256-gcm', secret, head.subarray(-NONCE))
        .setAAD(aad(head, key))
        .setAuthTag(bytes.subarray(end, end + TAG));
      return new Uint8Array(Buffer.concat([decipher.update(bytes.subarray(end + TAG)), decipher.final()]));
    } catch {
      return undefined;
    }
  }
}

/** No two pairs give the same: the head says how long it is. */
function aad(head: Uint8Array, key: Key): Uint8Array {
  return Buffer.concat([head, key]);
}

function refuse(message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument: 'encryption' });
}
