import type { Store } from '../../core/store.ts';
import type { Database } from '../../repositories/index.ts';
import { governed, type TenantPolicy } from '../../repositories/internal.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Allowance } from './allowance.ts';
import { KeyRing } from './encryption.ts';
import type { TenantState } from './records.ts';
import type { Registry } from './registry.ts';
import { Standing } from './standing.ts';

/** What all handles of one generation of a tenant share in this process. */
interface Managed<St extends Store> {
  readonly standing: Standing;
  readonly allowance: Allowance;
  readonly ring: KeyRing | undefined;
  readonly handle: Database<St, string>;
  /** Asks the store at every call. */
  readonly strong: Database<St, string>;
}

/** The handles of this process. */
export class Handles<St extends Store> {
  readonly #db: Database<St>;
  readonly #registry: Registry;
  readonly #managed = new Map<string, Managed<St>>();
  readonly #closing = new AbortController();

  constructor(db: Database<St>, registry: Registry) {
    this.#db = db;
    this.#registry = registry;
  }

  /** Of the generation that the tenant has now, which was read at an instant of the monotonic clock. */
  async of(state: TenantState, sent: number): Promise<Managed<St>> {
    const { encryption } = this.#registry.settings;
    const keys = await encryption?.keys(state.id);
    let managed = this.#managed.get(state.id);
    if (managed === undefined || managed.standing.generation < state.generation) {
      managed = this.#make(state);
      this.#managed.set(state.id, managed);
    }
    managed.standing.learn(state, sent);
    if (keys !== undefined) managed.ring?.turn(keys);
    return managed;
  }

  /** The ring of a tenant's keys, for work below its handles. */
  async ringOf(id: string): Promise<KeyRing | undefined> {
    const { encryption } = this.#registry.settings;
    if (encryption === undefined) return undefined;
    const ring = new KeyRing(this.#registry.environment.random);
    ring.turn(await encryption.keys(id));
    return ring;
  }

  /** What this process could store of a tenant without asking goes back to the others. */
  async giveBack(id: string, options: BlockCallOptions): Promise<void> {
    await this.#managed.get(id)?.allowance.giveBack(options);
  }

  /** Gives everything back. Errors: those of a write; what could not be given back counts as stored. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { allowance } of this.#managed.values()) await allowance.giveBack();
  }

  #make(state: TenantState): Managed<St> {
    const { records, settings, environment } = this.#registry;
    const standing = new Standing(state, records, settings, environment);
    const allowance = new Allowance(standing, records, environment, {
      idle: settings.idle,
      closed: this.#closing.signal,
    });
    const ring = settings.encryption === undefined ? undefined : new KeyRing(environment.random);
    const { id: tenant, generation } = state;
    const handle = (admit: TenantPolicy['admit']): Database<St, string> =>
      governed(this.#db, { tenant, generation, policy: { admit, meter: allowance, sealer: ring } });
    return {
      standing,
      allowance,
      ring,
      handle: handle((access, { signal }) => {
        const known = standing.fresh();
        if (known === undefined) return standing.renew(signal).then((read) => standing.check(read, access));
        standing.check(known, access);
      }),
      strong: handle((access, { signal }) => standing.read(signal).then((read) => standing.check(read, access))),
    };
  }
}
