import { preconditionFailure } from '../../core/precondition.ts';
import type { DeleteOptions, Key, PutOptions } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import { makeVersion, type Version } from '../../core/version.ts';
import { shardOf } from '../../wire/index.ts';
import { type Cluster, notLeader } from '../cluster.ts';
import { type ServedStore, StoreLayer } from '../layers/store-layer.ts';

/** A version is read and compared, and then nothing holds it: two racing puts may both succeed. */
export class RacingCas extends StoreLayer {
  constructor(inner: ServedStore) {
    super(inner, { capabilities: { ...inner.capabilities, cas: 'best-effort', ifAbsent: false } });
  }

  override async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    const { ifMatch, ifAbsent, ...rest } = options;
    if (ifMatch !== undefined || ifAbsent) {
      const current = await this.inner.get(key, { signal: options.signal });
      const failure = preconditionFailure({ ifMatch, ifAbsent }, current?.version);
      if (failure !== undefined) throw failure;
      await nextTurn();
    }
    return this.inner.put(key, value, rest);
  }
}

type Proposal = Parameters<ServedStore['put']>;

interface Place {
  kept: Proposal;
  readonly done: Promise<Version>;
}

/** Puts into one shard at the same time take one place in its log: all are acknowledged, one is kept. */
export class LostProposal extends StoreLayer {
  readonly #shards: number;
  readonly #places = new Map<number, Place>();

  constructor(inner: ServedStore, shards: number) {
    super(inner);
    this.#shards = shards;
  }

  override async put(...proposal: Proposal): Promise<Version> {
    const shard = shardOf(proposal[0], this.#shards);
    const taken = this.#places.get(shard);
    if (taken !== undefined) {
      taken.kept = proposal;
      return taken.done;
    }
    const place: Place = { kept: proposal, done: nextTurn().then(() => this.#apply(shard, place)) };
    this.#places.set(shard, place);
    return place.done;
  }

  #apply(shard: number, { kept }: Place): Promise<Version> {
    this.#places.delete(shard);
    return this.inner.put(...kept);
  }
}

/** A delete asks for no version, and says that it deleted whatever was there. */
export class DeleteIgnoresIfMatch extends StoreLayer {
  constructor(inner: ServedStore) {
    super(inner, { capabilities: { ...inner.capabilities, deleteIfMatch: false } });
  }

  override async delete(key: Key, { ifMatch: _, ...rest }: DeleteOptions = {}): Promise<boolean> {
    await this.inner.delete(key, rest);
    return true;
  }
}

/** A put answers its place in the log of the shard, a get the version of the store. */
export class PutVersion extends StoreLayer {
  readonly #shards: number;
  readonly #logs = new Map<number, bigint>();

  constructor(inner: ServedStore, shards: number) {
    super(inner);
    this.#shards = shards;
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    await this.inner.put(key, value, options);
    return makeVersion(0n, this.#append(key));
  }

  override async delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    const existed = await this.inner.delete(key, options);
    this.#append(key);
    return existed;
  }

  #append(key: Key): bigint {
    const shard = shardOf(key, this.#shards);
    const index = (this.#logs.get(shard) ?? 0n) + 1n;
    this.#logs.set(shard, index);
    return index;
  }
}

/** Who has lost a shard while it wrote says NOT_LEADER, though the write was applied. */
export class NotLeaderApplied extends StoreLayer {
  readonly #cluster: Cluster;

  constructor(inner: ServedStore, cluster: Cluster) {
    super(inner);
    this.#cluster = cluster;
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    const version = await this.inner.put(key, value, options);
    this.#lookAgain(key);
    return version;
  }

  override async delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    const existed = await this.inner.delete(key, options);
    this.#lookAgain(key);
    return existed;
  }

  #lookAgain(key: Key): void {
    const shard = shardOf(key, this.#cluster.shards);
    if (!this.#cluster.isLeader(shard)) throw notLeader(shard);
  }
}
