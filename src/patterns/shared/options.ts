import { NorimakiError } from '../../core/errors.ts';
import type { RetryOptions } from '../../core/retry/index.ts';

/** What every block is told when it is made. */
export interface BlockOptions {
  /** Part of every key of the block: two programs that share it share its name. At most 256 bytes. */
  readonly name: string;
  /** Accepts a store that cannot carry the promises of the block; they then hold only while nobody races. Default `false`. */
  readonly unsafe?: boolean | undefined;
}

/** What every call of a block takes that may have to wait. */
export interface BlockCallOptions {
  /** Gives up waiting; what is already on its way to the store may still be applied. */
  readonly signal?: AbortSignal | undefined;
  /** How often and how long to try again when others are faster; default 64 tries in 30 seconds. */
  readonly retry?: RetryOptions | undefined;
}

/** Errors: `argument.invalid`. */
export function refuse(argument: string, message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument });
}

/** Errors: `argument.invalid`. */
export function checkWhole(value: number, argument: string, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  return refuse(argument, `${argument} is a whole number from ${min} to ${max}.`);
}

const MAX_NAME_BYTES = 256;

/** The name of a block, checked. Errors: `argument.invalid`. */
export function checkName(block: string, name: unknown): string {
  const isFit =
    typeof name === 'string' && name !== '' && name.isWellFormed() && Buffer.byteLength(name) <= MAX_NAME_BYTES;
  if (isFit) return name;
  return refuse(
    'name',
    `The name of a ${block} is a string of well-formed Unicode, not empty, of at most ${MAX_NAME_BYTES} bytes.`,
  );
}
