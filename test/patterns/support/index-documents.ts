import type { Store } from '../../../src/core/store.ts';
import { open } from '../../../src/index.ts';
import { IndexDocument } from '../../../src/patterns/shared/index-document/index-document.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';

/** One process on a store: a database, chance and faults of its own. */
export interface IndexProcess {
  readonly index: IndexDocument;
  readonly faulty: FaultStore;
}

export interface IndexProcessOptions {
  readonly name: string;
  readonly clock: ManualClock;
  readonly seed: number;
  readonly pageSize?: number;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

export async function startIndex(
  store: Store,
  { name, clock, seed, pageSize = 4, faults, script }: IndexProcessOptions,
): Promise<IndexProcess> {
  const faulty = faultStore(store, { random: seededRandom(seed + 1), clock, faults, script, maxDelay: 20 });
  const db = await open(faulty, { clock, random: seededRandom(seed) });
  return { faulty, index: new IndexDocument(db, { name, pageSize }) };
}

/** All ids, as they are listed. */
export async function idsOf(index: IndexDocument, after?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of index.pages({ after })) ids.push(...page);
  return ids;
}
