import type {
  CommitOperation,
  CommitOptions,
  DeleteOptions,
  Key,
  KeyRange,
  PutOptions,
  ReadOptions,
  ScanOptions,
  ScanPage,
  Store,
  Stored,
  Watch,
  WatchOptions,
  WriteOptions,
} from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { printKey } from '../print-key.ts';
import { pickInt } from '../seeded-random.ts';
import { StoreWrapper, vectorsOf } from '../store-wrapper.ts';
import { type Attempt, canHit, isFair, mayBeStale } from './attempt.ts';
import { commitDelivery, type Delivery, deleteDelivery, pretendedRefusal, putDelivery } from './delivery.ts';
import {
  type FaultCall,
  type FaultKind,
  type FaultOptions,
  type InjectedFault,
  SimulatedCrash,
  type VectorName,
} from './fault.ts';
import type { FaultControls } from './fault-store.ts';
import { FaultyVectors } from './faulty-vectors.ts';
import { FaultyWatches } from './faulty-watches.ts';
import { Network, unavailable } from './network.ts';
import { PastStates } from './past-states.ts';

/** Chance tries them in this order, and the first that hits wins. `delay` comes on top of the others. */
const KINDS: readonly FaultKind[] = [
  'crashBefore',
  'crashAfter',
  'conflict',
  'errorBefore',
  'lostRequest',
  'errorAfter',
  'zombie',
  'lateDuplicate',
  'duplicate',
  'staleRead',
  'lostWatch',
];

/** The store behind {@link faultStore}. */
export class FaultyStore extends StoreWrapper implements FaultControls {
  readonly injected: InjectedFault[] = [];
  override readonly vectors: FaultyVectors;
  readonly #options: FaultOptions;
  readonly #past: PastStates;
  readonly #network: Network;
  readonly #watches: FaultyWatches;
  #calls = 0;
  #crashed = false;
  #healed = false;

