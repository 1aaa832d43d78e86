import type { Environment } from '../../../core/clock.ts';
import { NorimakiError } from '../../../core/errors.ts';
import type { Database } from '../../../repositories/index.ts';
import { type Change, changeRecord } from '../change-record.ts';
import type { BlockCallOptions } from '../options.ts';
import { decide, type Fate, fateOf, type HoldState, type HoldStep } from './decide.ts';
import { type HoldRecord, holdRecords } from './record.ts';

/** A hold as it is stored; times in milliseconds since 1970. */
export interface StoredHold {
  readonly id: string;
  readonly state: HoldState;
  readonly expiresAt: number;
  readonly participants: readonly string[];
}

export interface HoldsOptions {
  /** Tells the holds of one block from those of others. */
  readonly block: string;
  /** How long a closed hold is remembered, in milliseconds: so long its id may be asked for again. */
  readonly remember: number;
}

/** The decision records of a block: see the index of this folder. */
export class Holds {
  readonly #block: string;
  readonly #remember: number;
  readonly #environment: Environment;
  readonly #records: ReturnType<typeof holdRecords>;
  readonly #canScan: boolean;

  constructor(db: Database, { block, remember }: HoldsOptions) {
    this.#block = block;
    this.#remember = remember;
    this.#environment = db.environment;
    this.#records = holdRecords(db);
    this.#canScan = db.store.capabilities.scan;
  }

  /** Before the first participant is written. If there is one with this id it is left as it is. */
  async begin(
    { id, expiresAt, participants }: Omit<StoredHold, 'state'>,
    options: BlockCallOptions,
  ): Promise<StoredHold & { readonly isNew: boolean }> {
    const blank = { state: 'pending' as const, expiresAt: new Date(expiresAt), participants: [...participants] };
    let isNew = false;
    const found = await this.#change(
      id,
      (_draft, wasAbsent) => {
        isNew = wasAbsent;
        return wasAbsent;
      },
      { ...options, ifAbsent: blank },
    );
    // There is one now: the call makes it.
    return { ...(found as StoredHold), isNew };
  }

  /** Takes a step. Resolves to the hold as it is then, which says whether it was taken; `undefined` if it is forgotten. */
  decide(id: string, step: HoldStep, options: BlockCallOptions): Promise<StoredHold | undefined> {
    return this.#change(
      id,
      (draft) => {
        const { clock } = this.#environment;
        const now = clock.now();
        const state = decide({ state: draft.state, expiresAt: draft.expiresAt.getTime() }, step, now);
        if (state === draft.state) return false;
        this.#become(draft, state, now);
        return true;
      },
      options,
    );
  }

  /**
   * A step of who writes the participants, on the hold that `begin` gave: one that was forgotten and begun anew under its id is
   * another, and is left as it is. With `hold` the participants are from now on known by these words.
   */
  decideBegun(
    { id, expiresAt }: StoredHold,
    step: 'hold' | 'abandon',
    options: BlockCallOptions & { readonly participants?: readonly string[] },
  ): Promise<StoredHold | undefined> {
    const { participants, ...call } = options;
    return this.#change(
      id,
      (draft) => {
        // Only what is held is ever given more time.
        if (draft.state !== 'pending' || draft.expiresAt.getTime() !== expiresAt) return false;
        const now = this.#environment.clock.now();
        const state = decide({ state: draft.state, expiresAt }, step, now);
        if (state === 'held' && participants !== undefined) draft.participants = [...participants];
        this.#become(draft, state, now);
        return true;
      },
      call,
    );
  }

  /** Lets one that is held live until then, never shorter than before. */
  extend(id: string, until: number, options: BlockCallOptions): Promise<StoredHold | undefined> {
    return this.#change(
      id,
      (draft) => {
        const expiresAt = draft.expiresAt.getTime();
        const before = draft.state;
        const now = this.#environment.clock.now();
        const state = decide({ state: before, expiresAt }, 'expire', now);
        if (state !== before) this.#become(draft, state, now);
        if (draft.state === 'held' && until > expiresAt) draft.expiresAt = new Date(until);
        return draft.state !== before || draft.expiresAt.getTime() !== expiresAt;
      },
      options,
    );
  }

  /** For who meets a participant that is in the way: what is to become of it. Ends its hold if that is late. */
  async meet(id: string, options: BlockCallOptions): Promise<Fate> {
    return fateOf(await this.decide(id, 'expire', options));
  }

  async get(id: string, { signal }: BlockCallOptions): Promise<StoredHold | undefined> {
    const found = await this.#records.get({ block: this.#block, id }, { signal });
    return found === undefined ? undefined : stored(found);
  }

  /** Every hold of the block, in the order of ids. Errors: `capability.missing` where the store cannot scan. */
  async *all({ signal }: BlockCallOptions): AsyncGenerator<StoredHold> {
    if (!this.#canScan) {
      throw new NorimakiError(
        'capability.missing',
        'To go through all holds needs a store with scan: use the memory or the embedded store.',
        { capability: 'scan', neededBy: 'holds' },
      );
    }
    // What the store says it can, its repositories can.
    const records = this.#records as unknown as Scannable;
    for await (const record of records.scan({ signal })) if (record.block === this.#block) yield stored(record);
  }

  #become(draft: HoldRecord, state: HoldState, now: number): void {
    draft.state = state;
    if (state === 'held' || state === 'committing') return;
    draft.forgetAt = new Date(Math.max(now, draft.expiresAt.getTime()) + this.#remember);
  }

  async #change(
    name: string,
    change: Change<HoldRecord>,
    { ifAbsent, ...call }: BlockCallOptions & { ifAbsent?: Omit<HoldRecord, 'block' | 'id'> },
  ): Promise<StoredHold | undefined> {
    const id = { block: this.#block, id: name };
    const draft = await changeRecord(this.#records, id, change, call, ifAbsent && (() => ifAbsent));
    return draft && stored(draft);
  }
}

interface Scannable {
  scan(options: { readonly signal?: AbortSignal | undefined }): AsyncIterable<HoldRecord>;
}

function stored({ id, state, expiresAt, participants }: HoldRecord): StoredHold {
  return { id, state, expiresAt: expiresAt.getTime(), participants };
}
