/** `missing`: there is no usearch that works; `closed`: the space was closed; `failed`: all else. */
export type FailureKind = 'missing' | 'closed' | 'failed';

/** A failure whose kind the main thread is told. */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly code: string | undefined;

  constructor(kind: FailureKind, message: string, code?: string) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}
