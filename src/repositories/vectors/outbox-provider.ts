import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { fullJitter } from '../../core/retry/index.ts';

/** What an embedder answered to one text. */
export type Answer = Float32Array | NorimakiError;

type Unavailable = NorimakiError<'embedder.unavailable'>;

function isUnavailable(answer: Answer): answer is Unavailable {
  return NorimakiError.is(answer, 'embedder.unavailable');
}

/** A text that may be the reason why its provider seems to be down. */
export interface Suspect {
  /** Names its record. */
  readonly key: string;
  blame(): Promise<void>;
}

/** Pauses of a whole provider. */
const PAUSE_POLICY = { maxAttempts: Number.POSITIVE_INFINITY, deadline: 0, base: 1_000, cap: 60_000 };
const SHORTEST_PAUSE_MS = 100;
const MAX_LIMIT = 64;
const MAX_SUSPECTED = 1000;

/**
 * What the workers of this process know of one embedder. When it is down nobody asks, and no record's tries are used
 * up; after a pause a single text finds out whether it is back, then two, four, and so on: so a text that makes every
 * call fail is soon alone.
 */
export class Provider {
  readonly #environment: Environment;
  /** Since the last success. */
  #failures = 0;
  /** On the monotonic clock. */
  #until = 0;
  /** Texts that may be sent together. */
  #limit = Number.POSITIVE_INFINITY;
  #isProbed = false;
  /** The text that failed when it was asked for alone. */
  #suspect: Suspect | undefined;
  /** Texts after which the provider was back at once: the first time that may be chance. */
  readonly #suspected = new Set<string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** How long until it may be asked; 0: now. */
  get wait(): number {
    if (this.#isProbed) return SHORTEST_PAUSE_MS;
    return Math.max(0, this.#until - this.#environment.clock.mono());
  }

  /** How many of these texts may be sent now; to be followed by `judge` or `cancel`. */
  begin(texts: number): number {
    if (this.wait > 0 || texts === 0) return 0;
    this.#isProbed = this.#failures > 0;
    return Math.min(texts, this.#limit);
  }

  /** The texts were not sent after all, or their answers did not come. */
  cancel(): void {
    this.#isProbed = false;
  }

  /**
   * Learns from the answers to texts that were sent together. Resolves, for each, to whether a failure is the text's
   * own: not where none of several got a vector, for then it is the provider or its configuration. A text that fails
   * alone, as if the provider were down, and twice so while another one then succeeds, is blamed for it.
   */
  async judge(answers: readonly Answer[], first: Suspect): Promise<boolean[]> {
    this.#isProbed = false;
    const succeeded = answers.some((answer) => answer instanceof Float32Array);
    const isAlone = answers.length === 1;
    const unavailable = answers.filter(isUnavailable);
    const isRefusingAll = !succeeded && !isAlone && unavailable.length === 0;
    const wasDown = this.#failures > 0;
    const suspect = this.#suspect;
    if (succeeded) {
      this.#failures = 0;
      this.#limit = this.#limit < MAX_LIMIT ? 2 * this.#limit : Number.POSITIVE_INFINITY;
      this.#suspect = undefined;
    }
    if (unavailable.length > 0 || isRefusingAll || (wasDown && !succeeded)) this.#pause(unavailable);
    if (isAlone && unavailable.length > 0) this.#suspect = first;
    if (succeeded && suspect !== undefined) await this.#accuse(suspect);
    return answers.map((answer) => !isRefusingAll && !(answer instanceof Float32Array) && !isUnavailable(answer));
  }

  async #accuse({ key, blame }: Suspect): Promise<void> {
    if (this.#suspected.delete(key)) return blame();
    if (this.#suspected.size === MAX_SUSPECTED) this.#suspected.clear();
    this.#suspected.add(key);
  }

  #pause(errors: readonly Unavailable[]): void {
    const { clock, random } = this.#environment;
    this.#failures++;
    this.#limit = 1;
    const asked = errors.map(({ details }) => details.retryAfter ?? 0);
    const wait = Math.max(SHORTEST_PAUSE_MS, fullJitter(this.#failures, PAUSE_POLICY, random));
    this.#until = clock.mono() + Math.max(0, ...asked) + wait;
  }
}

/** The providers of one process, by the ids of their embedders. */
export class Providers {
  readonly #environment: Environment;
  readonly #providers = new Map<string, Provider>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  of(embedder: string): Provider {
    let provider = this.#providers.get(embedder);
    if (provider === undefined) {
      provider = new Provider(this.#environment);
      this.#providers.set(embedder, provider);
    }
    return provider;
  }
}
