import type { ValidationIssue } from '../errors.ts';

/** Thrown by the parts of the codec, which know neither entity nor record; the codec turns it into a `NorimakiError`. */
export class Refusal extends Error {
  readonly issues: readonly ValidationIssue[];

  constructor(issues: readonly ValidationIssue[], options?: ErrorOptions) {
    super('refused', options);
    this.issues = issues;
  }
}

export function refuse(path: readonly PropertyKey[], message: string, options?: ErrorOptions): never {
  throw new Refusal([{ path: [...path], message }], options);
}
