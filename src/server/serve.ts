import type { StoreSource } from '../core/store.ts';
import { checkSource, openSource } from '../core/store-source.ts';
import { requireGrpc } from '../wire/optional.ts';
import { joinAddress, type ServeOptions, type Settings, settingsOf } from './options.ts';
import type { Started } from './start.ts';

export interface CloseOptions {
  /** How long calls that run may take to end, in milliseconds; default 10,000. */
  readonly grace?: number | undefined;
}

/** A server that listens. */
export interface NorikvServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /**
   * Takes no more calls, answers those that run, and closes the store if `serve` opened it. After the grace it cuts what is
   * left: a write that was under way then may be applied, and nobody is told. Harmless twice.
   */
  close(options?: CloseOptions): Promise<void>;
}

const GRACE_MS = 10_000;
/** What a right call looks like. */
const USAGE = "serve takes a store and options: serve(embedded({ path: './data' }), { port: 7447 }).";

/**
 * Serves a store to clients of NoriKV, and to `norikv()` of `norimaki/stores/norikv`, until it is closed. A store that it
 * opened is closed with it; one that was handed in open stays open.
 *
 * Errors: `argument.invalid`, `capability.missing` where `@grpc/grpc-js` is not installed, and those of opening the store.
 *
 * @example
 * ```ts
 * await using server = await serve(embedded({ path: './data' }), { port: 7447 });
 * console.log(server.address);
 * ```
 */
export async function serve(source: StoreSource, options: ServeOptions = {}): Promise<NorikvServer> {
  checkSource(source, USAGE);
  const settings = settingsOf(options);
  await requireGrpc('the server');
  const { start } = await import('./start.ts');
  const { store, release } = await openSource(source, settings.environment);
  try {
    const server = new RunningServer(await start(store, settings), settings, release);
    server.closeOn(options.signal);
    return server;
  } catch (error) {
    await release();
    throw error;
  }
}

class RunningServer implements NorikvServer {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly #started: Started;
  readonly #settings: Settings;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;
  /** Leaves the signal that closes it. */
  #forgetSignal: () => void = () => {};

  constructor(started: Started, settings: Settings, release: () => Promise<void>) {
    this.host = settings.host;
    this.port = started.port;
    this.address = joinAddress(settings.host, started.port);
    this.#started = started;
    this.#settings = settings;
    this.#release = release;
  }

  close({ grace = GRACE_MS }: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  closeOn(signal: AbortSignal | undefined): void {
    // What closing the store throws is told to whoever calls close().
    const close = (): void => void this.close().catch(() => {});
    if (signal?.aborted) close();
    else signal?.addEventListener('abort', close, { once: true });
    this.#forgetSignal = () => signal?.removeEventListener('abort', close);
  }

  async #close(grace: number): Promise<void> {
    const { clock } = this.#settings;
    this.#forgetSignal();
    const done = new AbortController();
    const finished = this.#started.finish().then(() => done.abort());
    // No grace is none by any clock, also by one that stands still.
    const tooLong = grace > 0 ? clock.sleep(grace, { signal: done.signal }) : Promise.resolve();
    await Promise.race([finished, tooLong.catch(() => finished)]);
    if (!done.signal.aborted) this.#started.cut();
    await this.#release();
  }
}
