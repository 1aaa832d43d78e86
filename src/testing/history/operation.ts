import type { Version } from '../../core/version.ts';

/** What one client asked of one key, and what it was told. */
export type HistoryAction =
  /** A read. `found` is `undefined` when the key did not exist; a version alone comes from a `check` that passed. */
  | { readonly type: 'read'; readonly found: { readonly version: Version; readonly value?: string } | undefined }
  /** A write that a failed precondition refused: it tells that the precondition did not hold. */
  | { readonly type: 'refusal'; readonly ifMatch?: Version | undefined; readonly ifAbsent?: boolean | undefined }
  /** A put, or a delete when `value` is `undefined`. */
  | {
      readonly type: 'write';
      readonly value: string | undefined;
      readonly ifMatch?: Version | undefined;
      readonly ifAbsent?: boolean | undefined;
      /** `undefined` when nobody knows whether it was applied. */
      readonly outcome: { readonly version?: Version; readonly existed?: boolean } | undefined;
    };

/** One operation of a history. */
export interface HistoryOperation {
  readonly client: string;
  readonly key: string;
  readonly action: HistoryAction;
  /** When it was called, and when it was answered, on a scale that orders all calls and answers. */
  readonly invoked: number;
  /** `Infinity` for a write whose outcome is unknown: it may take effect at any time. */
  readonly returned: number;
}

const SHOWN_CHARACTERS = 40;

function printValue(value: string): string {
  const text = JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}… (${value.length} bytes)`;
}

function printAction(action: HistoryAction): string {
  if (action.type === 'read') {
    const { found } = action;
    if (found === undefined) return 'read: missing';
    return `read: ${found.value === undefined ? 'something' : printValue(found.value)} at ${found.version}`;
  }
  const condition = action.ifAbsent ? ' if absent' : action.ifMatch === undefined ? '' : ` if at ${action.ifMatch}`;
  if (action.type === 'refusal') return `write${condition}: refused`;
  const { value, outcome } = action;
  const verb = value === undefined ? `delete${condition}` : `put ${printValue(value)}${condition}`;
  if (outcome === undefined) return `${verb}: outcome unknown`;
  if (value !== undefined) return `${verb}: now at ${outcome.version ?? 'an unknown version'}`;
  return `${verb}: ${outcome.existed === false ? 'there was nothing' : 'deleted'}`;
}

/** One operation on one line. */
export function printOperation({ client, action, invoked, returned }: HistoryOperation): string {
  const end = returned === Number.POSITIVE_INFINITY ? '…' : returned;
  return `[${invoked}, ${end}] ${client} ${printAction(action)}`;
}
