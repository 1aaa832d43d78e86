import type { Environment } from '../../core/clock.ts';
import { milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';
import { badPath, fileError } from './failures.ts';
import { currentGeneration, dataFile, prepareFolder } from './folder.ts';
import { Gate } from './gate.ts';
import { loadLmdb } from './lmdb.ts';
import { backup, compact } from './maintenance.ts';
import { createFile, type Opening, openFile } from './open-file.ts';
import { isThisProcess, newOwner, ownerName } from './owner.ts';
import { Sweeper, type SweepSchedule } from './sweeper.ts';
import type { Tables } from './tables.ts';
import type { EmbeddedOptions } from './types.ts';
import { EmbeddedVectors } from './vectors/embedded-vectors.ts';
import { Follower } from './watch/follower.ts';
import { WriteQueue } from './write-queue.ts';

const GIB = 2 ** 30;

interface Schedules {
  readonly sweep: SweepSchedule | undefined;
  /** Between two looks for writes of other processes, in milliseconds. */
  readonly watchEvery: number;
}

/** A folder that this process has open: its file, who writes to it, and what goes on in the background. */
export class OpenedFolder {
  readonly #path: string;
  readonly #owner: string;
  readonly #opening: Opening;
  readonly #gate: Gate;
  readonly queue: WriteQueue;
  readonly sweeper: Sweeper | undefined;
  readonly vectors: EmbeddedVectors;
  readonly follower: Follower;
  #tables: Tables;
  /** Compactions and backups, one after the other: a file is not replaced while it is copied. */
  #maintenance: Promise<unknown> = Promise.resolve();

  constructor(
    place: { path: string; owner: string; opening: Opening; gate: Gate; tables: Tables },
    { clock }: Environment,
    { sweep, watchEvery }: Schedules,
  ) {
    this.#path = place.path;
    this.#owner = place.owner;
    this.#opening = place.opening;
    this.#gate = place.gate;
    this.#tables = place.tables;
    this.queue = new WriteQueue(
      () => this.#tables,
      place.gate,
      clock,
      () => this.follower.wake(),
    );
    this.sweeper = sweep && new Sweeper(() => this.#tables, this.queue, clock, sweep);
    this.vectors = new EmbeddedVectors({
      reader: () => this.#tables.vectors,
      queue: this.queue,
      clock,
      folder: place.path,
      owner: place.owner,
    });
    this.follower = new Follower(() => this.#tables, this.queue, clock, watchEvery);
  }

  get tables(): Tables {
    return this.#tables;
  }

  compact(signal: AbortSignal | undefined): Promise<void> {
    return this.#alone(async () => {
      const old = this.#tables;
      const { tables, done } = await compact({
        tables: old,
        gate: this.#gate,
        opening: this.#opening,
        folder: this.#path,
        owner: this.#owner,
        signal,
      });
      this.#tables = tables;
      try {
        await old.close();
      } finally {
        await done();
      }
    });
  }

  backup(path: string, signal: AbortSignal | undefined): Promise<void> {
    return this.#alone(() => backup(this.#tables, path, this.#owner, signal));
  }

  /** Finishes what was begun, then lets everything go. */
  async close(): Promise<void> {
    this.follower.close();
    await this.vectors.close();
    await this.sweeper?.stop();
    await this.#maintenance;
    await this.queue.idle();
    // LMDB takes its locks down when the last one closes, and trips up one that opens just then.
    const release = await this.#gate.take('close').catch(() => undefined);
    try {
      await this.#tables.close();
      this.#gate.unregister();
    } finally {
      release?.();
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#maintenance.then(work);
    this.#maintenance = result.catch(() => {});
    return result;
  }
}

/** Opens the folder that the options name, and creates it if need be. */
export async function openFolder(options: EmbeddedOptions, environment: Environment): Promise<OpenedFolder> {
  const { path, durability = 'flushed', mapSize = GIB } = options;
  check(options);
  const schedules: Schedules = { sweep: sweepOf(options), watchEvery: watchEveryOf(options) };
  const lmdb = await loadLmdb();
  const opening: Opening = { lmdb, durability, mapSize };
  try {
    const folder = await prepareFolder(path);
    const owner = newOwner(durability);
    const gate = new Gate(folder, owner, environment);
    const release = await gate.take('open');
    try {
      if (gate.others().some((other) => isThisProcess(other) && other.durability !== durability)) {
        // One process has one LMDB environment for a file, and its way to sync.
        throw new NorimakiError(
          'argument.invalid',
          'This process has the folder open with another durability: give both stores the same.',
          { argument: 'durability' },
        );
      }
      const generation = await currentGeneration(folder);
      if (generation === undefined) await createFile(opening, folder, ownerName(owner));
      const tables = await openFile(opening, dataFile(folder, generation ?? 1));
      try {
        gate.register();
      } catch (error) {
        await tables.close();
        throw error;
      }
      return new OpenedFolder({ path: folder, owner: ownerName(owner), opening, gate, tables }, environment, schedules);
    } finally {
      release();
    }
  } catch (error) {
    throw fileError(error, 'Opening the folder of the embedded store');
  }
}

function check({ path, durability, mapSize }: EmbeddedOptions): void {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw badPath('path is the path of a folder: a text that is not empty.');
  }
  if (durability !== undefined && durability !== 'flushed' && durability !== 'committed') {
    throw invalid('durability', "durability is 'flushed' or 'committed'.");
  }
  if (mapSize !== undefined && (!Number.isSafeInteger(mapSize) || mapSize < 2 ** 20)) {
    throw invalid('mapSize', 'mapSize is a whole number of bytes, at least 1 MiB.');
  }
}

function sweepOf({ sweep }: EmbeddedOptions): SweepSchedule | undefined {
  if (sweep === false) return undefined;
  const { every = '30s', batch = 500 } = sweep ?? {};
  if (!Number.isSafeInteger(batch) || batch < 1 || batch > 10_000) {
    throw invalid('sweep.batch', 'sweep.batch is a whole number from 1 to 10,000.');
  }
  const pause = milliseconds(every, 'sweep.every');
  if (pause < 1) throw invalid('sweep.every', 'sweep.every is at least one millisecond.');
  return { every: pause, batch };
}

function watchEveryOf({ watch: { every = '25ms' } = {} }: EmbeddedOptions): number {
  const pause = milliseconds(every, 'watch.every');
  if (pause < 1) throw invalid('watch.every', 'watch.every is at least one millisecond.');
  return pause;
}

function invalid(argument: string, message: string): NorimakiError<'argument.invalid'> {
  return new NorimakiError('argument.invalid', message, { argument });
}
