import { orAborted } from '../../../core/abort.ts';
import type { IdPart } from '../../../core/model/model.ts';
import type { EntityChanges } from '../../../repositories/index.ts';
import type { Inside } from '../../../repositories/internal.ts';
import { keyOf } from '../entity-key.ts';
import { notReady } from '../errors.ts';
import type { LexicalSettings } from '../settings.ts';
import type { LexicalReport, LexicalStats, ReadyOptions, ReadyProgress, SearchDoctorOptions } from '../types.ts';
import { auditWords } from './audit.ts';
import { Follower } from './follower.ts';
import { InvertedIndex } from './inverted-index.ts';
import { encodeSnapshot, loadSnapshot } from './snapshot-codec.ts';
import { snapshotRecords } from './snapshot-records.ts';
import { Snapshots } from './snapshots.ts';
import { WordIndex } from './word-index.ts';

/** Own writes that may wait for the next search, or for the watch to tell of them. */
const MAX_MARKS = 256;

/** The words of one search: built from a snapshot and the records, kept in step, and kept in the store. */
export class Words {
  readonly index: WordIndex;
  readonly #name: string;
  readonly #inside: Inside;
  readonly #settings: LexicalSettings;
  readonly #snapshots: Snapshots;
  readonly #watch: ((signal: AbortSignal) => EntityChanges) | undefined;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(progress: ReadyProgress) => void>();
  #unlisten: (() => void) | undefined;
  #follower: Follower | undefined;
  #state: 'new' | 'building' | 'ready' | 'closed' = 'new';
  #building: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #saved = 0;
  #isFromSnapshot = false;
  #stored = 0;
  #refreshes = 0;

  /** `watch`: where the store can. */
  constructor(
    name: string,
    inside: Inside,
    settings: LexicalSettings,
    watch: ((signal: AbortSignal) => EntityChanges) | undefined,
  ) {
    this.#name = name;
    this.#inside = inside;
    this.#settings = settings;
    this.#watch = watch;
    const inverted = new InvertedIndex(settings.fields, settings.analyzer, settings.stopWords);
    this.index = new WordIndex(inside, Object.keys(settings.fields), inverted);
    const { db, model } = inside;
    this.#snapshots = new Snapshots(snapshotRecords(db), name, model.name, db.environment);
  }

  /** Whether words that others wrote may be missing. */
  get isBehind(): boolean {
    return this.#follower?.isBehind ?? false;
  }

  stats(): LexicalStats {
    const { inverted, indexed } = this.index;
    return {
      documents: inverted.documents,
      terms: inverted.terms,
      indexed,
      isFromSnapshot: this.#isFromSnapshot,
      snapshots: this.#stored,
      rescans: this.#refreshes + (this.#follower?.rescans ?? 0),
    };
  }

