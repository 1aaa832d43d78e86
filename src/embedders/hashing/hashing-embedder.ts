import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { throwIfAborted } from '../../core/abort.ts';
import type { Embedded, Embedder, EmbedOptions } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { checkDimensions } from '../../core/vectors/index.ts';
import { rejected } from '../answers.ts';
import { type FeatureOptions, featuresOf, slotOf, wordsOf } from './features.ts';

/** Options of {@link hashingEmbedder}. */
export interface HashingOptions {
  /** The length of the vectors, 1 to 4,096. In fewer, more words fall together. Default 384. */
  readonly dimensions?: number | undefined;
  /** Whole words count. Default `true`. */
  readonly words?: boolean | undefined;
  /** Parts of words of so many characters count, so that a misspelt word is still found. Default `[3, 5]`. */
  readonly characters?: readonly [shortest: number, longest: number] | false | undefined;
}

/** Grows with every change after which the same text has another vector. */
const REVISION = 1;
const LONGEST_PART = 32;
/** Slots kept for words met before, which most words of a text are: 8 MiB. */
const REMEMBERED_SLOTS = 2 ** 21;
/** What a remembered word takes beside its slots, as slots. */
const WORD_SLOTS = 32;
/** Texts between two chances for others to run. */
const TURN = 64;

class Hashing implements Embedder {
  readonly id: string;
  readonly dimensions: number;
  readonly #features: FeatureOptions;
  readonly #slots = new LRUCache<string, Int32Array>({
    maxSize: REMEMBERED_SLOTS,
    sizeCalculation: ({ length }) => length + WORD_SLOTS,
  });

  constructor({ dimensions = 384, words = true, characters = [3, 5] }: HashingOptions) {
    checkDimensions(dimensions);
    if (!words && characters === false) refuse('words', 'Words, parts of words, or both must count.');
    const parts = characters === false ? undefined : checkCharacters(characters);
    this.dimensions = dimensions;
    this.#features = { words, characters: parts };
    this.id = `norimaki/hashing@${REVISION}?d=${dimensions}&w=${words ? 1 : 0}&c=${parts?.join('-') ?? 0}`;
  }

  async embed(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<readonly Embedded[]> {
    const answers: Embedded[] = [];
    for (const [i, text] of texts.entries()) {
      if (i > 0 && i % TURN === 0) await setImmediate();
      throwIfAborted(signal);
      answers.push(this.#embedOne(text));
    }
    return answers;
  }

  #embedOne(text: string): Embedded {
    if (text.trim() === '') return rejected(this.id, 'A blank text has no vector.');
    const sums = new Float64Array(this.dimensions);
    const counts = new Map<string, number>();
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    // A word said often says more, but not so many times more. The root and not the logarithm, because all machines
    // agree on it to the last bit.
    for (const [word, count] of counts) add(sums, this.#slotsOf(word), Math.sqrt(count));
    // Where all that the words say cancels out, the text as a whole is left.
    if (sums.every((sum) => sum === 0)) add(sums, Int32Array.of(slotOf(`t:${text}`, this.dimensions)), 1);
    return normalised(sums);
  }

  #slotsOf(word: string): Int32Array {
    const known = this.#slots.get(word);
    if (known !== undefined) return known;
    const slots = Int32Array.from(featuresOf(word, this.#features), (feature) => slotOf(feature, this.dimensions));
    this.#slots.set(word, slots);
    return slots;
  }
}

function add(sums: Float64Array, slots: Int32Array, weight: number): void {
  // By index, which takes a fraction of an iterator's time; slotOf() stays within the dimensions.
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as number;
    const at = slot >> 1;
    sums[at] = (sums[at] as number) + ((slot & 1) === 0 ? weight : -weight);
  }
}

function normalised(sums: Float64Array): Float32Array {
  let squares = 0;
  for (let i = 0; i < sums.length; i++) squares += (sums[i] as number) ** 2;
  const norm = Math.sqrt(squares);
  const vector = new Float32Array(sums.length);
  for (let i = 0; i < sums.length; i++) vector[i] = (sums[i] as number) / norm;
  return vector;
}

function checkCharacters(characters: readonly [number, number]): readonly [number, number] {
  const [shortest, longest] = characters;
  const isRange = Number.isInteger(shortest) && Number.isInteger(longest) && shortest >= 1 && shortest <= longest;
  if (!isRange || longest > LONGEST_PART) {
    refuse('characters', `characters are two whole numbers from 1 to ${LONGEST_PART}, the smaller first, or false.`);
  }
  return [shortest, longest];
}

function refuse(argument: string, message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument });
}

/**
 * Embeds by the words of a text and by their parts: offline, the same on every machine, with nothing to install. It
 * finds texts that share words, also misspelt ones; it knows nothing of what they mean.
 *
 * The method is feature hashing with signs (Weinberger et al. 2009, https://arxiv.org/abs/0902.2206) over words and their
 * n-grams, as in fastText.
 *
 * @example
 * ```ts
 * await using db = await open(memory(), { embedder: hashingEmbedder() });
 * ```
 */
export function hashingEmbedder(options: HashingOptions = {}): Embedder {
  return new Hashing(options);
}
