import type { Version } from '../../core/version.ts';
import { type HistoryOperation, printOperation } from './operation.ts';
import { Register, type RegisterState } from './register.ts';
import { findLinearization, type Linearization } from './search.ts';

/** What {@link checkLinearizable} finds. */
export type LinearizabilityResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly key: string;
      /** For a person: which answer cannot be explained, and what came before it. */
      readonly explanation: string;
      /** The shortest beginning of the key's history that has no explanation; its last answer is the wrong one. */
      readonly prefix: readonly HistoryOperation[];
    };

/**
 * Whether there is an order in which the operations can have happened one after another, each at an instant between
 * its call and its answer, so that every answer is right: reads see the last write, preconditions hold, a version
 * belongs to one write of its key. All keys start missing. Each key is checked alone, which is enough (Herlihy and
 * Wing 1990).
 *
 * Time and memory grow with the number of operations of one key that overlap; writes of unknown outcome overlap with
 * everything after them, so keep those to a few dozen a key.
 *
 * @example
 * ```ts
 * const history = recordHistory();
 * const [a, b] = [history.wrap(store, 'a'), history.wrap(store, 'b')];
 * await Promise.all([workload(a), workload(b)]);
 * const result = checkLinearizable(history.operations());
 * if (!result.ok) throw new Error(result.explanation);
 * ```
 */
export function checkLinearizable(operations: readonly HistoryOperation[]): LinearizabilityResult {
  const byKey = new Map<string, HistoryOperation[]>();
  for (const operation of operations) {
    const ofKey = byKey.get(operation.key);
    if (ofKey === undefined) byKey.set(operation.key, [operation]);
    else ofKey.push(operation);
  }
  for (const [key, ofKey] of byKey) {
    const reused = reusedVersion(ofKey);
    if (reused !== undefined) return failure(key, reused, 'Two writes of this key were given one version.', undefined);
    if (linearize(ofKey) === undefined) return explain(key, ofKey);
  }
  return { ok: true };
}

function linearize(operations: readonly HistoryOperation[]): Linearization | undefined {
  return findLinearization(operations, new Register(new Set(operations.flatMap(acknowledgedVersion))));
}

function acknowledgedVersion({ action }: HistoryOperation): Version[] {
  return action.type === 'write' && action.outcome?.version !== undefined ? [action.outcome.version] : [];
}

function reusedVersion(operations: readonly HistoryOperation[]): HistoryOperation[] | undefined {
  const writers = new Map<Version, HistoryOperation>();
  for (const operation of operations) {
    for (const version of acknowledgedVersion(operation)) {
      const other = writers.get(version);
      if (other !== undefined) return [other, operation];
      writers.set(version, operation);
    }
  }
  return undefined;
}

/** The history as it was known at `instant`: what had not been answered yet was not known. */
function knownAt(operations: readonly HistoryOperation[], instant: number): HistoryOperation[] {
  return operations.flatMap((operation) => {
    if (operation.invoked > instant) return [];
    if (operation.returned <= instant) return [operation];
    const { action } = operation;
    if (action.type !== 'write') return [];
    return [{ ...operation, action: { ...action, outcome: undefined }, returned: Number.POSITIVE_INFINITY }];
  });
}

/** Finds the first answer without an explanation: what is explained stays so in every shorter history. */
function explain(key: string, operations: readonly HistoryOperation[]): LinearizabilityResult {
  const answers = operations
    .filter(({ returned }) => returned !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.returned - b.returned);
  let [explained, unexplained] = [-1, answers.length - 1];
  while (unexplained - explained > 1) {
    const middle = (explained + unexplained) >> 1;
    const known = knownAt(operations, answers[middle]?.returned ?? 0);
    if (linearize(known) === undefined) unexplained = middle;
    else explained = middle;
  }
  // A history without answers is always explained, so there is one that is not.
  const wrong = answers[unexplained] as HistoryOperation;
  const prefix = knownAt(operations, wrong.returned);
  const before = linearize(knownAt(operations, answers[explained]?.returned ?? Number.NEGATIVE_INFINITY));
  return failure(key, prefix, `Nothing explains this answer:\n  ${printOperation(wrong)}`, before);
}

const SHOWN_OPERATIONS = 25;

function failure(
  key: string,
  prefix: readonly HistoryOperation[],
  reason: string,
  before: Linearization | undefined,
): LinearizabilityResult {
  const listed = (all: readonly HistoryOperation[]): string[] => [
    ...(all.length > SHOWN_OPERATIONS ? [`  … ${all.length - SHOWN_OPERATIONS} earlier ones`] : []),
    ...all.slice(-SHOWN_OPERATIONS).map((operation) => `  ${printOperation(operation)}`),
  ];
  const lines = [
    `The history of key ${key} is not linearizable. ${reason}`,
    'What was known then ([called, answered] client operation):',
    ...listed(prefix.toSorted((a, b) => a.invoked - b.invoked)),
  ];
  if (before !== undefined) {
    lines.push(`Until then, this order explained everything; the key would be ${printState(before.state)}:`);
    lines.push(...listed(before.order));
  }
  return { ok: false, key, explanation: lines.join('\n'), prefix };
}

function printState({ value, version }: RegisterState): string {
  if (value === undefined) return 'missing';
  return `${JSON.stringify(value)} at ${version ?? 'a version nobody was told'}`;
}
