import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fsCode } from '../failures.ts';
import type { VectorReader } from './vector-reader.ts';

// vectors/<space>.<position>.<serial>.<owner>: a saved search structure. LMDB names the one that counts for a space, after
// it has got its name; all others are left over. Only their owner may still want them, as long as it has the folder open.

const FILE = /^(\d+)\.\d+\.\d+\.(\d+\.\d+\.\w+\.\w+\.\d+-\d+\.(?:flushed|committed))/;

export class SnapshotFiles {
  readonly #folder: string;
  readonly #openers: string;
  readonly #owner: string;
  #made = 0;

  constructor(folder: string, owner: string) {
    this.#folder = join(folder, 'vectors');
    this.#openers = join(folder, 'openers');
    this.#owner = owner;
  }

  /** A name that nobody else uses. */
  async newName(space: number, position: number): Promise<string> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#made += 1;
    return `${space}.${position}.${this.#made}.${this.#owner}`;
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  async remove(file: string): Promise<void> {
    await rm(this.path(file), { force: true });
  }

  async removeOf(space: number): Promise<void> {
    for (const name of await this.#names()) if (Number(FILE.exec(name)?.[1]) === space) await this.remove(name);
  }

  /** Removes what stores left that are gone. */
  async clean(reader: () => VectorReader): Promise<void> {
    const left = (await this.#names()).filter((name) => {
      const owner = FILE.exec(name)?.[2];
      return owner !== undefined && !existsSync(join(this.#openers, owner));
    });
    if (left.length === 0) return;
    // Their owners can name no more of them: what LMDB does not name now, it never will.
    const named = new Set(
      reader()
        .snapshots()
        .map(({ file }) => file),
    );
    for (const name of left) if (!named.has(name)) await this.remove(name);
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder);
    } catch (error) {
      if (fsCode(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
