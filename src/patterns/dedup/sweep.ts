import { throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { ScanRepository } from '../../repositories/index.ts';
import { changeRecord } from '../shared/change-record.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { neighbourOf } from './buckets.ts';
import { getGroup, hashOf } from './claims.ts';
import { areApart, rootOf } from './clusters.ts';
import type { DedupContext } from './context.ts';
import type { Document, DocumentShape } from './documents.ts';
import { judge, similarToText } from './matches.ts';
import { placeStored, takeOut } from './place.ts';
import { checkShare } from './settings.ts';

export interface SweepProgress {
  readonly phase: 'documents' | 'entries' | 'buckets';
  /** Of this phase. */
  readonly done: number;
}

export interface SweepOptions extends BlockCallOptions {
  /** Other thresholds than those of the deduplicator, for this sweep only. What was joined stays joined. */
  readonly threshold?: { readonly jaccard?: number | undefined; readonly semantic?: number | undefined } | undefined;
  /** Says what it would do, and does nothing; default `false`. */
  readonly dryRun?: boolean | undefined;
  /** Only these documents. Without it, all: then the store must be able to scan. */
  readonly ids?: Iterable<string> | AsyncIterable<string> | undefined;
  readonly onProgress?: ((progress: SweepProgress) => void) | undefined;
}

export interface SweepReport {
  /** Documents that were looked at. */
  readonly documents: number;
  /** Those that were not known with the text that they have. */
  readonly added: number;
  /** Clusters that became one with another; in a dry run, documents that have a duplicate in another. */
  readonly joined: number;
  /** Documents that were known and are not there any more, or are too short. */
  readonly dropped: number;
  /** Entries of buckets that led nowhere. */
  readonly cleared: number;
}

/** Looks at every document once more, and at all that is derived of them. Others may submit and remove meanwhile. */
export async function sweep(whole: DedupContext, options: SweepOptions, canScan: boolean): Promise<SweepReport> {
  const { threshold, dryRun = false, ids, onProgress, ...call } = options;
  if (ids === undefined && !canScan) {
    throw new NorimakiError(
      'capability.missing',
      'To sweep all documents needs a store with scan. Say which with ids, or use the memory or the embedded store.',
      { capability: 'scan', neededBy: 'Deduplicator.sweep' },
    );
  }
  const context = withThreshold(whole, threshold);
  const report = { documents: 0, added: 0, joined: 0, dropped: 0, cleared: 0 };
  for await (const id of ids ?? allIds(context, call)) {
    throwIfAborted(call.signal);
    const document = await context.documents.read(id, call);
    if (document === undefined) report.dropped += await dropped(context, id, dryRun, call);
    else await sweepOne(context, document, report, dryRun, call);
    onProgress?.({ phase: 'documents', done: report.documents });
  }
  if (ids !== undefined) return report;
  await sweepEntries(context, report, dryRun, call, onProgress);
  await sweepBuckets(context, report, dryRun, call, onProgress);
  return report;
}

type Report = { -readonly [K in keyof SweepReport]: SweepReport[K] };

function withThreshold(context: DedupContext, threshold: SweepOptions['threshold']): DedupContext {
  const { settings } = context;
  const { jaccard = settings.near.jaccard, semantic = settings.semantic?.threshold } = threshold ?? {};
  return {
    ...context,
    settings: {
      ...settings,
      near: { ...settings.near, jaccard: checkShare(jaccard, 'threshold.jaccard') },
      semantic:
        settings.semantic === undefined || semantic === undefined
          ? undefined
          : { ...settings.semantic, threshold: semantic },
    },
  };
}

async function sweepOne(
  context: DedupContext,
  document: Document,
  report: Report,
  dryRun: boolean,
  call: BlockCallOptions,
): Promise<void> {
  const { records, settings } = context;
  report.documents++;
  if (document.print.isTooShort) {
    report.dropped += await dropped(context, document.id, dryRun, call);
    return;
  }
  const entry = await records.entries.get({ name: settings.name, id: document.id }, { signal: call.signal });
  const isKnown = entry !== undefined && hashOf(entry.key) === document.print.hash;
  if (!isKnown) report.added++;
  if (!dryRun) {
    const placed = await placeStored(context, document, { ...call, again: true });
    report.joined += placed?.joined ?? 0;
    return;
  }
  const own = await rootOf(context, isKnown ? entry.key : document.print.hash, call);
  const found = await similarToText(context, document.print, document.id, call);
  for (const item of found) {
    if (judge(context.settings, item) !== 'same') continue;
    const root = await rootOf(context, item.key, call);
    if (root === undefined || root.key === own?.key || (own !== undefined && areApart(root, own))) continue;
    report.joined++;
    return;
  }
}

async function dropped(context: DedupContext, id: string, dryRun: boolean, call: BlockCallOptions): Promise<number> {
  const { records, settings } = context;
  const entry = await records.entries.get({ name: settings.name, id }, { signal: call.signal });
  if (entry === undefined) return 0;
  if (!dryRun) await takeOut(context, id, call);
  return 1;
}

async function sweepEntries(
  context: DedupContext,
  report: Report,
  dryRun: boolean,
  call: BlockCallOptions,
  onProgress: SweepOptions['onProgress'],
): Promise<void> {
  let done = 0;
  for await (const { name, id } of scanOf(context.records.entries, call)) {
    if (name !== context.settings.name) continue;
    const document = await context.documents.read(id, call);
    if (document === undefined) report.dropped += await dropped(context, id, dryRun, call);
    onProgress?.({ phase: 'entries', done: ++done });
  }
}

async function sweepBuckets(
  context: DedupContext,
  report: Report,
  dryRun: boolean,
  call: BlockCallOptions,
  onProgress: SweepOptions['onProgress'],
): Promise<void> {
  const { records, settings } = context;
  let done = 0;
  for await (const { name, bucket, entries } of scanOf(records.buckets, call)) {
    if (name !== settings.name) continue;
    const stale = new Set<string>();
    for (const item of entries) {
      const { key, mark } = neighbourOf(item);
      const group = await getGroup(context, key, call);
      if (group?.mark !== mark || group.holder === undefined) stale.add(item);
    }
    report.cleared += stale.size;
    if (stale.size > 0 && !dryRun) {
      const clear = (draft: { entries: string[] }): boolean => {
        draft.entries = draft.entries.filter((item) => !stale.has(item));
        return true;
      };
      await changeRecord(records.buckets, { name, bucket }, clear, call);
    }
    onProgress?.({ phase: 'buckets', done: ++done });
  }
}

async function* allIds({ documents }: DedupContext, call: BlockCallOptions): AsyncGenerator<string, void, undefined> {
  // What the store says it can, its repositories can.
  const scannable = documents.repository as unknown as ScanRepository<DocumentShape>;
  for await (const entity of scannable.scan({ signal: call.signal })) yield documents.idOf(entity);
}

/** What the store says it can, its repositories can. */
function scanOf<T extends object>(
  repository: { getMany(ids: readonly never[]): Promise<(T | undefined)[]> },
  { signal }: BlockCallOptions,
): AsyncIterable<T> {
  return (repository as unknown as { scan(options: BlockCallOptions): AsyncIterable<T> }).scan({ signal });
}
