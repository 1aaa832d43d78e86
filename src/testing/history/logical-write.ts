import { NorimakiError } from '../../core/errors.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { printKey } from '../print-key.ts';
import type { HistoryAction, HistoryOperation } from './operation.ts';

/** One write of a client: one delivery, or several with one idempotency key. */
export class LogicalWrite {
  readonly #client: string;
  readonly #operations: readonly CommitOperation[];
  readonly #invoked: number;
  /** Deliveries that may have been applied, as far as their client knows. */
  #possible = 0;
  #answer: { readonly returned: number; readonly value: Version | boolean } | undefined;

  constructor(client: string, operations: readonly CommitOperation[], invoked: number) {
    this.#client = client;
    this.#operations = operations;
    this.#invoked = invoked;
  }

  deliver(): void {
    this.#possible++;
  }

  /** A delivery that was certainly not applied. */
  notApplied(): void {
    this.#possible--;
  }

  /** The first answer is that of the write; a repeated delivery is told the same. */
  answered(value: Version | boolean, returned: number): void {
    this.#answer ??= { returned, value };
  }

  history(): HistoryOperation[] {
    if (this.#answer === undefined && this.#possible === 0) return [];
    const returned = this.#answer?.returned ?? Number.POSITIVE_INFINITY;
    return this.#operations.flatMap((operation) => {
      const action = actionOf(operation, this.#answer?.value);
      if (action === undefined) return [];
      return [{ client: this.#client, key: printKey(operation.key), action, invoked: this.#invoked, returned }];
    });
  }
}

/** What a write did to one key, or tells about it; `answer` is `undefined` when its outcome is unknown. */
function actionOf(operation: CommitOperation, answer: Version | boolean | undefined): HistoryAction | undefined {
  const { ifMatch } = operation;
  if (operation.type === 'put') {
    const outcome = typeof answer === 'string' ? { version: answer } : undefined;
    return { type: 'write', value: textOf(operation.value), ifMatch, ifAbsent: operation.ifAbsent, outcome };
  }
  if (operation.type === 'delete') {
    const outcome = typeof answer === 'boolean' ? { existed: answer } : answer && {};
    return { type: 'write', value: undefined, ifMatch, outcome };
  }
  if (answer === undefined || (ifMatch === undefined && !operation.ifAbsent)) return undefined;
  return { type: 'read', found: ifMatch === undefined ? undefined : { version: ifMatch } };
}

/** The operation that a failed precondition tells about, or `undefined` if the error is of another kind. */
export function refusedOperation(error: unknown, operations: readonly CommitOperation[]): CommitOperation | undefined {
  const refused = NorimakiError.is(error, 'version.mismatch') || NorimakiError.is(error, 'already.exists');
  if (!refused) return undefined;
  return operations.length === 1 ? operations[0] : operations[error.details.operation ?? -1];
}

const NEVER_APPLIED: ReadonlySet<string> = new Set([
  'version.mismatch',
  'already.exists',
  'argument.invalid',
  'size.exceeded',
  'capability.missing',
  'store.closed',
]);

/** Whether a failed write was certainly not applied. */
export function isNotApplied(error: unknown): boolean {
  if (!(error instanceof NorimakiError)) return false;
  if (NEVER_APPLIED.has(error.code)) return true;
  return 'applied' in error.details && error.details.applied === 'no';
}

/** Bytes as a string that differs when they do. */
export function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}
