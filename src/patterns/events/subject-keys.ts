import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Random } from '../../core/clock.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { subjectForgotten } from './errors.ts';
import type { EventRecords } from './records.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The keys of subjects: one each, made once, and never again after it was forgotten. */
export class SubjectKeys {
  readonly #store: string;
  readonly #subjects: EventRecords['subjects'];
  readonly #random: Random;

  constructor(store: string, { subjects }: EventRecords, random: Random) {
    this.#store = store;
    this.#subjects = subjects;
    this.#random = random;
  }

  /** The keys of subjects, made where there are none. Errors: `events.subjectForgotten`. */
  async make(subjects: ReadonlySet<string>, options: BlockCallOptions): Promise<ReadonlyMap<string, Buffer>> {
    const known = new Map(await this.find(subjects, options.signal));
    for (const subject of subjects) {
      if (known.has(subject)) continue;
      // Whoever is first decides; a subject that is there keeps its key, or stays without.
      const { key } = await this.#subjects.mutate({ store: this.#store, subject }, () => {}, {
        ...options,
        ifAbsent: () => ({ key: Buffer.from(this.#random.bytes(KEY_BYTES)).toString('base64url') }),
      });
      if (key === undefined) throw subjectForgotten(this.#store);
      known.set(subject, Buffer.from(key, 'base64url'));
    }
    return known;
  }

  /** Those keys that there are. Read anew each time: one that was forgotten is to be gone for everybody. */
  async find(subjects: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Buffer>> {
    const names = [...subjects];
    if (names.length === 0) return new Map();
    const ids = names.map((subject) => ({ store: this.#store, subject }));
    const found = await this.#subjects.getMany(ids, { signal });
    return new Map(
      names.flatMap((name, i) => {
        const key = found[i]?.key;
        return key === undefined ? [] : [[name, Buffer.from(key, 'base64url')] as const];
      }),
    );
  }

  /** Whether there was a key. What it closed cannot be opened by anybody any more, and no other key is made. */
  async forget(subject: string, options: BlockCallOptions): Promise<boolean> {
    let had = false;
    await this.#subjects.mutate(
      { store: this.#store, subject },
      (draft) => {
        had = draft.key !== undefined;
        draft.key = undefined;
      },
      { ...options, ifAbsent: {} },
    );
    return had;
  }
}

/** Encrypts a text. `place` says where it belongs: moved elsewhere, it does not open. */
export function closeText(key: Buffer, place: readonly unknown[], text: string, random: Random): string {
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(JSON.stringify(place)));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** The text, or `undefined` if it was not closed with this key for this place. */
export function openText(key: Buffer, place: readonly unknown[], closed: string): string | undefined {
  const bytes = Buffer.from(closed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(Buffer.from(JSON.stringify(place)));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}

/** A key that nobody has who lacks one of these. */
export function keyOfAll(keys: readonly Buffer[]): Buffer {
  return Buffer.from(hkdfSync('sha256', Buffer.concat(keys), '', 'norimaki.events.snapshot', KEY_BYTES));
}
