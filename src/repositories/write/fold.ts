import { NorimakiError } from '../../core/errors.ts';
import { listOf } from '../../core/list-of.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import { type NeededClaim, neededClaims } from './claims.ts';
import { derivesKeys } from './derived-keys.ts';
import { Failed, type Fold, type Member } from './member.ts';
import type { RecordState } from './operation.ts';

const NO_CLAIMS: ReadonlyMap<string, NeededClaim> = new Map();

/** What all members of a round, one after the other, make of the record. */
export class Folded {
  /** The record after all of them. */
  readonly after: RecordState;
  /** The claims that the change must take. */
  readonly needed: ReadonlyMap<string, NeededClaim>;
  readonly #members: readonly Member[];
  readonly #folds: readonly Fold[];

  constructor(
    members: readonly Member[],
    folds: readonly Fold[],
    after: RecordState,
    needed: ReadonlyMap<string, NeededClaim> = NO_CLAIMS,
  ) {
    this.#members = members;
    this.#folds = folds;
    this.after = after;
    this.needed = needed;
  }

  /** The committed version is that of the last state only: it must not vouch for a state that others in the batch moved on from. */
  settle(version: Version | undefined): void {
    this.#folds.forEach((fold, i) => {
      const isLast = !(fold instanceof Failed) && fold.after === this.after;
      this.#members[i]?.settle(fold, isLast ? version : undefined);
    });
  }

  /** After a failure of all: who failed before anything was changed keeps the failure of its own. */
  reject(error: unknown): void {
    let isTouched = false;
    this.#folds.forEach((fold, i) => {
      const isFailed = fold instanceof Failed;
      this.#members[i]?.reject(isFailed && !isTouched ? fold.error : error);
      if (!isFailed && fold.after !== fold.before) isTouched = true;
    });
  }
}

/** Waits for nothing unless a function, or a look at the claims of the record, takes time. */
export function foldAll(
  context: RepositoryContext,
  id: readonly IdPart[],
  members: readonly Member[],
  base: Snapshot,
): Folded | Promise<Folded> {
  const folds = listOf<Fold>();
  let state: RecordState = base.live;
  if (derivesKeys(context)) return foldRest(context, id, members, folds, state);
  for (const member of members) {
    const fold = member.fold(state);
    if (fold instanceof Promise) return foldRest(context, id, members, folds, state, fold);
    folds.push(fold);
    if (!(fold instanceof Failed)) state = fold.after;
  }
  return new Folded(members, folds, state);
}

/** Folds those that are not folded yet; the first of them may be under way. */
async function foldRest(
  context: RepositoryContext,
  id: readonly IdPart[],
  members: readonly Member[],
  folds: Fold[],
  start: RecordState,
  underWay?: Promise<Fold>,
): Promise<Folded> {
  const needed = new Map<string, NeededClaim>();
  let state = start;
  let next: Fold | Promise<Fold> | undefined = underWay;
  for (const member of members.slice(folds.length)) {
    const folding: Fold = await (next ?? member.fold(state));
    next = undefined;
    const fold = derivesKeys(context) ? await withClaims(context, id, folding, needed) : folding;
    folds.push(fold);
    if (!(fold instanceof Failed)) state = fold.after;
  }
  return new Folded(members, folds, state, needed);
}

/** The fold, failed if its record may not be: notes the claims that it needs. */
async function withClaims(
  context: RepositoryContext,
  id: readonly IdPart[],
  fold: Fold,
  needed: Map<string, NeededClaim>,
): Promise<Fold> {
  const { before } = fold;
  if (fold instanceof Failed || fold.after === before) return fold;
  try {
    for (const [name, claim] of await neededClaims(context, id, before, fold.after)) needed.set(name, claim);
    return fold;
  } catch (error) {
    if (NorimakiError.is(error, 'store.unavailable')) throw error;
    return new Failed(before, error);
  }
}
