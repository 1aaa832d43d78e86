import { NorimakiError } from '../../core/errors.ts';
import type {
  CommitOperation,
  DeleteOptions,
  Key,
  KeyRange,
  PutOptions,
  ReadOptions,
  ScanOptions,
  ScanPage,
  Store,
  Stored,
  WriteOptions,
} from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { printKey } from '../print-key.ts';
import { type SameAbilities, StoreWrapper } from '../store-wrapper.ts';
import { isNotApplied, LogicalWrite, refusedOperation, textOf } from './logical-write.ts';
import type { HistoryOperation } from './operation.ts';

/** What clients asked and were told, in order. */
export interface History {
  /**
   * The same store, recorded. Reads that are not `'strong'` promise nothing and are left out; so are failed reads. A
   * commit counts as one operation on each of its keys, a scan as a read of each record that it found. A record that
   * expires is refused: it would end without an operation.
   */
  wrap<S extends Store>(store: S, client: string): SameAbilities<S>;
  /** The history so far, for {@link checkLinearizable}. A write that has not been answered has an unknown outcome. */
  operations(): HistoryOperation[];
}

/**
 * Records what the clients of a store see. Put it around a {@link faultStore}, not inside, as the client's side is what
 * counts; but without `conflict`, whose refusals are not true.
 *
 * @example
 * ```ts
 * const history = recordHistory();
 * const client = history.wrap(store, 'client 1');
 * await client.put(key, value);
 * assert.deepEqual(checkLinearizable(history.operations()), { ok: true });
 * ```
 */
export function recordHistory(): History {
  const recorder = new Recorder();
  return {
    // The wrapper has every method; `capabilities`, which it passes through, says which of them `S` has.
    wrap: <S extends Store>(store: S, client: string) =>
      new RecordedStore(store, client, recorder) as unknown as SameAbilities<S>,
    operations: () => recorder.operations(),
  };
}

class Recorder {
  readonly #answered: HistoryOperation[] = [];
  readonly #writes: LogicalWrite[] = [];
  readonly #repeatable = new Map<string, LogicalWrite>();
  #instant = 0;

  tick(): number {
    return ++this.#instant;
  }

  add(operation: HistoryOperation): void {
    this.#answered.push(operation);
  }

  /** The write with this identity, if it has one and was delivered before; a new one otherwise. */
  writeOf(identity: string | undefined, create: () => LogicalWrite): LogicalWrite {
    const known = identity === undefined ? undefined : this.#repeatable.get(identity);
    if (known !== undefined) return known;
    const write = create();
    this.#writes.push(write);
    if (identity !== undefined) this.#repeatable.set(identity, write);
    return write;
  }

  operations(): HistoryOperation[] {
    return [...this.#answered, ...this.#writes.flatMap((write) => write.history())];
  }
}

class RecordedStore extends StoreWrapper {
  readonly #client: string;
  readonly #recorder: Recorder;

  constructor(inner: Store, client: string, recorder: Recorder) {
    super(inner);
    this.#client = client;
    this.#recorder = recorder;
  }

  override async get(key: Key, options: ReadOptions = {}): Promise<Stored | undefined> {
    const invoked = this.#recorder.tick();
    const asked = Uint8Array.from(key);
    const found = await this.inner.get(key, options);
    this.#read(invoked, options, [[asked, found]]);
    return found;
  }

  override async getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<(Stored | undefined)[]> {
    const invoked = this.#recorder.tick();
    const asked = keys.map((key) => Uint8Array.from(key));
    const found = await this.inner.getMany(keys, options);
    this.#read(
      invoked,
      options,
      asked.map((key, i) => [key, found[i]]),
    );
    return found;
  }

  override async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    const invoked = this.#recorder.tick();
    const page = await super.scan(range, options);
    this.#read(
      invoked,
      options,
      page.entries.map((entry) => [entry.key, entry]),
    );
    return page;
  }

  override put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    const { ifMatch, ifAbsent, expiresAt } = options;
    return this.#write('put', [{ type: 'put', key, value, ifMatch, ifAbsent, expiresAt }], options, () =>
      this.inner.put(key, value, options),
    );
  }

  override delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    const { ifMatch } = options;
    return this.#write('delete', [{ type: 'delete', key, ifMatch }], options, () => this.inner.delete(key, options));
  }

  override commit(operations: readonly CommitOperation[], options: WriteOptions = {}): Promise<Version> {
    return this.#write('commit', operations, options, () => super.commit(operations, options));
  }

  #read(
    invoked: number,
    { consistency = 'strong' }: ReadOptions,
    found: readonly (readonly [Key, Stored | undefined])[],
  ): void {
    if (consistency !== 'strong') return;
    const returned = this.#recorder.tick();
    for (const [key, state] of found) {
      const seen = state && { version: state.version, value: textOf(state.value) };
      const action = { type: 'read', found: seen } as const;
      this.#recorder.add({ client: this.#client, key: printKey(key), action, invoked, returned });
    }
  }

  async #write<T extends Version | boolean>(
    verb: string,
    asked: readonly CommitOperation[],
    { idempotencyKey }: WriteOptions,
    send: () => Promise<T>,
  ): Promise<T> {
    const operations = asked.map(copyOf);
    const invoked = this.#recorder.tick();
    const isRepeatable = idempotencyKey !== undefined && this.capabilities.idempotency;
    const identity = isRepeatable
      ? JSON.stringify([verb, operations.map(({ key }) => printKey(key)), idempotencyKey])
      : undefined;
    const write = this.#recorder.writeOf(identity, () => new LogicalWrite(this.#client, operations, invoked));
    write.deliver();
    try {
      const answer = await send();
      write.answered(answer, this.#recorder.tick());
      return answer;
    } catch (error) {
      if (isNotApplied(error)) write.notApplied();
      this.#refused(invoked, refusedOperation(error, operations));
      throw error;
    }
  }

  #refused(invoked: number, operation: CommitOperation | undefined): void {
    if (operation === undefined) return;
    const ifAbsent = operation.type === 'delete' ? undefined : operation.ifAbsent;
    const action = { type: 'refusal', ifMatch: operation.ifMatch, ifAbsent } as const;
    const key = printKey(operation.key);
    this.#recorder.add({ client: this.#client, key, action, invoked, returned: this.#recorder.tick() });
  }
}

function copyOf(operation: CommitOperation): CommitOperation {
  const key = Uint8Array.from(operation.key);
  if (operation.type !== 'put') return { ...operation, key };
  if (operation.expiresAt !== undefined) {
    throw new NorimakiError('argument.invalid', 'A recorded history knows no records that expire.', {
      argument: 'expiresAt',
    });
  }
  return { ...operation, key, value: Uint8Array.from(operation.value) };
}
