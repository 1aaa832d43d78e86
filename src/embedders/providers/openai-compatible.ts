import type { Embedder } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { readEmbeddings, readReason } from './openai-response.ts';
import { denied, down, type Outcome, refusal } from './outcome.ts';
import { PatientSender } from './patient-sender.ts';
import { ProviderEmbedder } from './provider-embedder.ts';
import { retryAfter } from './retry-after.ts';
import { type ProviderOptions, type ProviderSettings, providerSettings } from './settings.ts';

/** Options of {@link openAiCompatible}. */
export interface OpenAiCompatibleOptions extends ProviderOptions {
  /** Where the API begins, such as `https://api.openai.com/v1`; calls go to `embeddings` below it. */
  readonly url: string | URL;
  readonly model: string;
  /** The length of the model's vectors. */
  readonly dimensions: number;
  /** Asks the model for vectors of `dimensions`, for models that can shorten theirs. Default `false`. */
  readonly shorten?: boolean | undefined;
  /** Sent as bearer token. Never in a message, nor in the id. */
  readonly apiKey?: string | undefined;
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Default: host, model and dimensions. Give one of your own where the host changes and the model does not, or the model
   * changes and its name does not.
   */
  readonly id?: string | undefined;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

class Endpoint {
  readonly #id: string;
  readonly #url: URL;
  readonly #options: OpenAiCompatibleOptions;
  readonly #settings: ProviderSettings;
  readonly #headers: Headers;
  readonly #secrets: readonly string[];

  constructor(id: string, url: URL, options: OpenAiCompatibleOptions, settings: ProviderSettings) {
    this.#id = id;
    this.#url = url;
    this.#options = options;
    this.#settings = settings;
    this.#headers = headersOf(options);
    this.#secrets = [options.apiKey, ...Object.values(options.headers ?? {})].filter((secret) => secret !== undefined);
  }

  async send(texts: readonly string[], signal: AbortSignal): Promise<Outcome> {
    const { model, dimensions, shorten = false, fetch = globalThis.fetch } = this.#options;
    const request = { model, input: texts, encoding_format: 'float', ...(shorten ? { dimensions } : {}) };
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(request),
        // The texts and the key are for this host only.
        redirect: 'manual',
        signal,
      });
      text = await response.text();
    } catch (error) {
      return down(this.#id, `was not reached${networkReason(error)}`);
    }
    return this.#read(response, parseJson(text), texts.length);
  }

  #read(response: Response, body: unknown, count: number): Outcome {
    if (!response.ok) {
      return refusal(this.#id, {
        status: response.status,
        retryAfter: retryAfter((name) => response.headers.get(name), this.#settings.environment.clock),
        reason: readReason(body, this.#secrets),
      });
    }
    const answers = readEmbeddings(body, count);
    if (answers !== undefined) return { kind: 'answered', answers };
    return denied(this.#id, 'answered with something else than one vector for each text. Check its url.');
  }
}

function headersOf({ apiKey, headers }: OpenAiCompatibleOptions): Headers {
  try {
    const all = new Headers({ ...headers, 'content-type': 'application/json' });
    if (apiKey !== undefined) all.set('authorization', `Bearer ${apiKey}`);
    return all;
  } catch {
    // Without the cause, which quotes the header.
    throw new NorimakiError('argument.invalid', 'The apiKey or the headers hold characters that no header can have.', {
      argument: 'headers',
    });
  }
}

function endpointOf(url: string | URL): URL {
  let endpoint: URL | undefined;
  try {
    endpoint = new URL(url);
  } catch {}
  if (!/^https?:$/.test(endpoint?.protocol ?? '') || endpoint === undefined) {
    throw new NorimakiError('argument.invalid', 'url begins with http:// or https://.', { argument: 'url' });
  }
  if (endpoint.username !== '' || endpoint.password !== '') {
    throw new NorimakiError('argument.invalid', 'url holds credentials; pass them as apiKey or in headers.', {
      argument: 'url',
    });
  }
  endpoint.pathname = `${endpoint.pathname.replace(/\/+$/, '')}/embeddings`;
  return endpoint;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Such as `ECONNRESET`. Nothing else of the error: a fetch of somebody's own may say anything. */
function networkReason(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' && /^[A-Z]+(?:_[A-Z]+)*$/.test(code) ? ` (${code})` : '';
}

/**
 * Any server that speaks the embeddings API of OpenAI: OpenAI itself, and most that host models, yours included.
 *
 * Cuts texts into batches; waits when the provider asks for it; finds the text that the provider does not take, and
 * answers the others. Errors: `argument.invalid`.
 *
 * @example
 * ```ts
 * const embedder = openAiCompatible({ url: 'http://127.0.0.1:11434/v1', model: 'nomic-embed-text', dimensions: 768 });
 * ```
 */
export function openAiCompatible(options: OpenAiCompatibleOptions): Embedder {
  const url = endpointOf(options.url);
  const settings = providerSettings(options);
  const id = options.id ?? `${url.host}/${options.model}?d=${options.dimensions}`;
  const endpoint = new Endpoint(id, url, options, settings);
  const sender = new PatientSender(id, settings, (texts, signal) => endpoint.send(texts, signal));
  return new ProviderEmbedder(id, options.dimensions, settings.limits, sender);
}
