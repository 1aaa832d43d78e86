import { createHash } from 'node:crypto';
import type { Embedder, EmbedOptions } from '../../core/embedder.ts';
import { linkedController } from './linked.ts';
import { denied, down, type Outcome, refusal } from './outcome.ts';
import { PatientSender } from './patient-sender.ts';
import { ProviderEmbedder } from './provider-embedder.ts';
import { retryAfter } from './retry-after.ts';
import { type ProviderOptions, type ProviderSettings, providerSettings } from './settings.ts';

type Json = null | string | number | boolean | Json[] | { [key: string]: Json | undefined };

/** For the provider itself, by its name, as the AI SDK takes them. */
export type AiSdkProviderOptions = Record<string, { [key: string]: Json | undefined }>;

/** What is used of an embedding model of the AI SDK (its specification v2, v3 or v4). */
export interface AiSdkEmbeddingModel {
  readonly specificationVersion: 'v2' | 'v3' | 'v4';
  readonly provider: string;
  readonly modelId: string;
  readonly maxEmbeddingsPerCall: PromiseLike<number | undefined> | number | undefined;
  readonly supportsParallelCalls: PromiseLike<boolean> | boolean;
  doEmbed(options: {
    values: string[];
    abortSignal?: AbortSignal;
    providerOptions?: AiSdkProviderOptions;
  }): PromiseLike<{ embeddings: number[][] }>;
}

/** Options of {@link aiSdkEmbedder}. */
export interface AiSdkOptions extends ProviderOptions, EmbedOptions {
  /** The length of the model's vectors. Default: asked for, by embedding one word. */
  readonly dimensions?: number | undefined;
  readonly providerOptions?: AiSdkProviderOptions | undefined;
  /** Default: provider, model, dimensions, and a hash of `providerOptions`. */
  readonly id?: string | undefined;
}

const PROBE = 'norimaki';

async function send(
  id: string,
  model: AiSdkEmbeddingModel,
  { environment }: ProviderSettings,
  providerOptions: AiSdkProviderOptions | undefined,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const { embeddings } = await model.doEmbed({
      values: [...texts],
      abortSignal: signal,
      ...(providerOptions === undefined ? {} : { providerOptions }),
    });
    return { kind: 'answered', answers: embeddings };
  } catch (error) {
    return outcomeOf(id, error, environment);
  }
}

/** What the SDK's `APICallError` says, known by its parts: several versions of the SDK may be in one program. */
interface ApiCallError extends Error {
  readonly isRetryable: boolean;
  readonly statusCode?: number;
  readonly responseHeaders?: Record<string, string>;
}

function isApiCallError(error: unknown): error is ApiCallError {
  return error instanceof Error && 'isRetryable' in error && typeof error.isRetryable === 'boolean';
}

/** Without the error itself: it holds the texts, and what the provider said of the key. */
function outcomeOf(id: string, error: unknown, { clock }: ProviderSettings['environment']): Outcome {
  if (isApiCallError(error)) {
    const { statusCode: status, responseHeaders = {}, isRetryable } = error;
    if (status === undefined) return isRetryable ? down(id, 'was not reached') : denied(id, 'cannot be called.');
    const outcome = refusal(id, { status, retryAfter: retryAfter((name) => responseHeaders[name], clock) });
    return outcome.kind === 'denied' && isRetryable ? down(id, `failed (${status})`) : outcome;
  }
  // Every error that the SDK throws on purpose has such a name: a missing key, an answer that makes no sense.
  if (error instanceof Error && /^AI_[A-Za-z]+$/.test(error.name)) {
    return denied(id, `cannot be called (${error.name}). Try the model by itself, with embed() of the AI SDK.`);
  }
  return down(id, 'failed');
}

/** The same text for equal options, in whatever order they stand. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join()}}`;
}

function optionsTag(providerOptions: AiSdkProviderOptions | undefined): string {
  if (providerOptions === undefined) return '';
  return `&o=${createHash('sha256').update(canonical(providerOptions)).digest('hex').slice(0, 16)}`;
}

/**
 * Any embedding model of the Vercel AI SDK. Batches and calls at the same time are as the model allows; all else is as in
 * {@link openAiCompatible}.
 *
 * Errors: `argument.invalid`; where `dimensions` are not given, those of the embedder.
 *
 * @example
 * ```ts
 * const embedder = await aiSdkEmbedder(openai.embedding('text-embedding-3-small'));
 * ```
 */
export async function aiSdkEmbedder(model: AiSdkEmbeddingModel, options: AiSdkOptions = {}): Promise<Embedder> {
  const [most = Infinity, isParallel] = await Promise.all([model.maxEmbeddingsPerCall, model.supportsParallelCalls]);
  const settings = providerSettings({ ...options, ...(isParallel ? {} : { concurrency: 1 }) });
  const { providerOptions, signal } = options;
  const name = `${model.provider}/${model.modelId}`;
  const senderOf = (id: string): PatientSender =>
    new PatientSender(id, settings, (texts, abort) => send(id, model, settings, providerOptions, texts, abort));
  const dimensions = options.dimensions ?? (await probe(senderOf(options.id ?? name), signal));
  const id = options.id ?? `${name}?d=${dimensions}${optionsTag(providerOptions)}`;
  const limits = { ...settings.limits, texts: Math.min(settings.limits.texts, most) };
  return new ProviderEmbedder(id, dimensions, limits, senderOf(id));
}

/** How long a vector of the model is. */
async function probe(sender: PatientSender, signal: AbortSignal | undefined): Promise<number> {
  const { controller, unlink } = linkedController(signal);
  try {
    const outcome = await sender.send([PROBE], controller.signal);
    if (outcome.kind !== 'answered') throw outcome.error;
    const [vector] = outcome.answers;
    return Array.isArray(vector) ? vector.length : 0;
  } finally {
    unlink();
  }
}
