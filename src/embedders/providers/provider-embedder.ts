import { throwIfAborted } from '../../core/abort.ts';
import type { Embedded, Embedder, EmbedOptions } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { checkDimensions } from '../../core/vectors/index.ts';
import { checkAnswers, rejected } from '../answers.ts';
import { linkedController } from './linked.ts';
import type { Outcome } from './outcome.ts';
import type { PatientSender } from './patient-sender.ts';
import { type BatchLimits, splitBatches } from './split.ts';

/** Any model takes it: where it is refused, the texts are not to blame. */
const HARMLESS = 'norimaki';

/** An embedder in front of a provider: cuts texts into batches, and finds the text that a provider does not take. */
export class ProviderEmbedder implements Embedder {
  readonly id: string;
  readonly dimensions: number;
  readonly #limits: BatchLimits;
  readonly #sender: PatientSender;
  /** It took a text once, so that what it refuses is to blame on a text. */
  #hasServed = false;

  constructor(id: string, dimensions: number, limits: BatchLimits, sender: PatientSender) {
    checkDimensions(dimensions);
    this.id = id;
    this.dimensions = dimensions;
    this.#limits = limits;
    this.#sender = sender;
  }

  async embed(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<readonly Embedded[]> {
    throwIfAborted(signal);
    const call = new Call(signal);
    try {
      const batches = splitBatches(texts, this.#limits);
      const answers = await Promise.all(batches.map((batch) => this.#deliver(batch, call)));
      throwIfAborted(signal);
      if (call.mustReject) throw call.failure;
      return answers.flat();
    } finally {
      call.end();
    }
  }

  /** Answers each text, with the failure of the call if there is nothing better. Never rejects. */
  async #deliver(texts: readonly string[], call: Call): Promise<readonly Embedded[]> {
    try {
      return await this.#send(texts, call);
    } catch (error) {
      call.fail(error);
      // Anything else makes the whole call reject.
      return call.failure instanceof NorimakiError ? texts.map(() => call.failure as NorimakiError) : [];
    }
  }

  /** Rejects with what ends the call. */
  async #send(texts: readonly string[], call: Call): Promise<readonly Embedded[]> {
    const outcome = this.#checked(texts, await this.#sender.send(texts, call.signal));
    if (outcome.kind !== 'answered' && outcome.kind !== 'refused') throw outcome.error;
    if (outcome.kind === 'refused' && texts.length > 1) {
      if (!this.#hasServed) await this.#blameTexts(call);
      const middle = Math.ceil(texts.length / 2);
      const halves = [texts.slice(0, middle), texts.slice(middle)];
      return (await Promise.all(halves.map((half) => this.#deliver(half, call)))).flat();
    }
    call.hasAnswers = true;
    if (outcome.kind === 'refused') return [outcome.error];
    this.#hasServed = true;
    return outcome.answers;
  }

  /** Rejects unless a refusal says something of the texts: a wrong model or option is refused in the same way. */
  async #blameTexts({ signal }: Call): Promise<void> {
    const outcome = await this.#sender.send([HARMLESS], signal);
    if (outcome.kind === 'refused') {
      throw rejected(this.id, `The embedder ${this.id} refuses every text. Check its model and its options.`);
    }
    if (outcome.kind !== 'answered') throw outcome.error;
    this.#hasServed = true;
  }

  #checked(texts: readonly string[], outcome: Outcome): Outcome {
    if (outcome.kind !== 'answered') return outcome;
    const answers = checkAnswers(this, texts, outcome.answers);
    // One is a text's fault; all of several are the embedder's, and the next batch would be paid for nothing.
    const [first] = answers;
    const isUseless = texts.length > 1 && answers.every((answer) => answer instanceof NorimakiError);
    return isUseless && NorimakiError.is(first, 'embedder.rejected')
      ? { kind: 'denied', error: first }
      : { kind: 'answered', answers };
  }
}

/** One call of embed(): ends as a whole at the first failure that is not a text's own. */
class Call {
  /** Some text was answered, with its vector or with an error of its own. */
  hasAnswers = false;
  failure: unknown;
  readonly #linked: ReturnType<typeof linkedController>;

  constructor(signal: AbortSignal | undefined) {
    this.#linked = linkedController(signal);
  }

  get signal(): AbortSignal {
    return this.#linked.controller.signal;
  }

  get mustReject(): boolean {
    return this.failure !== undefined && !(this.hasAnswers && this.failure instanceof NorimakiError);
  }

  /** The first failure counts; those after it are its consequence. */
  fail(error: unknown): void {
    this.failure ??= error;
    this.#linked.controller.abort();
  }

  end(): void {
    this.#linked.unlink();
  }
}
