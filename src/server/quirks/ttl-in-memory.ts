import type { Clock } from '../../core/clock.ts';
import { keyName } from '../../core/keys/index.ts';
import type { DeleteOptions, Key, PutOptions, ReadOptions, Stored } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { type ServedStore, StoreLayer } from '../layers/store-layer.ts';

/**
 * Deadlines are known to this process alone: a restart makes records immortal. What has expired uncovers the value before it.
 */
export class TtlInMemory extends StoreLayer {
  readonly #clock: Clock;
  readonly #deadlines = new Map<string, { readonly at: number; readonly older: Stored | undefined }>();

  constructor(inner: ServedStore, clock: Clock) {
    super(inner);
    this.#clock = clock;
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    const deadline = this.#deadlines.get(keyName(key));
    if (deadline !== undefined && deadline.at <= this.#clock.now()) return deadline.older;
    return this.inner.get(key, options);
  }

  override async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    const { expiresAt, ...rest } = options;
    const older = expiresAt === undefined ? undefined : await this.get(key, { signal: options.signal });
    const version = await this.inner.put(key, value, rest);
    if (expiresAt === undefined) this.#deadlines.delete(keyName(key));
    else this.#deadlines.set(keyName(key), { at: expiresAt, older });
    return version;
  }

  override async delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    const existed = await this.inner.delete(key, options);
    this.#deadlines.delete(keyName(key));
    return existed;
  }
}
