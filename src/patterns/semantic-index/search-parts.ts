import type { Shape } from '../../core/model/types.ts';
import type { Inside } from '../../repositories/internal.ts';
import type { Words } from './lexical/words.ts';
import type { SearchSettings } from './settings.ts';
import type { SearchableRepository } from './types.ts';

/** What the parts of one search share. */
export interface SearchParts {
  /** Untyped inside, as the repository itself is. */
  readonly repository: SearchableRepository<Shape>;
  readonly inside: Inside;
  readonly settings: SearchSettings;
  readonly words: Words | undefined;
}
