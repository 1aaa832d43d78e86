import { NorimakiError } from '../../core/errors.ts';
import { changeRecord } from '../shared/change-record.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { DedupContext } from './context.ts';
import type { Group } from './records.ts';

/** Random bytes of a mark are 6, which makes so many characters. */
const MARK_LENGTH = 8;

/** A text that shares buckets with another. */
export interface Neighbour {
  readonly key: string;
  readonly mark: string;
}

type Marked = Pick<Group, 'key' | 'mark' | 'buckets'>;

/** Puts a group into its buckets, and resolves to what stands in them: who shares the most of them first. */
export async function enterBuckets(
  context: DedupContext,
  group: Marked,
  options: BlockCallOptions,
): Promise<readonly Neighbour[]> {
  const own = entryOf(group);
  const full = await Promise.all(
    group.buckets.map((bucket, band) => enterBucket(context, bucketName(band, bucket), own, options)),
  );
  return neighbours(full, group.key);
}

async function enterBucket(
  { records, settings }: DedupContext,
  bucket: string,
  own: string,
  options: BlockCallOptions,
): Promise<readonly string[]> {
  const id = { name: settings.name, bucket };
  const { signal, retry } = options;
  // Most buckets of most texts are new; this needs no read.
  const isNew = await records.buckets.create({ ...id, entries: [own] }, { signal, retry }).then(
    () => true,
    (error: unknown) => {
      if (NorimakiError.is(error, 'already.exists')) return false;
      throw error;
    },
  );
  if (isNew) return [];
  const seen = await changeRecord(
    records.buckets,
    id,
    (draft, wasAbsent) => {
      if (wasAbsent) return true;
      if (draft.entries.includes(own)) return false;
      // The newest stay: of two that race at least one is seen, however many stand here.
      draft.entries = [...draft.entries, own].slice(-settings.near.bucket);
      return true;
    },
    options,
    () => ({ entries: [own] }),
  );
  return seen?.entries ?? [];
}

/** What stands in buckets. */
export async function readBuckets(
  { records, settings }: DedupContext,
  buckets: readonly string[],
  { signal }: BlockCallOptions,
): Promise<readonly Neighbour[]> {
  if (buckets.length === 0) return [];
  const ids = buckets.map((bucket, band) => ({ name: settings.name, bucket: bucketName(band, bucket) }));
  const found = await records.buckets.getMany(ids, { signal });
  return neighbours(
    found.map((bucket) => bucket?.entries ?? []),
    undefined,
  );
}

/** Takes a group out of its buckets, as it was marked then: one that has come back has other marks, and stays. */
export async function leaveBuckets(context: DedupContext, group: Marked, options: BlockCallOptions): Promise<void> {
  const { records, settings } = context;
  const own = entryOf(group);
  await Promise.all(
    group.buckets.map((bucket, band) =>
      changeRecord(
        records.buckets,
        { name: settings.name, bucket: bucketName(band, bucket) },
        (draft) => {
          const at = draft.entries.indexOf(own);
          if (at !== -1) draft.entries.splice(at, 1);
          return at !== -1;
        },
        options,
      ),
    ),
  );
}

function neighbours(buckets: readonly (readonly string[])[], own: string | undefined): Neighbour[] {
  const counts = new Map<string, number>();
  for (const entries of buckets) for (const entry of entries) counts.set(entry, (counts.get(entry) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([entry]) => neighbourOf(entry))
    .filter(({ key }) => key !== own);
}

function entryOf({ key, mark }: Neighbour): string {
  return key + mark;
}

/** What an entry of a bucket stands for. */
export function neighbourOf(entry: string): Neighbour {
  return { key: entry.slice(0, -MARK_LENGTH), mark: entry.slice(-MARK_LENGTH) };
}

/** Both parts are of letters and digits only. */
function bucketName(band: number, bucket: string): string {
  return `${band}-${bucket}`;
}
