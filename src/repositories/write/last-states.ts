import { LRUCache } from 'lru-cache';
import type { Envelope } from '../../core/codec/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord, Found, isGone, LiveRecord, type Snapshot } from '../snapshot.ts';

/** What one entry takes beside its texts, in bytes; measured, roughly. */
const ENTRY_BYTES = 600;

/** What a write of this process left under a key. */
class LastState {
  readonly version: Version;
  readonly envelope: Envelope;
  readonly body: string;
  /** See `LiveRecord`; a database knows one model of an entity. */
  readonly isWhole: boolean;
  /** Of the value, as stored. */
  readonly bytes: number;
  /** Nobody else was seen to write here: the state may serve as a guess. */
  isTrusted: boolean;

  constructor(version: Version, envelope: Envelope, { body, isWhole }: LiveRecord, bytes: number, isTrusted: boolean) {
    this.version = version;
    this.envelope = envelope;
    this.body = body;
    this.isWhole = isWhole;
    this.bytes = bytes;
    this.isTrusted = isTrusted;
  }
}

/**
 * The last states that this process wrote, so that the next write of a record needs no read. Each is a guess and never
 * an answer: what is made of it is sent under its version, and the store's compare-and-swap finds out whether it was
 * right, because a version is never used twice. A version that matches is a strong read at that very instant.
 *
 * A record that others write too is read again, until a read finds it as this process left it: or each of its writes
 * would be refused once before it succeeds.
 */
export class LastStates {
  readonly #states: LRUCache<string, LastState> | undefined;

  /** `bytes` of memory at most, about; 0: none. */
  constructor(bytes: number) {
    if (bytes === 0) return;
    // A character takes one byte or two.
    const sizeCalculation = ({ body, envelope }: LastState, name: string): number =>
      ENTRY_BYTES + 2 * (body.length + envelope.ops.length + (envelope.vectors?.length ?? 0) + name.length);
    this.#states = new LRUCache({ maxSize: bytes, sizeCalculation });
  }

  /** What this process last wrote there, if it may still stand. */
  guess(context: RepositoryContext, id: readonly IdPart[], name: string): Snapshot | undefined {
    const state = this.#states?.get(name);
    if (state === undefined || !state.isTrusted || isGone(context, state.envelope)) return undefined;
    const { model } = context;
    const { version, envelope, isWhole, bytes } = state;
    const describe = (): string => describeRecord(model, id);
    const live = new LiveRecord(model, describe, state, version, undefined, isWhole);
    return new Found(version, envelope, bytes, live);
  }

  /** Notes what a write left. */
  wrote(name: string, version: Version, envelope: Envelope, record: LiveRecord, bytes: number): void {
    const isTrusted = this.#states?.peek(name)?.isTrusted ?? true;
    this.#states?.set(name, new LastState(version, envelope, record, bytes, isTrusted));
  }

  /** Notes what a strong read found. */
  read(name: string, version: Version | undefined): void {
    const state = this.#states?.peek(name);
    if (state !== undefined) state.isTrusted = state.version === version;
  }

  forget(name: string): void {
    this.#states?.delete(name);
  }
}
