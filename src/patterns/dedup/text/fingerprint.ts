import { createHash } from 'node:crypto';
import type { DedupSettings } from '../settings.ts';
import { bandsOf } from './min-hash.ts';
import { normalize } from './normalize.ts';
import { shinglesOf, wordsOf } from './words.ts';

/** All that is compared of a text, made when it is asked for: most texts that are read are only asked for their hash. */
export class Fingerprint {
  readonly #fields: readonly string[];
  readonly #settings: DedupSettings;
  #normalized: readonly string[] | undefined;
  #hash: string | undefined;
  #words: readonly string[] | undefined;
  #shingles: readonly string[] | undefined;
  #set: ReadonlySet<string> | undefined;

  /** The fields of a document, in order. */
  constructor(fields: readonly string[], settings: DedupSettings) {
    this.#fields = fields;
    this.#settings = settings;
  }

  /** The fields as they were given, one per line: what is embedded of a text that is in no record. */
  get text(): string {
    return this.#fields.filter((field) => field !== '').join('\n');
  }

  /** Whether the fields are the same, to the letter. */
  equals(other: Fingerprint): boolean {
    return this.#fields.every((field, at) => field === other.#fields[at]);
  }

  /** Of the same hash are exact copies. */
  get hash(): string {
    const compared = this.#settings.exact === 'normalized' ? this.#normal : this.#fields;
    // As JSON: where one field ends and the next begins counts.
    this.#hash ??= createHash('sha256').update(JSON.stringify(compared)).digest('base64url');
    return this.#hash;
  }

  /** Whether there is too little to compare, in characters of the normalized text. */
  get isTooShort(): boolean {
    return this.#whole.length < this.#settings.minLength;
  }

  get words(): readonly string[] {
    this.#words ??= wordsOf(this.#whole);
    return this.#words;
  }

  get shingles(): readonly string[] {
    this.#shingles ??= shinglesOf(this.words, this.#settings.near.words);
    return this.#shingles;
  }

  get set(): ReadonlySet<string> {
    this.#set ??= new Set(this.shingles);
    return this.#set;
  }

  get #normal(): readonly string[] {
    this.#normalized ??= this.#fields.map((field) => normalize(field));
    return this.#normalized;
  }

  get #whole(): string {
    return this.#normal.filter((field) => field !== '').join(' ');
  }
}

/** The buckets of a text; none where nothing but exact copies is looked for. */
export function bucketsOf({ set }: Pick<Fingerprint, 'set'>, { near }: DedupSettings): string[] {
  return near.isOn ? bandsOf(set, near) : [];
}
