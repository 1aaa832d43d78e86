import type { IdPart } from '../../core/model/model.ts';
import type { Snapshot } from '../snapshot.ts';
import { parseEntries } from '../vectors/entry.ts';
import { vectorNamesOf } from '../vectors/prepare.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { Examination } from './examination.ts';

/** Deletes an expired record with its vectors; its claims and entries are orphans then. */
export async function removeExpired(
  examination: Examination,
  id: readonly IdPart[],
  { version, envelope }: Snapshot,
): Promise<void> {
  const { context, signal } = examination;
  const { client, keys } = context;
  const catalog = await context.vectors?.catalog.current();
  const named = catalog === undefined ? [] : vectorNamesOf(context, id, parseEntries(envelope?.vectors), catalog);
  const vectors = named.map((name) => ({ type: 'delete', ...name }) as const);
  const idempotencyKey = randomOperationId(context.environment.random);
  const operation = { type: 'delete', key: keys.record(id), ifMatch: version } as const;
  const outcome = await client.write([operation], { idempotencyKey, vectors, signal });
  if (outcome.kind === 'notApplied') throw outcome.error;
}
