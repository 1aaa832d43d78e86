import { NorimakiError } from '../../core/errors.ts';
import { NothingToWrite } from './nothing-to-write.ts';
import type { BlockCallOptions } from './options.ts';

/** The part of a repository that is needed to change a record. */
interface Mutating<Id, Draft, Input> {
  mutate(
    id: Id,
    fn: (draft: Draft) => void,
    options: BlockCallOptions & { readonly ifAbsent?: (() => Input) | undefined },
  ): Promise<unknown>;
}

/** Changes a draft in place and says whether anything is to be written. May run several times. */
export type Change<Draft> = (draft: Draft, wasAbsent: boolean) => boolean;

/** Changes a record, and resolves to it as it is then; `undefined` where there is none and `ifAbsent` makes none. */
export async function changeRecord<Id, Draft extends object, Input>(
  repository: Mutating<Id, Draft, Input>,
  id: Id,
  change: Change<Draft>,
  { signal, retry }: BlockCallOptions,
  ifAbsent?: () => Input,
): Promise<Draft | undefined> {
  let seen: Draft | undefined;
  let wasAbsent = false;
  const blank =
    ifAbsent === undefined
      ? undefined
      : (): Input => {
          wasAbsent = true;
          return ifAbsent();
        };
  const apply = (draft: Draft): void => {
    const mustWrite = change(draft, wasAbsent);
    wasAbsent = false;
    seen = structuredClone(draft);
    if (!mustWrite) throw new NothingToWrite();
  };
  try {
    await repository.mutate(id, apply, { ifAbsent: blank, signal, retry });
  } catch (error) {
    if (NorimakiError.is(error, 'not.found')) return undefined;
    if (!(error instanceof NothingToWrite)) throw error;
  }
  return seen;
}
