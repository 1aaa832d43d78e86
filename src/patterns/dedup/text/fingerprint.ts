import { createHash } from 'node:crypto';
import type { DedupSettings } from '../settings.ts';
import { bandsOf } from './min-hash.ts';
import { normalize } from './normalize.ts';
import { shinglesOf, wordsOf } from './words.ts';

/** All that is compared of a text. */
export interface Fingerprint {
  /** The fields as they were given, one per line: what is embedded of a text that is in no record. */
  readonly text: string;
  /** Of the same hash are exact copies. */
  readonly hash: string;
  /** Characters of the normalized text. */
  readonly length: number;
  readonly words: readonly string[];
  readonly shingles: readonly string[];
  readonly set: ReadonlySet<string>;
}

/** The fingerprint of the fields of a document. */
export function fingerprint(fields: readonly string[], { exact, near }: DedupSettings): Fingerprint {
  const normalized = fields.map((field) => normalize(field));
  const text = fields.filter((field) => field !== '').join('\n');
  const compared = exact === 'normalized' ? normalized : fields;
  // As JSON: where one field ends and the next begins counts.
  const hash = createHash('sha256').update(JSON.stringify(compared)).digest('base64url');
  const whole = normalized.filter((field) => field !== '').join(' ');
  const words = wordsOf(whole);
  const shingles = shinglesOf(words, near.words);
  return { text, hash, length: whole.length, words, shingles, set: new Set(shingles) };
}

/** The buckets of a text; none where nothing but exact copies is looked for. */
export function bucketsOf({ set }: Fingerprint, { near }: DedupSettings): string[] {
  return near.isOn ? bandsOf(set, near) : [];
}
