import { MAX_PAGE } from '../../core/checks.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { ReindexOptions } from './types.ts';

/** Errors: `argument.invalid`. */
export function checkReindexOptions({ recall, maxFailed = 0, concurrency = 256 }: ReindexOptions): void {
  check(
    'concurrency',
    Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MAX_PAGE,
    `a whole number from 1 to ${MAX_PAGE}`,
  );
  check('maxFailed', maxFailed >= 0, 'a number from 0');
  if (recall === undefined || recall === false) return;
  const { sample = 1, atLeast = 1 } = recall;
  check('recall.sample', Number.isSafeInteger(sample) && sample >= 1, 'a whole number from 1');
  check('recall.atLeast', atLeast >= 0 && atLeast <= 1, 'a share from 0 to 1');
}

function check(argument: string, isRight: boolean, what: string): void {
  if (!isRight) throw new NorimakiError('argument.invalid', `${argument} is ${what}.`, { argument });
}
