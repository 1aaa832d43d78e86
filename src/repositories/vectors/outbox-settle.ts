import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import type { CatalogState } from './catalog.ts';
import { renewed } from './decide.ts';
import {
  deleteEntry,
  deleting,
  failedEntry,
  type OutboxItem,
  replaceEntry,
  replacing,
  tryWrite,
} from './outbox-item.ts';
import type { MissingVector, OutboxPlan, Refreshed } from './outbox-plan.ts';
import type { Answer, Providers } from './outbox-provider.ts';
import type { VectorContext } from './vector-context.ts';

/** What a worker works with. */
export interface Driver {
  readonly context: RepositoryContext;
  readonly vectors: VectorContext;
  /** Names the worker in the entries that it holds. */
  readonly owner: string;
  readonly providers: Providers;
  /** Failed tries before a text is a dead letter. */
  readonly attempts: number;
}

/** How far one entry came. */
export type Outcome =
  /** Nothing waits any more: its vectors are there, or it is a dead letter. */
  | { readonly kind: 'done' | 'dead' }
  /** Something changed meanwhile: look at it again. */
  | { readonly kind: 'again' }
  /** Only another program can make all of its vectors: this is the embedding. */
  | { readonly kind: 'foreign'; readonly embedding: string }
  /** Its own turn comes again in so many milliseconds. */
  | { readonly kind: 'later'; readonly wait: number }
  /** A provider is not to be asked for so many milliseconds. `wasAsked`: it failed at this very text. */
  | { readonly kind: 'paused'; readonly wait: number; readonly wasAsked: boolean };

/** The answer to a missing vector, and whether a failure is its own. */
export interface Asked {
  readonly answer: Answer;
  readonly isOwn: boolean;
}

/** There is no record: its entry ends, unless a new record has put another. */
export async function settleGone({ context }: Driver, item: OutboxItem): Promise<Outcome> {
  return { kind: (await deleteEntry(context, item)) ? 'done' : 'again' };
}

/** The normal way of a write, which sees that the text is another one and puts a new entry. */
export async function refresh(
  driver: Driver,
  item: OutboxItem,
  refreshed: Refreshed,
  renew: string | undefined,
): Promise<Outcome> {
  const { context } = driver;
  const { keys, queues } = context;
  try {
    const version = await queues.run(
      context,
      item.id,
      keys.record(item.id),
      { apply: (state) => renewed(state, renew), result: (_before, _after, written) => written },
      {},
    );
    refreshed.set(keyName(item.key), version);
    return { kind: 'again' };
  } catch (error) {
    if (NorimakiError.match(error, 'store.')) throw error;
    return settleFailed(driver, item, error);
  }
}

/** A try that failed by itself: the next one comes later, or never. */
export async function settleFailed(driver: Driver, item: OutboxItem, error: unknown): Promise<Outcome> {
  const entry = failedEntry(driver.context, item.entry, error, driver.attempts);
  const replaced = await replaceEntry(driver.context, item, entry);
  return replaced === undefined ? { kind: 'again' } : afterFailure(driver, entry);
}

function afterFailure({ context }: Driver, { failure, notBefore }: OutboxItem['entry']): Outcome {
  if (failure?.isDead) return { kind: 'dead' };
  return { kind: 'later', wait: notBefore - context.environment.clock.now() };
}

/** Commits what was made for a record, if it still is what it was when it was read. */
export async function settle(
  driver: Driver,
  item: OutboxItem,
  { version, missing, foreign }: OutboxPlan & { readonly kind: 'make' },
  asked: ReadonlyMap<MissingVector, Asked>,
  catalog: CatalogState,
): Promise<Outcome> {
  const { context, vectors } = driver;
  const inserts = missing.flatMap((one): VectorWrite[] => {
    const answer = asked.get(one)?.answer;
    if (!(answer instanceof Float32Array)) return [];
    return [{ type: 'insert', namespace: one.namespace, id: one.id, vector: answer }];
  });
  const failed = missing.map((one) => asked.get(one)).find((one) => one?.isOwn === true);
  const next = failed && failedEntry(context, item.entry, failed.answer, driver.attempts);
  const isComplete = inserts.length === missing.length && foreign === undefined;
  if (next !== undefined || isComplete || inserts.length > 0) {
    const operations: CommitOperation[] = [
      // A vector that its record does not name is garbage, and one outside of the catalog is lost.
      { type: 'check', key: context.keys.record(item.id), ifMatch: version },
      { type: 'check', key: vectors.catalog.key, ifMatch: catalog.version },
    ];
    if (next !== undefined) operations.push(replacing(item, next));
    else if (isComplete) operations.push(deleting(item));
    if (!(await isCommitted(driver, operations, inserts))) return { kind: 'again' };
  }
  if (next !== undefined) return afterFailure(driver, next);
  if (isComplete) return { kind: 'done' };
  return unfinished(driver, missing, asked, foreign);
}

async function isCommitted(
  { context, vectors }: Driver,
  operations: readonly CommitOperation[],
  inserts: readonly VectorWrite[],
): Promise<boolean> {
  try {
    if ((await tryWrite(context, operations, inserts)).kind === 'applied') return true;
    vectors.catalog.invalidate();
  } catch (error) {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    vectors.catalog.forgetIndexes();
  }
  return false;
}

function unfinished(
  { providers }: Driver,
  missing: readonly MissingVector[],
  asked: ReadonlyMap<MissingVector, Asked>,
  foreign: string | undefined,
): Outcome {
  const unmade = missing.filter((one) => !(asked.get(one)?.answer instanceof Float32Array));
  if (unmade.length === 0 && foreign !== undefined) return { kind: 'foreign', embedding: foreign };
  const wait = Math.max(...unmade.map(({ embedder }) => providers.of(embedder).wait));
  const wasAsked = unmade.some((one) => asked.has(one));
  // Another text has found out meanwhile that the provider is back.
  return wait === 0 ? { kind: 'again' } : { kind: 'paused', wait, wasAsked };
}
