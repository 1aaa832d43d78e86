import { orAborted } from '../../../core/abort.ts';
import { missingIndex } from '../../../core/vectors/index.ts';
import { type AnnSpace, AnnSpaceLost, type AnnStats, type AnnThread } from '../ann/index.ts';
import { closedError } from '../failures.ts';
import type { WriteQueue } from '../write-queue.ts';
import type { SpaceInfo } from './layout.ts';
import { Replica } from './replica.ts';
import type { SnapshotFiles } from './snapshot-files.ts';
import type { Position, VectorReader } from './vector-reader.ts';

/** Share of dead vectors from which a graph is built anew: they cost memory, time and recall. */
const DEAD_SHARE = 0.3;
/** How many removals are passed on between two looks at how many are dead. */
const REMOVALS_BETWEEN_LOOKS = 100;
/** A snapshot is made anew after so many changes, or after this share of the vectors if that is more. */
const CHANGES_BETWEEN_SNAPSHOTS = 10_000;
const SNAPSHOT_SHARE = 0.25;
/** Changes that make a snapshot worth its while when the store closes: adding them takes longer than saving. */
const CHANGES_AT_CLOSE = 500;
/** How often a search is tried again after the thread died under it. */
const TRIES = 2;

/** What the caches of a store share. */
export interface CacheWorld {
  readonly reader: () => VectorReader;
  readonly queue: WriteQueue;
  readonly thread: () => AnnThread;
  readonly files: SnapshotFiles;
}

export interface CacheSearch {
  readonly k: number;
  readonly spare: number;
  /** Up to where memory must have followed; `undefined` if what it has will do. */
  readonly target: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Searches one space in memory. All of it can be lost at any time: LMDB has the truth, and it is built again. */
export class SpaceCache {
  readonly #world: CacheWorld;
  readonly #namespace: string;
  readonly #info: SpaceInfo;
  #replica: Promise<Replica> | undefined;
  #current: Replica | undefined;
  /** Rebuilding or saving: one at a time. */
  #chore: Promise<void> | undefined;
  #lookedAt = 0;
  /** What the snapshot has, and what was there when one was thought of last. */
  #savedAt = 0;
  #consideredAt = 0;
  #mayLoad = true;
  #isClosed = false;

  constructor(world: CacheWorld, namespace: string, info: SpaceInfo) {
    this.#world = world;
    this.#namespace = namespace;
    this.#info = info;
  }

  get id(): number {
    return this.#info.id;
  }

  /** Up to where memory follows LMDB; `undefined` while there is nothing in memory. */
  get position(): number | undefined {
    return this.#current?.position;
  }

  /** How it is searched now; `undefined` while there is nothing in memory. */
  async kind(): Promise<AnnStats['kind'] | undefined> {
    try {
      return (await this.#current?.stats())?.kind;
    } catch {
      // Lost, or closed meanwhile.
      return undefined;
    }
  }

  /**
   * Labels of up to `k` that are near the query and some to spare; of all that is before `target`, or of what is in
   * memory already. Some may be deleted.
   */
  async search(query: Float32Array, { k, spare, target, signal }: CacheSearch): Promise<Float64Array> {
    for (let tries = 1; ; tries++) {
      try {
        const replica = await orAborted(this.#open(), signal);
        if (target !== undefined && replica.position < target) await orAborted(replica.reach(target), signal);
        const labels = await replica.search(query, k, { spare, signal });
        this.#keepHouse(replica);
        return labels;
      } catch (error) {
        this.#dropBroken();
        if (!(error instanceof AnnSpaceLost) || tries === TRIES) throw error;
      }
    }
  }

  /** Follows LMDB in the background, if it is in memory at all. */
  follow(target: number): void {
    const replica = this.#current;
    if (replica === undefined || replica.position >= target) return;
    replica.reach(target).then(
      () => this.#keepHouse(replica),
      // The next search meets the same, and tells.
      () => this.#dropBroken(),
    );
  }

  /** Saves what opening again would have to build. */
  async save(): Promise<void> {
    await this.#chore;
    const replica = this.#current;
    if (replica !== undefined && !replica.hasGap && replica.position - this.#savedAt >= CHANGES_AT_CLOSE)
      await this.#save(replica);
  }

  close(): void {
    this.#isClosed = true;
    this.#forget();
  }

  #open(): Promise<Replica> {
    if (this.#isClosed) return Promise.reject(closedError());
    this.#replica ??= this.#load().then(
      (replica) => {
        if (this.#isClosed) {
          replica.retire();
          throw closedError();
        }
        this.#current = replica;
        return replica;
      },
      (error: unknown) => {
        this.#replica = undefined;
        throw error;
      },
    );
    return this.#replica;
  }

  async #load(): Promise<Replica> {
    const { reader, thread, files } = this.#world;
    const info = this.#fresh();
    const snapshot = this.#mayLoad ? reader().snapshot(info.id) : undefined;
    if (snapshot !== undefined && snapshot.position.removals >= info.kept) {
      const space = await thread().space(info.options);
      // Should it end the thread, it must not do so again.
      this.#mayLoad = false;
      const isLoaded = await space.load(files.path(snapshot.file), snapshot.saved);
      this.#mayLoad = true;
      if (isLoaded) {
        this.#savedAt = Math.min(snapshot.position.vectors, snapshot.position.removals);
        return this.#replicaOf(space, snapshot.position);
      }
      await space.close();
    }
    return this.#build();
  }

  /** A replica from the vectors in LMDB alone. */
  async #build(): Promise<Replica> {
    const { next, options } = this.#fresh();
    const space = await this.#world.thread().space(options);
    // What is gone by now will not be read: only removals from here on matter.
    return this.#replicaOf(space, { vectors: 0, removals: next });
  }

