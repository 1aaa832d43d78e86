import { type ErrorCode, NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter } from '../../core/retry/index.ts';
import type { CommitOperation, Key, Stored } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import type { WriteOutcome } from '../store-client.ts';
import { randomOperationId } from '../write/next-record.ts';
import { decodeOutboxEntry, encodeOutboxEntry, LEASE_MS, type OutboxEntry } from './outbox-entry.ts';

/** An entry of the outbox as it was read. */
export interface OutboxItem {
  readonly id: readonly IdPart[];
  readonly key: Key;
  readonly version: Version;
  readonly entry: OutboxEntry;
}

export function itemOf({ keys }: RepositoryContext, key: Key, { value, version }: Stored): OutboxItem {
  return { id: keys.outboxId(key), key, version, entry: decodeOutboxEntry(value) };
}

/** Waits between tries of one text that fails by itself. */
const RETRY_POLICY = { maxAttempts: Number.POSITIVE_INFINITY, deadline: 0, base: 10_000, cap: 300_000 };

/** An entry that is held for longer than anybody holds one was written by a clock that ran ahead. */
const LONGEST_HOLD_MS = 2 * RETRY_POLICY.cap;

/** How long until a worker may touch an entry; 0: now. Clocks that disagree cost a text paid twice, nothing else. */
export function heldFor({ notBefore, owner }: OutboxEntry, worker: string, now: number): number {
  const left = notBefore - now;
  return owner === worker || left > LONGEST_HOLD_MS ? 0 : Math.max(0, left);
}

/** What an embedder rejects it will reject again, see `Embedder.embed`; a text that is none stays none. */
const FINAL: ReadonlySet<string> = new Set<ErrorCode>(['embedder.rejected', 'validation.failed', 'embedding.tooLong']);

/** An entry after a failure of its own, of which others are not to blame. */
export function failedEntry(
  { environment: { clock, random } }: RepositoryContext,
  entry: OutboxEntry,
  error: unknown,
  mostAttempts: number,
): OutboxEntry {
  const attempts = entry.attempts + 1;
  const isDead = attempts >= mostAttempts || (error instanceof NorimakiError && FINAL.has(error.code));
  const wait = RETRY_POLICY.base / 2 + fullJitter(attempts, RETRY_POLICY, random);
  const failure = { ...described(error), isDead };
  return { since: entry.since, notBefore: Math.ceil(clock.now() + wait), attempts, failure };
}

/** An error from elsewhere may repeat the text in its message. */
function described(error: unknown): { code: string; message: string } {
  if (error instanceof NorimakiError) return { code: error.code, message: error.message };
  const message = 'The function that makes the text threw an error that is not of norimaki.';
  return { code: 'validation.failed', message };
}

/** One try to put another entry in the place of one; `undefined` if somebody else has touched it since. */
export async function replaceEntry(
  context: RepositoryContext,
  item: OutboxItem,
  entry: OutboxEntry,
): Promise<OutboxItem | undefined> {
  const outcome = await tryWrite(context, replacing(item, entry));
  return outcome.kind === 'applied' && outcome.version !== undefined
    ? { ...item, version: outcome.version, entry }
    : undefined;
}

/** One try to delete an entry; `false` if somebody else has touched it since. */
export async function deleteEntry(context: RepositoryContext, item: OutboxItem): Promise<boolean> {
  return (await tryWrite(context, deleting(item))).kind === 'applied';
}

/** A save in between has put an entry of its own, which must stay. */
export function replacing({ key, version }: OutboxItem, entry: OutboxEntry): CommitOperation {
  return { type: 'put', key, value: encodeOutboxEntry(entry), ifMatch: version };
}

/** As {@link replacing}. */
export function deleting({ key, version }: OutboxItem): CommitOperation {
  return { type: 'delete', key, ifMatch: version };
}

/** One try; whether a write without an answer was applied is seen when the outbox is looked at again. */
export async function tryWrite(
  { client, environment }: RepositoryContext,
  operation: CommitOperation | readonly CommitOperation[],
  vectors?: readonly VectorWrite[],
): Promise<WriteOutcome & { readonly kind: 'applied' | 'conflict' }> {
  const operations = [operation].flat();
  const outcome = await client.write(operations, { idempotencyKey: randomOperationId(environment.random), vectors });
  if (outcome.kind === 'applied' || outcome.kind === 'conflict') return outcome;
  throw outcome.error;
}

/** The items that are this worker's for a while: a process pays for a text only while nobody else may. */
export async function lease(
  context: RepositoryContext,
  worker: string,
  items: readonly OutboxItem[],
): Promise<OutboxItem[]> {
  const { clock } = context.environment;
  const leased = await Promise.all(
    items.map((item) => {
      const left = item.entry.notBefore - clock.now();
      if (item.entry.owner === worker && left > LEASE_MS / 2 && left <= LEASE_MS) return item;
      return replaceEntry(context, item, { ...item.entry, owner: worker, notBefore: clock.now() + LEASE_MS });
    }),
  );
  return leased.filter((item) => item !== undefined);
}
