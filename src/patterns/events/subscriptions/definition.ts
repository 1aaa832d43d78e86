import { partitionsDiffer } from './errors.ts';
import type { SubscriptionParts } from './parts.ts';
import { isOf, placesOf } from './work.ts';

/** What is stored of a subscription as a whole. */
export interface Definition {
  readonly partitions: number;
  readonly from: 'start' | 'end';
  readonly begun: readonly number[];
}

/** What a subscription is if it is new; without `partitions` as many as there are. */
export interface Wanted {
  readonly partitions: number | undefined;
  readonly from: 'start' | 'end';
}

const DEFAULT_PARTITIONS = 1;

/** The stored definition; makes it if it is new. Errors: `events.partitionsDiffer`. */
export async function define(
  { records, store, id, name, categories }: SubscriptionParts,
  { partitions, from }: Wanted,
  signal: AbortSignal,
): Promise<Definition> {
  const definition = await records.subscriptions.mutate(
    { store, name: id },
    (draft) => {
      draft.categories = categories && [...categories].sort();
    },
    { ifAbsent: { partitions: partitions ?? DEFAULT_PARTITIONS, from, begun: [] }, signal },
  );
  if (partitions !== undefined && definition.partitions !== partitions)
    throw partitionsDiffer(name, definition.partitions);
  return definition;
}

export async function readDefinition(
  { records, store, id }: Pick<SubscriptionParts, 'records' | 'store' | 'id'>,
  signal: AbortSignal | undefined,
): Promise<(Definition & { readonly categories?: readonly string[] | undefined }) | undefined> {
  return records.subscriptions.get({ store, name: id }, { signal });
}

/** Whether nothing that is appended from now on is left out. */
export function hasBegun({ from, begun, partitions }: Definition): boolean {
  return from === 'start' || begun.length === partitions;
}

/** For `from: 'end'`: gives every stream of a partition a cursor at its end, unless that was done before. */
export async function beginAtEnd(parts: SubscriptionParts, partition: number, signal: AbortSignal): Promise<void> {
  const definition = await readDefinition(parts, signal);
  if (definition === undefined || definition.from === 'start' || definition.begun.includes(partition)) return;
  for await (const page of placesOf(parts, isOf(partition, definition.partitions), signal)) {
    for (const { stream, key, place } of page) {
      if (place === undefined) await parts.cursors.begin(key, await parts.source.end(stream, signal), signal);
    }
  }
  const { records, store, id } = parts;
  await records.subscriptions.mutate(
    { store, name: id },
    (draft) => {
      if (!draft.begun.includes(partition)) draft.begun.push(partition);
    },
    { signal },
  );
}
