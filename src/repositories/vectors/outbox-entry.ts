import type { IdPart } from '../../core/model/model.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { RecordState } from '../write/operation.ts';

/**
 * A record whose vectors are still to be made, under a key of its own in the outbox of its entity: one for each record,
 * however often it changes, because a worker makes what the record says when it comes to it.
 */
export interface OutboxEntry {
  /** When the text that waits was saved. */
  readonly since: number;
  /** Nobody touches it before, its owner aside. */
  readonly notBefore: number;
  /** The worker that has it to itself until then; none while it waits to be tried again. */
  readonly owner?: string | undefined;
  /** Failed tries. */
  readonly attempts: number;
  /** Why the last one failed; a dead letter is one that is not tried again by itself. */
  readonly failure?: OutboxFailure | undefined;
}

interface OutboxFailure {
  readonly code: string;
  readonly message: string;
  readonly isDead: boolean;
}

/** How long a worker that saved a record, or took it over, has it to itself. */
export const LEASE_MS = 30_000;

export function encodeOutboxEntry(entry: OutboxEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(entry));
}

export function decodeOutboxEntry(value: Uint8Array): OutboxEntry {
  // Written by encodeOutboxEntry.
  return JSON.parse(Buffer.from(value).toString()) as OutboxEntry;
}

/** What a write does to the outbox, in its own commit. */
export function outboxOperations(
  { model, keys, environment, outbox }: RepositoryContext,
  id: readonly IdPart[],
  after: RecordState,
  isDeferred: boolean,
): CommitOperation[] {
  if (!model.embeddings.some(({ mode }) => mode === 'deferred')) return [];
  const key = keys.outbox(id);
  if (after === undefined) return [{ type: 'delete', key }];
  if (!isDeferred) return [];
  const now = environment.clock.now();
  // A process that runs no worker leaves it to whoever comes first.
  const lease = outbox?.isRunning ? { owner: outbox.owner, notBefore: now + LEASE_MS } : { notBefore: now };
  return [{ type: 'put', key, value: encodeOutboxEntry({ since: now, ...lease, attempts: 0 }) }];
}

/** Entries that are counted at most. */
const MAX_COUNTED = 1000;

/** How many records wait for vectors, dead letters among them. */
export async function countPending(
  { model, keys, client }: RepositoryContext,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (!model.embeddings.some(({ mode }) => mode === 'deferred')) return 0;
  const { entries } = await client.scan(keys.wholeOutbox(), { limit: MAX_COUNTED, signal });
  return entries.length;
}
