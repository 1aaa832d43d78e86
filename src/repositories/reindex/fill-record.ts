import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import { readSnapshot, type Snapshot } from '../snapshot.ts';
import type { VectorEntry } from '../vectors/entry.ts';
import { checkPassages, textsOf } from '../vectors/passages.ts';
import type { VectorSpace } from '../vectors/space.ts';
import { namingOf } from './lacking.ts';
import { namesOf, refreshRecord, restoreVectors } from './mend.ts';
import type { Movable } from './target.ts';

/** One space to fill. */
export interface Filling extends Movable {
  readonly space: VectorSpace;
  readonly signal: AbortSignal | undefined;
}

/** What a record lacks in a space: `'vector'` is one that it names, and that may not all be there. */
export type Lack =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'entry'; readonly text: string | undefined }
  | {
      readonly kind: 'vector';
      readonly text: string | undefined;
      readonly entry: VectorEntry;
      readonly version: Version;
    };

/** Of a record as it was read; whether a vector that it names is there is still to be asked. Errors: as `namingOf`. */
export function lackOf({ context, embedding, space }: Filling, { live, version }: Snapshot): Lack {
  if (live === undefined || version === undefined) return { kind: 'nothing' };
  const naming = namingOf(context, embedding, space, live);
  if (naming.kind === 'none') return { kind: 'nothing' };
  if (naming.kind !== 'named') return { kind: 'entry', text: naming.text };
  return { kind: 'vector', text: naming.text, entry: naming.entry, version };
}

/** What became of a record: `unsettled` by the end of all tries, so that another pass must look at it. */
export type Filled = 'skipped' | 'embedded' | 'unsettled' | { readonly failed: string };

/** Others write meanwhile: each try looks at the record anew. */
const MAX_TRIES = 5;

/** Errors that say something of the record, and nothing of those behind it. */
const OF_THE_RECORD: readonly string[] = [
  'embedder.rejected',
  'validation.failed',
  'argument.invalid',
  'size.exceeded',
  'embedding.tooLong',
];

/** Gives a record its vector. Errors: all that would meet the next record too, `embedder.unavailable` first of all. */
export async function fillRecord(filling: Filling, id: readonly IdPart[], lack: Lack): Promise<Filled> {
  try {
    let known = lack;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (known.kind === 'nothing') return tries === 0 ? 'skipped' : 'embedded';
      await supply(filling, id, known);
      known = await lookAgain(filling, id);
    }
    return known.kind === 'nothing' ? 'embedded' : 'unsettled';
  } catch (error) {
    return judge(error);
  }
}

/** A record that cannot be read is left alone: nobody finds it in the old space either. */
export function judge(error: unknown): Filled {
  if (!(error instanceof NorimakiError)) throw error;
  if (error.code === 'record.corrupt') return 'skipped';
  if (error.code === 'conflict.exhausted' || error.code === 'outcome.unknown') return 'unsettled';
  if (OF_THE_RECORD.includes(error.code)) return { failed: error.code };
  throw error;
}

async function supply(
  filling: Filling,
  id: readonly IdPart[],
  lack: Exclude<Lack, { kind: 'nothing' }>,
): Promise<void> {
  const { context, vectors, space, signal } = filling;
  const { text } = lack;
  // First, and by itself: a save would not say why a space that is not searched got no vector. The save then asks for a
  // text that is remembered.
  const client = vectors.embedders.get(space.spec.embedder);
  if (lack.kind === 'entry') {
    const texts = text === undefined ? [] : textsOf(space.spec, text);
    checkPassages(context.model, filling.embedding, texts.length);
    await Promise.all(texts.map((piece) => client?.embed(piece, { signal })));
    return refreshRecord(context, id, signal);
  }
  if (text === undefined || client === undefined) {
    const message = 'A vector that was given is lost, and there is no text to make another of: give it again.';
    throw new NorimakiError('argument.invalid', message, { argument: filling.embedding.name });
  }
  const { entry, version } = lack;
  await restoreVectors(context, vectors, { id, space, entry, version }, text, client, signal);
}

async function lookAgain(filling: Filling, id: readonly IdPart[]): Promise<Lack> {
  const { context, space, signal } = filling;
  const lack = lackOf(filling, await readSnapshot(context, id, context.keys.record(id), { signal }));
  if (lack.kind !== 'vector') return lack;
  const names = namesOf(context, { id, entry: lack.entry });
  const found = await context.client.vectors.getMany(space.namespace, names, { signal });
  return found.includes(undefined) ? lack : { kind: 'nothing' };
}