  async #replicaOf(space: AnnSpace, position: Position): Promise<Replica> {
    const replica = new Replica(this.#world.reader, this.#namespace, this.#info, space, position);
    try {
      await replica.reach(this.#fresh().next);
      await replica.settled();
      return replica;
    } catch (error) {
      replica.retire();
      throw error;
    }
  }

  #fresh(): SpaceInfo {
    const info = this.#world.reader().space(this.#namespace);
    if (this.#isClosed) throw closedError();
    if (info?.id !== this.#info.id) throw missingIndex(this.#namespace);
    return info;
  }

  #dropBroken(): void {
    if (this.#current?.isBroken) this.#forget();
  }

  #forget(): void {
    this.#current?.retire();
    this.#current = undefined;
    this.#replica = undefined;
    this.#savedAt = 0;
    this.#consideredAt = 0;
    this.#lookedAt = 0;
  }

  #keepHouse(replica: Replica): void {
    if (this.#chore !== undefined || replica !== this.#current || this.#isClosed) return;
    const isToBeLookedAt = replica.hasGap || replica.removed - this.#lookedAt >= REMOVALS_BETWEEN_LOOKS;
    const isToBeSaved = this.#isToBeSaved(replica);
    if (!isToBeLookedAt && !isToBeSaved) return;
    const chore = async (): Promise<void> => {
      if (isToBeLookedAt) await this.#rebuildIfDead(replica);
      if (isToBeSaved && replica === this.#current) await this.#save(replica);
    };
    // A chore that fails is done at another time; what it was for works without.
    this.#chore = chore()
      .catch(() => {})
      .finally(() => {
        this.#chore = undefined;
      });
  }

  /** The old one answers until the new one is filled. */
  async #rebuildIfDead(old: Replica): Promise<void> {
    this.#lookedAt = old.removed;
    const { size, dead } = await old.stats();
    if (!old.hasGap && dead <= size * DEAD_SHARE) return;
    const replica = await this.#build();
    if (this.#isClosed || this.#current !== old) {
      replica.retire();
      return;
    }
    this.#forget();
    this.#current = replica;
    this.#replica = Promise.resolve(replica);
  }

  /** Only graphs: what is scanned is as quickly read from LMDB. */
  async #save(replica: Replica): Promise<void> {
    const { kind, isMoving } = await replica.stats();
    // A search after the graph was built thinks of it again.
    if (isMoving) return;
    this.#consideredAt = replica.position;
    if (kind !== 'hnsw') return;
    const { files, queue } = this.#world;
    const file = await files.newName(this.id, replica.position);
    try {
      const snapshot = { file, ...(await replica.save(files.path(file))) };
      const useless = await queue.submit(
        (batch) => batch.changeVectors((vectors) => vectors.remember(this.#namespace, this.id, snapshot)),
        0,
        undefined,
      );
      this.#savedAt = Math.min(snapshot.position.vectors, snapshot.position.removals);
      if (useless !== undefined) await files.remove(useless);
    } catch (error) {
      await files.remove(file);
      throw error;
    }
  }

  #isToBeSaved(replica: Replica): boolean {
    const changes = replica.position - Math.max(this.#savedAt, this.#consideredAt);
    if (replica.hasGap || changes < CHANGES_BETWEEN_SNAPSHOTS) return false;
    return changes >= (this.#world.reader().space(this.#namespace)?.size ?? 0) * SNAPSHOT_SHARE;
  }
}
