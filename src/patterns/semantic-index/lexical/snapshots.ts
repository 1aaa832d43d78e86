import { createHash } from 'node:crypto';
import type { Environment } from '../../../core/clock.ts';
import { NorimakiError } from '../../../core/errors.ts';
import { randomId } from '../../../core/random-id.ts';
import type { Version } from '../../../core/version.ts';
import { type Inside, insideOf } from '../../../repositories/internal.ts';
import type { BlockCallOptions } from '../../shared/options.ts';
import { readable } from './readable.ts';
import type { SnapshotHead, SnapshotRecords } from './snapshot-records.ts';

/** Bytes of one piece: as base64, with what stands around it, well below the limit of any store. */
const PIECE = 600_000;
/** Who has not finished a snapshot in that time, in milliseconds, is taken for dead. */
const CLAIM = 120_000;

type Claim = NonNullable<SnapshotHead['writing']>;
type Pieces = Pick<Claim, 'id' | 'pieces'>;

/**
 * The newest snapshot of one index of words. Its pieces are written under a name that nobody uses; then one
 * compare-and-swap of the head makes it the good one. Whoever dies before leaves the former one as it was, and who
 * comes next clears away what was left.
 */
export class Snapshots {
  readonly #records: SnapshotRecords;
  readonly #place: { readonly name: string; readonly entity: string };
  readonly #environment: Environment;

  constructor(records: SnapshotRecords, name: string, entity: string, environment: Environment) {
    this.#records = records;
    this.#place = { name, entity };
    this.#environment = environment;
  }

  /** The bytes of the newest; `undefined` if there is none, or what is there is damaged. */
  async read(options: BlockCallOptions): Promise<Uint8Array | undefined> {
    try {
      const current = (await this.#head(options))?.current;
      if (current === undefined) return undefined;
      const found = await this.#records.getMany(this.#ids(current), options);
      const bytes = Buffer.concat(found.map((piece) => Buffer.from(piece?.data ?? '', 'base64')));
      const isWhole =
        digestOf(
          bytes,
          found.map((piece) => piece?.version),
        ) === current.digest;
      return isWhole ? bytes : undefined;
    } catch (error) {
      if (NorimakiError.is(error, 'record.corrupt')) return undefined;
      throw error;
    }
  }

  /** Whether it was stored; `false` if somebody else is storing one. Errors: those of a repository's write. */
  async write(bytes: Uint8Array): Promise<boolean> {
    const { clock, random } = this.#environment;
    const pieces = Math.max(1, Math.ceil(bytes.length / PIECE));
    const claim: Claim = { id: randomId(random, 12), pieces, until: clock.now() + CLAIM };
    const left = await this.#claim(claim).catch(async (error: unknown) => {
      if (!NorimakiError.is(error, 'record.corrupt')) throw error;
      // The head itself is damaged: nobody knows any more which pieces were good.
      await this.#records.delete(this.#headId);
      return this.#claim(claim);
    });
    if (left === 'taken') return false;
    await this.#drop(left);
    const versions: (Version | undefined)[] = [];
    for (const id of this.#ids(claim)) {
      const data = Buffer.from(bytes.subarray(id.piece * PIECE, (id.piece + 1) * PIECE)).toString('base64');
      versions.push((await this.#records.put({ ...id, data })).version);
    }
    const replaced = await this.#publish(claim, digestOf(bytes, versions));
    await this.#drop(replaced);
    return !replaced.includes(claim);
  }

  /** How many pieces nobody needs any more; with `fix` they go. */
  async sweep({
    fix,
    signal,
  }: {
    readonly fix?: boolean | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<number> {
    const { name, entity } = this.#place;
    const options = { signal };
    // It came from db.repo().
    const inside = insideOf(this.#records) as Inside;
    const pieces: SnapshotHead[] = [];
    let cursor: string | undefined;
    do {
      const page = await inside.recordPage({ cursor, signal });
      for (const seen of page.items) {
        // A record of this repository.
        const piece = readable(seen) as SnapshotHead | undefined;
        if (piece?.name === name && piece.entity === entity && piece.snapshot !== '') pieces.push(piece);
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    // After the look at the pieces: what was begun since has none among them.
    const head = await this.#head(options);
    const inUse = [head?.current, head?.writing, ...(head?.leftovers ?? [])].map((one) => one?.id);
    const orphans = pieces.filter(({ snapshot }) => !inUse.includes(snapshot));
    if (fix === true)
      for (const { snapshot, piece } of orphans) await this.#records.delete({ name, entity, snapshot, piece }, options);
    return orphans.length;
  }

  #head(options: BlockCallOptions): Promise<SnapshotHead | undefined> {
    return this.#records.get(this.#headId, options);
  }

  /** What is to be dropped, because others have begun or replaced it and died; `'taken'` while somebody is at it. */
  async #claim(claim: Claim): Promise<readonly Pieces[] | 'taken'> {
    let left: readonly Pieces[] | 'taken' = 'taken';
    await this.#records.mutate(
      this.#headId,
      (draft) => {
        const { writing, leftovers = [] } = draft;
        left = 'taken';
        if (writing !== undefined && writing.id !== claim.id && writing.until > this.#environment.clock.now()) return;
        left = writing === undefined ? leftovers : [...leftovers, { id: writing.id, pieces: writing.pieces }];
        draft.leftovers = [...left];
        draft.writing = claim;
      },
      { ifAbsent: {} },
    );
    return left;
  }

  /** What is to be dropped then: the former one, or this one if others took its place. */
  async #publish(claim: Claim, digest: string): Promise<readonly Pieces[]> {
    let replaced: readonly Pieces[] = [];
    await this.#records.mutate(this.#headId, (draft) => {
      const { current, writing } = draft;
      replaced = [claim];
      if (writing?.id !== claim.id) return;
      replaced = current === undefined ? [] : [{ id: current.id, pieces: current.pieces }];
      // Those of before have been dropped since the claim.
      draft.leftovers = [...replaced];
      draft.current = { id: claim.id, pieces: claim.pieces, digest };
      draft.writing = undefined;
    });
    return replaced;
  }

  async #drop(snapshots: readonly Pieces[]): Promise<void> {
    for (const snapshot of snapshots) for (const id of this.#ids(snapshot)) await this.#records.delete(id);
  }

  get #headId() {
    return { ...this.#place, snapshot: '', piece: 0 };
  }

  #ids({ id, pieces }: Pieces) {
    return Array.from({ length: pieces }, (_, piece) => ({ ...this.#place, snapshot: id, piece }));
  }
}

/** Also of the versions of its pieces: copied into another store they are of records that are not those of that store. */
function digestOf(bytes: Uint8Array, versions: readonly (Version | undefined)[]): string {
  return createHash('sha256').update(bytes).update(JSON.stringify(versions)).digest('base64url');
}