  constructor(inner: Store, options: FaultOptions) {
    super(inner);
    this.#options = options;
    this.#past = new PastStates(options.clock);
    this.#network = new Network(inner, options);
    this.vectors = new FaultyVectors({
      random: options.random,
      inner: () => vectorsOf(inner, 'vectors'),
      attempt: (attempt) => this.#attempt(attempt),
    });
    this.#watches = new FaultyWatches({
      random: options.random,
      isHealed: () => this.#healed,
      delay: async () => {
        if (!this.#healed && this.#happens('delay')) await this.#network.delay(undefined, 'no');
      },
    });
  }

  override async get(key: Key, options: ReadOptions = {}): Promise<Stored | undefined> {
    return this.#attempt<Stored | undefined>({
      verb: 'get',
      keys: [key],
      vectors: [],
      signal: options.signal,
      perform: async () => {
        const state = await this.inner.get(key, options);
        this.#past.see(key, state);
        return state;
      },
      ...(mayBeStale(options) && this.#past.has(key) ? { stale: (fresh) => this.#stale(key, fresh) } : {}),
    });
  }

  override async getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<(Stored | undefined)[]> {
    const asked = [...keys];
    return this.#attempt<(Stored | undefined)[]>({
      verb: 'getMany',
      keys: asked,
      vectors: [],
      signal: options.signal,
      perform: async () => {
        const states = await this.inner.getMany(asked, options);
        for (const [i, key] of asked.entries()) this.#past.see(key, states[i]);
        return states;
      },
      ...(mayBeStale(options) && asked.some((key) => this.#past.has(key))
        ? { stale: (fresh) => asked.map((key, i) => this.#stale(key, fresh[i])) }
        : {}),
    });
  }

  override async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    const { ifMatch, ifAbsent, expiresAt } = options;
    return this.#write(
      'put',
      putDelivery({ type: 'put', key, value, ifMatch, ifAbsent, expiresAt }, options),
      options,
      () => this.inner.put(key, value, options),
    );
  }

  override async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    return this.#write(
      'delete',
      deleteDelivery({ type: 'delete', key, ifMatch: options.ifMatch }, options),
      options,
      () => this.inner.delete(key, options),
    );
  }

  override async commit(operations: readonly CommitOperation[], options: CommitOptions = {}): Promise<Version> {
    return this.#write('commit', commitDelivery(operations, options), options, () => super.commit(operations, options));
  }

  override async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    return this.#attempt({
      verb: 'scan',
      keys: [range.start, range.end],
      vectors: [],
      signal: options.signal,
      perform: () => super.scan(range, options),
    });
  }

  override async watch(range: KeyRange, options: WatchOptions = {}): Promise<Watch> {
    let isDoomed = false;
    const watch = await this.#attempt({
      verb: 'watch',
      keys: [range.start, range.end],
      vectors: [],
      signal: options.signal,
      perform: () => super.watch(range, options),
      doom: (begun) => {
        isDoomed = true;
        return begun;
      },
    });
    return this.#watches.wrap(watch, options, isDoomed);
  }

  override async close(): Promise<void> {
    if (!this.#crashed) await this.inner.close();
  }

  describeFaults(): string {
    if (this.injected.length === 0) return 'No fault was injected.';
    const line = ({ number, verb, keys, vectors, kind }: InjectedFault): string =>
      `call ${number}: ${verb} ${[...keys.map(printKey), ...vectors.map(printVector)].join(', ')}: ${kind}`;
    return this.injected.map(line).join('\n');
  }

  crash(): void {
    this.#crashed = true;
    this.#watches.crash();
  }

  deliverLate(): Promise<void> {
    return this.#network.deliver(Number.POSITIVE_INFINITY);
  }

  heal(): Promise<void> {
    this.#healed = true;
    return this.deliverLate();
  }

  #write<T extends Version | boolean>(
    verb: 'put' | 'delete' | 'commit',
    delivery: Delivery,
    { signal }: WriteOptions,
    send: () => Promise<T>,
  ): Promise<T> {
    const perform = async (): Promise<T> => {
      const answer = await send();
      this.#past.seeApplied(delivery.operations, typeof answer === 'boolean' ? undefined : answer);
      this.vectors.seeApplied(delivery.vectors);
      return answer;
    };
    const keys = delivery.operations.map(({ key }) => key);
    const vectors = delivery.vectors.map(({ namespace, id }) => ({ namespace, id }));
    return this.#attempt({ verb, keys, vectors, signal, delivery, perform });
  }

  async #attempt<T>(attempt: Attempt<T>): Promise<T> {
    const { verb, keys, vectors } = attempt;
    const call: FaultCall = { number: ++this.#calls, verb, keys, vectors };
    this.#throwIfCrashed();
    await this.#network.deliver(call.number);
    const fault = await this.#choose(call, attempt);
    const delay = this.#chooseDelay(fault);
    if (delay !== undefined) this.injected.push({ ...call, kind: 'delay' });
    if (fault !== undefined && fault !== 'delay') this.injected.push({ ...call, kind: fault });

    if (delay === 'before') await this.#network.delay(attempt.signal, 'no');
    this.#throwIfCrashed();
    const [outcome] = await Promise.allSettled([this.#perform(attempt, fault, call.number)]);
    if (delay === 'after') await this.#network.delay(attempt.signal, attempt.delivery === undefined ? 'no' : 'unknown');
    this.#throwIfCrashed();
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  async #choose<T>(call: FaultCall, attempt: Attempt<T>): Promise<FaultKind | undefined> {
    if (this.#healed) return undefined;
    const scripted = await this.#options.script?.(call);
    if (scripted === 'none') return undefined;
    if (scripted !== undefined) return canHit(scripted, attempt) ? scripted : undefined;
    const hits = KINDS.filter((kind) => this.#happens(kind));
    return hits.find((kind) => canHit(kind, attempt) && isFair(kind, attempt, this.capabilities, this.#options));
  }

  #chooseDelay(fault: FaultKind | undefined): 'before' | 'after' | undefined {
    if (fault !== 'delay' && (this.#healed || !this.#happens('delay'))) return undefined;
    return this.#options.random.float() < 0.5 ? 'before' : 'after';
  }

  #happens(kind: FaultKind): boolean {
    const probability = this.#options.faults?.[kind];
    return probability !== undefined && this.#options.random.float() < probability;
  }

  async #perform<T>(attempt: Attempt<T>, fault: FaultKind | undefined, number: number): Promise<T> {
    const { delivery, stale, doom } = attempt;
    if (fault === 'crashBefore') this.crash();
    this.#throwIfCrashed();
    if (fault === 'errorBefore') throw unavailable('no');
    if (fault === 'staleRead' && stale !== undefined) return stale(await attempt.perform());
    if (delivery !== undefined) {
      if (fault === 'conflict') throw pretendedRefusal(delivery, attempt.verb, number);
      if (fault === 'zombie') this.#network.hold(delivery, number);
      if (fault === 'lostRequest' || fault === 'zombie') throw unavailable('unknown');
      if (fault === 'errorAfter') {
        await this.#network.deliverUnheard(delivery);
        throw unavailable('unknown');
      }
    }
    const answer = await attempt.perform();
    if (fault === 'lostWatch' && doom !== undefined) return doom(answer);
    if (fault === 'crashAfter') this.crash();
    if (delivery !== undefined && fault === 'lateDuplicate') this.#network.hold(delivery, number);
    if (delivery !== undefined && fault === 'duplicate') await this.#network.deliverUnheard(delivery);
    return answer;
  }

  #stale(key: Key, fresh: Stored | undefined): Stored | undefined {
    const past = this.#past.before(key);
    return past.length === 0 ? fresh : past[pickInt(this.#options.random, past.length)];
  }

  #throwIfCrashed(): void {
    if (this.#crashed) throw new SimulatedCrash();
  }
}

function printVector({ namespace, id }: VectorName): string {
  return id === undefined ? JSON.stringify(namespace) : `${JSON.stringify(namespace)} ${JSON.stringify(id)}`;
}
