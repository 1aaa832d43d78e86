import { closeSync, ftruncateSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../core/clock.ts';
import { fsCode, unavailable } from './failures.ts';
import { isAlive, type Owner, ownerName, ownerOf } from './owner.ts';

// LMDB loses a commit when another process opens the file at the same moment: lmdb 3.5 (liblmdb's mdb_env_open2)
// reads the number of the last transaction without a lock and then sets everybody back to it. Closing has a race of
// the same kind. So a folder has a gate: opening, closing and compacting hold it alone, and no transaction writes
// meanwhile. A writer tells that it writes by the length of its own file, for that needs no space on a full disk.

export type GateKind = 'open' | 'close' | 'compact';

/** How long to wait for others at the gate, in milliseconds; opening and closing take a few. */
const PATIENCE = 30_000;
/** Polls without a sleep: what others do at the gate is mostly over by then. */
const EAGER_POLLS = 50;
/** Longest sleep between two polls, in milliseconds. */
const LONGEST_PAUSE = 50;

export class Gate {
  readonly #openers: string;
  readonly #gates: string;
  readonly #owner: Owner;
  readonly #name: string;
  readonly #environment: Environment;
  #file: number | undefined;

  constructor(folder: string, owner: Owner, environment: Environment) {
    this.#openers = join(folder, 'openers');
    this.#gates = join(folder, 'gate');
    this.#owner = owner;
    this.#name = ownerName(owner);
    this.#environment = environment;
  }

  /** Announces this store as one that has the folder open. Only while holding the gate. */
  register(): void {
    this.#file = openSync(join(this.#openers, this.#name), 'wx', 0o600);
  }

  unregister(): void {
    if (this.#file === undefined) return;
    closeSync(this.#file);
    this.#file = undefined;
    remove(join(this.#openers, this.#name));
  }

  /** The other stores that have the folder open, this process's own among them; forgets those that died. */
  others(): Owner[] {
    return livingIn(this.#openers).filter((owner) => ownerName(owner) !== this.#name);
  }

  /** Begins to write. `false` if somebody holds the gate: then wait with `whenOpen` and try again. */
  enter(): boolean {
    if (this.#file === undefined) throw new Error('A store writes only while it is registered.');
    ftruncateSync(this.#file, 1);
    if (readdirSync(this.#gates).length === 0) return true;
    ftruncateSync(this.#file, 0);
    return false;
  }

  leave(): void {
    if (this.#file !== undefined) ftruncateSync(this.#file, 0);
  }

  /** Resolves once nobody holds the gate. A compaction of this very store is waited for as long as it takes. */
  whenOpen(): Promise<void> {
    const mine = `compact.${this.#name}`;
    return this.#until(
      () => this.#holders().length === 0,
      () => this.#holders().includes(mine),
    );
  }

  /** Takes the gate alone and waits until nobody writes. Call what it resolves to, to give the gate back. */
  async take(kind: GateKind): Promise<() => void> {
    const path = join(this.#gates, `${kind}.${this.#name}`);
    await this.#until(() => {
      if (this.#holders().length > 0) return false;
      closeSync(openSync(path, 'wx', 0o600));
      // Two that come at once both see each other and both step back; chance lets one be first.
      if (this.#holders().length === 1) return true;
      remove(path);
      return false;
    });
    try {
      await this.#until(() => !this.#isAnyoneWriting());
    } catch (error) {
      remove(path);
      throw error;
    }
    return () => remove(path);
  }

  #isAnyoneWriting(): boolean {
    return livingIn(this.#openers).some((owner) => {
      const stats = statSync(join(this.#openers, ownerName(owner)), { throwIfNoEntry: false });
      return stats !== undefined && stats.size > 0;
    });
  }

  #holders(): string[] {
    return readdirSync(this.#gates).filter((name) => {
      const owner = ownerOf(name);
      if (owner !== undefined && isAlive(owner)) return true;
      remove(join(this.#gates, name));
      return false;
    });
  }

  async #until(condition: () => boolean, isPatient: () => boolean = () => false): Promise<void> {
    const { clock, random } = this.#environment;
    const start = clock.mono();
    for (let polls = 0; !condition(); polls++) {
      if (clock.mono() - start > PATIENCE && !isPatient()) throw this.#outOfPatience();
      if (polls < EAGER_POLLS) await new Promise((resolve) => setImmediate(resolve));
      else await clock.sleep(1 + random.float() * Math.min(polls - EAGER_POLLS, LONGEST_PAUSE));
    }
  }

  #outOfPatience(): Error {
    return unavailable(
      `Another process (not pid ${this.#owner.pid}) has kept the folder to itself for ${PATIENCE / 1000} seconds, to ` +
        `open, compact or write. Try again when it is done; if it is gone for good, remove its file in ${this.#gates} ` +
        `or ${this.#openers}.`,
      'no',
    );
  }
}

function livingIn(directory: string): Owner[] {
  return readdirSync(directory).flatMap((name) => {
    const owner = ownerOf(name);
    if (owner !== undefined && isAlive(owner)) return [owner];
    remove(join(directory, name));
    return [];
  });
}

/** Several may find the same dead owner; one removes its file. */
function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (fsCode(error) !== 'ENOENT') throw error;
  }
}
