import type { IdPart } from '../../core/model/model.ts';
import type { Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { ABSENT, readSnapshot, type Snapshot } from '../snapshot.ts';
import type { Member } from './member.ts';

/** The record that a round is about, and who wants to change it. */
export class Round {
  readonly id: readonly IdPart[];
  readonly key: Key;
  /** The key as text. */
  readonly name: string;
  readonly members: readonly Member[];
  readonly signal: AbortSignal | undefined;

  constructor(
    { id, key, name }: Pick<Round, 'id' | 'key' | 'name'>,
    members: readonly Member[],
    signal: AbortSignal | undefined,
  ) {
    this.id = id;
    this.key = key;
    this.name = name;
    this.members = members;
    this.signal = signal;
  }
}

/**
 * How much is known of the state that a round starts from:
 * - `read`: it was read strongly;
 * - `guess`: it may be of the past. A write that is made of it and is applied proves it right. Nothing else that was
 *   found with it, such as an error, may reach a caller before a read has proved it;
 * - `expected`: all members expect no record, and say the same to any other state.
 */
export type Certainty = 'read' | 'guess' | 'expected';

export class Start {
  readonly base: Snapshot;
  readonly certainty: Certainty;

  constructor(base: Snapshot, certainty: Certainty) {
    this.base = base;
    this.certainty = certainty;
  }
}

const EXPECTED_ABSENT = new Start(ABSENT, 'expected');

/** What the first try of a round starts from; the later ones read. */
export function firstStart(context: RepositoryContext, round: Round): Start | Promise<Start> {
  const { id, key, name, members, signal } = round;
  const { ifAbsent } = context.client.store.capabilities;
  // Only where the store refuses to overwrite what turns out to be there.
  if (ifAbsent && members.every(({ operation }) => operation.expectsAbsent)) return EXPECTED_ABSENT;
  const guess = mayGuess(context) ? context.queues.states.guess(context, id, name) : undefined;
  if (guess !== undefined) return new Start(guess, 'guess');
  const [only] = members;
  const consistency = members.length === 1 ? only?.consistency : undefined;
  if (consistency === undefined || consistency === 'strong') return readStart(context, round);
  return readSnapshot(context, id, key, { consistency, signal }).then((base) => new Start(base, 'guess'));
}

/** What is there now. */
export function readStart(context: RepositoryContext, { id, key, name, signal }: Round): Promise<Start> {
  return readSnapshot(context, id, key, { signal }).then((base) => {
    context.queues.states.read(name, base.version);
    return new Start(base, 'read');
  });
}

/** Whether a read finds what the guess was. */
export async function isProven(context: RepositoryContext, round: Round, { base }: Start): Promise<boolean> {
  const { base: now } = await readStart(context, round);
  return now.version === base.version;
}

/**
 * Whether the last state that this process wrote may stand for a read. Only where a wrong guess is refused; and not where
 * claims and vectors are written one by one before the record, as those of a wrong guess would have to be cleared away.
 */
export function mayGuess({ client, model }: RepositoryContext): boolean {
  const { cas, commit } = client.store.capabilities;
  return cas === 'atomic' && (commit || (model.uniques.length === 0 && model.embeddings.length === 0));
}
