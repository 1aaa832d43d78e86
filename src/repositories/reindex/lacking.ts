import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel } from '../../core/model/model.ts';
import type { RepositoryContext } from '../context.ts';
import { hydrate } from '../entity.ts';
import type { LiveRecord } from '../snapshot.ts';
import { type VectorEntry, wantedIn } from '../vectors/entry.ts';
import { hashOfText, type VectorSpace } from '../vectors/space.ts';

/** What a record says of its vector in one space, against what it should say. */
export type Naming =
  /** It needs no vector and names none. */
  | { readonly kind: 'none' }
  /** It names the vector of this text; whether that is there only the store knows. */
  | { readonly kind: 'named'; readonly entry: VectorEntry; readonly text: string | undefined }
  /** It names none. */
  | { readonly kind: 'unnamed'; readonly text: string }
  /** It names that of another text. */
  | { readonly kind: 'stale'; readonly text: string | undefined };

/** The text of a record, as the code makes it now. Errors: `record.corrupt`, `validation.failed` where the code makes none. */
function textOf(
  { model }: RepositoryContext,
  { name, source }: EmbeddingModel,
  record: LiveRecord,
): string | undefined {
  const entity = hydrate(model, record.decode().values, undefined);
  try {
    return source?.(entity);
  } catch (cause) {
    if (cause instanceof NorimakiError) throw cause;
    const message = 'the function in from threw an error';
    const issues = [{ path: [name], message }];
    throw new NorimakiError(
      'validation.failed',
      `${model.name}.${name}: ${message}.`,
      { entity: model.name, issues },
      { cause },
    );
  }
}

/** Errors: as `textOf`. */
export function namingOf(
  context: RepositoryContext,
  embedding: EmbeddingModel,
  space: VectorSpace,
  record: LiveRecord,
): Naming {
  const entry = wantedIn(record.envelope.vectors, space.id);
  const isGiven = entry !== undefined && entry.given !== undefined;
  // Only the user can say whether a given vector is right where there is no text.
  if (embedding.source === undefined)
    return entry === undefined ? { kind: 'none' } : { kind: 'named', entry, text: undefined };
  const text = textOf(context, embedding, record);
  if (text === undefined && isGiven && entry.source === hashOfText('')) return { kind: 'named', entry, text };
  if (text === undefined) return entry === undefined ? { kind: 'none' } : { kind: 'stale', text };
  if (entry === undefined) return { kind: 'unnamed', text };
  return entry.source === hashOfText(text) ? { kind: 'named', entry, text } : { kind: 'stale', text };
}
