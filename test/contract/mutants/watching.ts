import type {
  Change,
  CommitOperation,
  CommitOptions,
  DeleteOptions,
  Key,
  KeyRange,
  PutOptions,
  Watch,
  WatchOptions,
} from '../../../src/core/store.ts';
import { makeVersion, type Version } from '../../../src/core/version.ts';
import { ChangeQueue, Watches } from '../../../src/core/watch/index.ts';
import { idle } from '../../../src/testing/idle.ts';
import { type PassOn, relayWatch } from '../../../src/testing/relay-watch.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { type Mutant, mutant, nameOf } from './mutant.ts';

type WatchCall = [range: KeyRange, options?: WatchOptions];

const into =
  (queue: ChangeQueue): PassOn =>
  (changes) => {
    for (const change of changes) queue.add(change);
  };

/** A store whose watches tell something else. */
abstract class Telling extends StoreWrapper {
  abstract readonly passOn: PassOn;

  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    return relayWatch(await super.watch(range, options), options, this.passOn);
  }
}

class MissesTheRestOfACommit extends Telling {
  readonly #hidden = new Set<string>();
  readonly passOn: PassOn = (changes, queue) => {
    for (const change of changes) if (!this.#hidden.has(nameOf(change.key))) queue.add(change);
  };

  override commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version> {
    for (const { key } of operations.slice(1)) this.#hidden.add(nameOf(key));
    return super.commit(operations, options);
  }
}

class MissesDeletes extends Telling {
  readonly passOn: PassOn = (changes, queue) => {
    for (const change of changes) if (change.type === 'put') queue.add(change);
  };
}

class MissesOneInAHundred extends Telling {
  #told = 0;
  readonly passOn: PassOn = (changes, queue) => {
    for (const change of changes) if (++this.#told % 100 !== 0) queue.add(change);
  };
}

class TellsDeletesAsPuts extends Telling {
  readonly passOn: PassOn = (changes, queue) => {
    for (const { key, ...change } of changes) {
      queue.add({ type: 'put', key, version: change.type === 'put' ? change.version : makeVersion(1n, 1n) });
    }
  };
}

class TellsBeforeItWrites extends StoreWrapper {
  readonly #watches = new Watches();
  #writes = 0n;

  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    return this.#watches.open(range, options);
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    this.#writes += 1n;
    this.#watches.tell({ type: 'put', key, version: makeVersion(1n, this.#writes) });
    for (let i = 0; i < 3; i++) await idle();
    return super.put(key, value, options);
  }

  override commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version> {
    this.#writes += 1n;
    const version = makeVersion(1n, this.#writes);
    for (const { type, key } of operations)
      this.#watches.tell(type === 'put' ? { type, key, version } : { type: 'delete', key });
    return super.commit(operations, options);
  }

  override delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    this.#writes += 1n;
    this.#watches.tell({ type: 'delete', key });
    return super.delete(key, options);
  }
}

class IgnoresTheRange extends StoreWrapper {
  override watch(...[, options]: WatchCall): Promise<Watch> {
    return super.watch({ start: new Uint8Array(), end: new Uint8Array(8).fill(255) }, options);
  }
}

class IncludesTheEnd extends StoreWrapper {
  override watch(...[{ start, end }, options]: WatchCall): Promise<Watch> {
    return super.watch({ start, end: Uint8Array.of(...end, 0) }, options);
  }
}

class ReadyTooEarly extends StoreWrapper {
  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    const queue = new ChangeQueue(options);
    void idle().then(async () => relayWatch(await super.watch(range), {}, into(queue)));
    return queue;
  }
}

/** Knows what waits to be taken. */
abstract class Hoarding extends ChangeQueue {
  readonly waiting = new Set<string>();

  override next(): ReturnType<ChangeQueue['next']> {
    return super.next().finally(() => this.waiting.clear());
  }
}

class FoldsTheFirst extends Hoarding {
  override add(change: Change): void {
    if (!this.waiting.has(nameOf(change.key))) super.add(change);
    this.waiting.add(nameOf(change.key));
  }
}

class FoldsFirst extends StoreWrapper {
  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    const queue = new FoldsTheFirst(options);
    relayWatch(await super.watch(range), {}, into(queue));
    return queue;
  }
}

class DropsWhatDoesNotFit extends Hoarding {
  readonly #buffer: number;

  constructor(buffer: number) {
    super({ buffer: 10_000 });
    this.#buffer = buffer;
  }

  override add(change: Change): void {
    if (this.waiting.size >= this.#buffer) return;
    this.waiting.add(nameOf(change.key));
    super.add(change);
  }
}

class LosesSilently extends StoreWrapper {
  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    const queue = new DropsWhatDoesNotFit(options?.buffer ?? 10_000);
    relayWatch(await super.watch(range), {}, into(queue));
    return queue;
  }
}

class SharesKeys extends StoreWrapper {
  readonly #keys = new Map<string, Key>();

  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    const watch = await super.watch(range, options);
    const next = watch.next.bind(watch);
    watch.next = async () => {
      const step = await next();
      if (step.done) return step;
      const value = step.value.map((change): Change => {
        const name = nameOf(change.key);
        const key = this.#keys.get(name) ?? change.key;
        this.#keys.set(name, key);
        return { ...change, key };
      });
      return { done: false, value };
    };
    return watch;
  }
}

class EndsAllTogether extends StoreWrapper {
  readonly #open = new Set<ChangeQueue>();

  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    const endAll = (): void => {
      for (const queue of [...this.#open]) {
        this.#open.delete(queue);
        void queue.return();
      }
    };
    const queue = relayWatch(await super.watch(range, options), options, undefined, endAll);
    this.#open.add(queue);
    return queue;
  }
}

class KeepsTheRange extends StoreWrapper {
  override async watch(...[range, options]: WatchCall): Promise<Watch> {
    const inner = await super.watch({ start: new Uint8Array(), end: new Uint8Array(8).fill(255) }, options);
    return relayWatch(inner, options, (changes, queue) => {
      for (const change of changes) {
        const { key } = change;
        if (Buffer.compare(key, range.start) >= 0 && Buffer.compare(key, range.end) < 0) queue.add(change);
      }
    });
  }
}

const one = (Wrapper: Parameters<typeof mutant>[1]): Mutant => mutant('watch', Wrapper);

/** Mistakes in telling what is written. */
export const watchMutants: Record<string, Mutant> = {
  'a watch misses all but the first key of a commit': one(MissesTheRestOfACommit),
  'a watch misses deletes': one(MissesDeletes),
  'a watch misses one change in a hundred': one(MissesOneInAHundred),
  'a watch tells deletes as puts': one(TellsDeletesAsPuts),
  'a watch tells what cannot be read yet': one(TellsBeforeItWrites),
  'a watch ignores its range': one(IgnoresTheRange),
  'a watch includes the end of its range': one(IncludesTheEnd),
  'a watch is ready before it is registered': one(ReadyTooEarly),
  'a watch folds to the first change of a key': one(FoldsFirst),
  'a watch drops silently what does not fit its buffer': one(LosesSilently),
  'a watch that ends takes all others with it': one(EndsAllTogether),
  'watches share the bytes of a key': one(SharesKeys),
  'a watch keeps the bytes of its range': one(KeepsTheRange),
};