  /** Errors: `search.notReady`. */
  checkReady(): void {
    if (this.#state !== 'ready') throw notReady(this.#name, this.#state);
  }

  /** Errors: `search.notReady` once closed, those of a read and of a watch. */
  async ready({ signal, onProgress }: ReadyOptions): Promise<void> {
    if (this.#state === 'closed') throw notReady(this.#name, 'closed');
    if (this.#state === 'ready') return;
    if (onProgress !== undefined) this.#listeners.add(onProgress);
    try {
      this.#building ??= this.#build();
      await orAborted(this.#building, signal);
    } finally {
      if (onProgress !== undefined) this.#listeners.delete(onProgress);
    }
  }

  /** All writes of this process that are over have been read. Errors: `search.notReady`, those of a read. */
  async settle(signal: AbortSignal | undefined): Promise<void> {
    this.checkReady();
    await this.index.settle(signal);
  }

  /** Looks at all records. Errors: `search.notReady`, those of a read. */
  async refresh(signal: AbortSignal | undefined): Promise<void> {
    this.checkReady();
    const until = signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    await this.index.rescan(until, () => {});
    this.#refreshes += 1;
  }

  /** Errors: `search.notReady`, those of a read, of a write with `fix`. */
  async audit(options: SearchDoctorOptions): Promise<LexicalReport> {
    await this.settle(options.signal);
    const report = await auditWords(this.index, options);
    const orphans = await this.#snapshots.sweep(options);
    return { ...report, orphans, fixed: report.fixed + (options.fix === true ? orphans : 0) };
  }

  /** Keeps what has changed, and forgets what is in memory. Never rejects: a snapshot that is not stored costs the next process time. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    this.#unlisten?.();
    await this.#follower?.close();
    this.#closing.abort();
    await this.#building?.catch(() => {});
    // One that is given up would keep its claim, and the last one out.
    await this.#saving;
    if (wasReady) await this.#save().catch(() => {});
    await this.index.inverted.close();
    this.index.clear();
  }

  async #build(): Promise<void> {
    this.#state = 'building';
    try {
      // Before the first look at a record: whatever is written after that look is marked.
      this.#unlisten ??= this.#inside.onWrite((id) => this.#written(id));
      await this.#load();
      await this.#begin();
      if (this.#isClosed()) throw notReady(this.#name, 'closed');
      this.#state = 'ready';
      this.#saving = this.#keepSaving();
    } catch (error) {
      this.#building = undefined;
      if (!this.#isClosed()) this.#state = 'new';
      throw error;
    }
  }

  async #load(): Promise<void> {
    const { snapshot, digest } = this.#settings;
    if (snapshot === undefined || this.index.known.size > 0) return;
    const bytes = await this.#snapshots.read({ signal: this.#closing.signal });
    this.#isFromSnapshot = bytes !== undefined && (await loadSnapshot(this.index, digest, bytes));
    this.#saved = this.index.changes;
    this.#tell({ phase: 'snapshot', done: this.index.known.size, indexed: 0 });
  }

  async #begin(): Promise<void> {
    const { environment } = this.#inside.db;
    const scan = (signal: AbortSignal): Promise<unknown> => {
      const before = this.index.indexed;
      let done = 0;
      return this.index.rescan(signal, (records) => {
        done += records;
        this.#tell({ phase: 'records', done, indexed: this.index.indexed - before });
      });
    };
    if (this.#watch === undefined) {
      await scan(this.#closing.signal);
      return;
    }
    const followed = {
      changed: (id: unknown, version: string | undefined) => this.#changed(this.#inside.idParts(id), version),
      rescan: (signal: AbortSignal) => this.index.rescan(signal, () => {}),
    };
    // `close` waits for what is there when it is called.
    if (this.#isClosed()) throw notReady(this.#name, 'closed');
    this.#follower = new Follower(this.#watch, followed, environment);
    await this.#follower.start(scan);
  }

  #changed(id: readonly IdPart[], version: string | undefined): void {
    const known = this.index.known.get(keyOf(id))?.version;
    // Of most own writes that a search has already seen.
    if (known === version) return;
    this.index.mark(id);
    this.index.kick();
  }

  #written(id: readonly IdPart[]): void {
    this.index.mark(id);
    if (this.index.marks >= MAX_MARKS) this.index.kick();
  }

  #tell(progress: ReadyProgress): void {
    for (const listener of this.#listeners) listener(progress);
  }

  async #keepSaving(): Promise<void> {
    const { snapshot } = this.#settings;
    const { clock } = this.#inside.db.environment;
    const { signal } = this.#closing;
    while (snapshot !== undefined && !signal.aborted) {
      // A snapshot that is not stored costs the next process time, and nobody else anything.
      await this.#save().catch(() => {});
      await clock.sleep(snapshot, { signal, background: true }).catch(() => {});
    }
  }

  async #save(): Promise<void> {
    const { changes } = this.index;
    if (this.#settings.snapshot === undefined || changes === this.#saved) return;
    const bytes = await encodeSnapshot(this.index, this.#settings.digest);
    if (!(await this.#snapshots.write(bytes))) return;
    this.#saved = changes;
    this.#stored += 1;
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}
