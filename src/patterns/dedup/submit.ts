import { changeRecord } from '../shared/change-record.ts';
import { keyHash } from '../shared/key-ring.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { hashOf } from './claims.ts';
import { rootOf } from './clusters.ts';
import type { DedupContext } from './context.ts';
import type { Document } from './documents.ts';
import { keyReused } from './errors.ts';
import { type Placed, placeStored, takeOut } from './place.ts';
import type { SubmitOptions, Submitted, Verdict } from './types.ts';
import { isDuplicate, lookUp, verdictOf } from './verdict.ts';

type Input = Readonly<Record<string, unknown>>;

/** Stores a document and puts it in its place, or refuses it. */
export async function submit(context: DedupContext, given: object, options: SubmitOptions): Promise<Submitted> {
  const { onDuplicate = 'link', idempotencyKey, signal, retry } = options;
  if (!['link', 'reject', 'store'].includes(onDuplicate)) {
    refuse('onDuplicate', "onDuplicate is 'link', 'reject' or 'store'.");
  }
  const { documents, settings, records } = context;
  const call = { signal, retry };
  const { id, input } = await named(context, given, idempotencyKey, call);
  const document: Document = { id, print: documents.printOf(input) };
  if (document.print.isTooShort) {
    await write(context, input, document, call);
    await takeOut(context, id, call);
    return { kind: 'tooShort', id, stored: true, replayed: false };
  }
  if (onDuplicate === 'link') return told(id, await store(context, input, document, false, call));
  const entry = await records.entries.get({ name: settings.name, id }, { signal });
  // What was let in before is not put out again.
  if (entry !== undefined && hashOf(entry.key) === document.print.hash) {
    return told(id, await store(context, input, document, false, call));
  }
  const before = await lookUp(context, document.print, id, call);
  if (!isDuplicate(before)) {
    const stored = await store(context, input, document, false, call);
    // An edit of what was there before is kept: to take it back would lose what others made of it meanwhile.
    const wasRaced = onDuplicate === 'reject' && !stored.isEdit && isDuplicate(stored.verdict);
    if (!wasRaced) return told(id, stored);
    await documents.deleteSame(document, call);
    await takeOut(context, id, call);
    return { ...stored.verdict, id, stored: false, replayed: false };
  }
  if (onDuplicate === 'reject') return { ...before, id, stored: false, replayed: false };
  const { placed } = await store(context, input, document, true, call);
  const root = placed && (await rootOf(context, placed.key, call));
  return { ...before, cluster: root?.key ?? before.cluster, canonical: id, id, stored: true, replayed: false };
}

interface Stored {
  readonly verdict: Verdict;
  readonly placed: Placed | undefined;
  /** Another text was replaced. */
  readonly isEdit: boolean;
}

function told(id: string, { verdict, placed }: Stored): Submitted {
  return { ...verdict, id, stored: true, replayed: placed?.isReplay ?? false };
}

/** The document with its id. Under an idempotency key that is the same each time. */
async function named(
  { documents, records, settings, environment }: DedupContext,
  given: object,
  idempotencyKey: string | undefined,
  call: BlockCallOptions,
): Promise<{ readonly id: string; readonly input: Input }> {
  const { id, input } = documents.withId(given);
  if (idempotencyKey === undefined) return { id, input };
  if (typeof idempotencyKey !== 'string' || idempotencyKey === '' || !idempotencyKey.isWellFormed()) {
    refuse('idempotencyKey', 'idempotencyKey is a string of well-formed Unicode, not empty.');
  }
  const { hash } = documents.printOf(input);
  const forgetAt = new Date(environment.clock.now() + settings.remember);
  const ticket = { name: settings.name, ticket: keyHash(idempotencyKey) };
  const seen = await changeRecord(
    records.tickets,
    ticket,
    (_draft: { readonly id: string; readonly hash: string }, wasAbsent) => wasAbsent,
    call,
    () => ({ id, hash, forgetAt }),
  );
  const first = seen ?? { id, hash };
  if (first.hash !== hash || (documents.hasId(given) && first.id !== id)) throw keyReused(settings.name, first.id);
  return { id: first.id, input: documents.renamed(input, first.id) };
}

/**
 * Whether another text was replaced. What has this text already is left as it is: others may have changed its other fields since.
 */
async function write(
  { documents }: DedupContext,
  input: Input,
  { id, print }: Document,
  call: BlockCallOptions,
): Promise<boolean> {
  for (;;) {
    const now = await documents.read(id, call);
    if (now?.print.equals(print)) return false;
    if (now !== undefined) {
      await documents.repository.put(input, call);
      return true;
    }
    // Of two who submit one new id the later has to know that it edits.
    if (await documents.create(input, call)) return false;
  }
}

/** Writes the document, then places it. */
async function store(
  context: DedupContext,
  input: Input,
  document: Document,
  isApart: boolean,
  call: BlockCallOptions,
): Promise<Stored> {
  const isEdit = await write(context, input, document, call);
  const placed = await placeStored(context, document, { ...call, apart: isApart });
  if (placed !== undefined) return { placed, isEdit, verdict: await verdictOf(context, placed, call) };
  // Edited by others to something that is too short, which is theirs to be told.
  const isThere = (await context.documents.read(document.id, call)) !== undefined;
  // It was stored, and has gone since: somebody has removed it, or its deadline has passed.
  const verdict: Verdict = isThere ? { kind: 'tooShort' } : await lookUp(context, document.print, document.id, call);
  return { placed, isEdit, verdict };
}

/** Removes a document. Whether there was one. */
export async function remove(context: DedupContext, id: string, call: BlockCallOptions): Promise<boolean> {
  const existed = await context.documents.repository.delete(id, call);
  await takeOut(context, id, call);
  return existed;
}
