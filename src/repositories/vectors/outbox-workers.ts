import type { Environment } from '../../core/clock.ts';
import { keyName } from '../../core/keys/index.ts';
import type { RepositoryContext } from '../context.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { OutboxPolicy } from './outbox-options.ts';
import { Providers } from './outbox-provider.ts';
import { type OutboxHost, OutboxWorker } from './outbox-worker.ts';

/** Outboxes that one process looks after at most, one for each entity and tenant: the least recently used are left. */
const MAX_WORKERS = 1000;
/** How long closing waits for a store that does not answer. */
const CLOSING_MS = 10_000;

/** The workers of one process, one for each outbox that it has met. */
export class OutboxWorkers implements OutboxHost {
  readonly #environment: Environment;
  readonly #policy: OutboxPolicy;
  readonly #providers: Providers;
  /** The most recently used last. */
  readonly #workers = new Map<string, OutboxWorker>();
  readonly #closed = new AbortController();
  /** Names this process in the entries that it holds. */
  #owner: string | undefined;

  constructor(environment: Environment, policy: OutboxPolicy) {
    this.#environment = environment;
    this.#policy = policy;
    this.#providers = new Providers(environment);
  }

  get isRunning(): boolean {
    return this.#policy.every !== undefined && !this.#closed.signal.aborted;
  }

  /** The worker of an entity with deferred embeddings. A new one looks for what other processes have left behind. */
  of(context: Omit<RepositoryContext, 'outbox'>): OutboxWorker | undefined {
    const { model, vectors, keys } = context;
    if (vectors === undefined || !model.embeddings.some(({ mode }) => mode === 'deferred')) return undefined;
    const name = keyName(keys.wholeOutbox().start);
    const known = this.#workers.get(name);
    if (known !== undefined) return this.activate(known);
    if (this.#owner === undefined) {
      this.#owner = randomOperationId(this.#environment.random);
      void this.#lookNowAndThen();
    }
    const { attempts } = this.#policy;
    const driver = { vectors, owner: this.#owner, providers: this.#providers, attempts };
    const worker = this.activate(new OutboxWorker(name, this, context, driver));
    worker.look();
    return worker;
  }

  activate(worker: OutboxWorker): OutboxWorker {
    const active = this.#workers.get(worker.name) ?? worker;
    this.#workers.delete(active.name);
    this.#workers.set(active.name, active);
    if (this.#workers.size > MAX_WORKERS) {
      const unused = [...this.#workers.values()].find((other) => other.isIdle && other !== active);
      if (unused !== undefined) this.#workers.delete(unused.name);
    }
    return active;
  }

  /** Ends all work, and waits for what is on its way to the store. */
  async close(): Promise<void> {
    this.#closed.abort();
    const stopped = new AbortController();
    const all = Promise.all(Array.from(this.#workers.values(), (worker) => worker.stop()));
    const patience = this.#environment.clock.sleep(CLOSING_MS, { signal: stopped.signal }).catch(() => {});
    await Promise.race([all, patience]);
    stopped.abort();
  }

  async #lookNowAndThen(): Promise<void> {
    const { every } = this.#policy;
    if (every === undefined) return;
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#environment.clock.sleep(every, { signal, background: true }).catch(() => {});
      for (const worker of this.#workers.values()) worker.look();
    }
  }
}
