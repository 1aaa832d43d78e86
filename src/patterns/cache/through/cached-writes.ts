import { NorimakiError } from '../../../core/errors.ts';
import type { NewValue } from '../entries.ts';
import type { TagGenerations } from '../lookup.ts';
import type { CacheParts } from '../parts.ts';
import { newGeneration, ROOT } from '../records.ts';
import type { Writes } from '../writes.ts';

/** Signal and patience of the write. */
interface HoldOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes to what the cache stands in front of. The entry is emptied and held first: until the write is over nothing is stored,
 * so that a process that dies in between leaves nothing stale behind.
 */
export class CachedWrites {
  readonly #parts: CacheParts;
  readonly #writes: Writes;

  constructor(parts: CacheParts, writes: Writes) {
    this.#parts = parts;
    this.#writes = writes;
  }

  /** `entryOf` makes the entry of what the write resolved to. Errors: those of the write, and of a repository's write. */
  async run<R>(
    key: string,
    write: () => Promise<R>,
    entryOf: (result: R, tags: TagGenerations) => NewValue | undefined,
    { signal }: HoldOptions,
  ): Promise<R> {
    const { entries, lookups, environment } = this.#parts;
    const id = newGeneration(environment.random);
    const [gen, [root = '']] = await Promise.all([entries.hold(key, id, { signal }), lookups.tags([ROOT])]);
    const tags = new Map([[ROOT, root]]);
    let result: R;
    try {
      result = await write();
    } catch (error) {
      // While nobody knows what became of it the hold stays; it runs out by itself.
      if (!isDoubtful(error)) await this.#settle(key, id, gen, undefined);
      await this.#writes.changed(key);
      throw error;
    }
    await this.#settle(key, id, gen, () => entryOf(result, tags));
    await this.#writes.changed(key);
    return result;
  }

  /** Never rejects: what is not settled is held until it runs out. */
  async #settle(
    key: string,
    id: string,
    gen: string,
    entryOf: (() => NewValue | undefined) | undefined,
  ): Promise<void> {
    const { entries, counts } = this.#parts;
    try {
      await entries.settle(key, id, gen, entryOf?.());
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
      counts.failures += 1;
    }
  }
}

/** Whether a write that failed may still have been applied. */
function isDoubtful(error: unknown): boolean {
  if (!(error instanceof NorimakiError)) return false;
  return error.code === 'outcome.unknown' || ('applied' in error.details && error.details.applied === 'unknown');
}
