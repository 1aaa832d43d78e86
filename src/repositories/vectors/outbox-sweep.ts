import { throwIfAborted } from '../../core/abort.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Key, KeyRange } from '../../core/store.ts';
import { repositoryCalls } from '../telemetry.ts';
import { admit } from '../tenancy/admission.ts';
import { driveBatch } from './outbox-batch.ts';
import { heldFor, itemOf, type OutboxItem } from './outbox-item.ts';
import type { Refreshed } from './outbox-plan.ts';
import type { Driver, Outcome } from './outbox-settle.ts';

/** Records that are read, embedded and committed together. */
const BATCH = 128;
/** How often a batch is looked at again at once while nothing comes of it. */
const MAX_IDLE_ROUNDS = 4;
const SHORT_WAIT_MS = 50;

/** What became of the entries that were looked at. */
export class Tally {
  done = 0;
  dead = 0;
  /** Entries that are still to be made. */
  waiting = 0;
  /** Of those, the embeddings that only another program can make. */
  readonly foreign: string[] = [];
  #wait = Number.POSITIVE_INFINITY;

  /** How long until one of them may be made. */
  get wait(): number {
    return this.#wait;
  }

  later(ms: number): void {
    this.waiting++;
    this.#wait = Math.min(this.#wait, Math.max(SHORT_WAIT_MS, ms));
  }
}

/**
 * Goes through the outbox, from where the last look was cut short. Resolves to where the next one goes on, if paused
 * providers cut this one short.
 */
export async function sweep(
  driver: Driver,
  from: KeyRange | undefined,
  signal: AbortSignal,
  tally: Tally,
  onBatch?: () => void,
): Promise<KeyRange | undefined> {
  const { context } = driver;
  const whole = context.keys.wholeOutbox();
  const hasOneProvider = context.model.embeddings.filter(({ mode }) => mode === 'deferred').length === 1;
  let resume: Key | undefined;
  let range: KeyRange | undefined = from ?? whole;
  while (range !== undefined && (resume === undefined || !hasOneProvider)) {
    throwIfAborted(signal);
    const { entries, rest } = await context.client.scan(range, { limit: BATCH, signal });
    const items = entries.map((entry) => itemOf(context, entry.key, entry));
    resume = (await driveItems(driver, items, signal, tally)) ?? resume;
    onBatch?.();
    range = rest;
  }
  return resume && { start: resume, end: whole.end };
}

/** The entries of these records, if they have any. */
export async function driveIds(
  driver: Driver,
  ids: readonly (readonly IdPart[])[],
  signal: AbortSignal,
  tally: Tally,
): Promise<void> {
  for (let from = 0; from < ids.length; from += BATCH) {
    const keys = ids.slice(from, from + BATCH).map((id) => driver.context.keys.outbox(id));
    await driveItems(driver, await readItems(driver, keys, signal), signal, tally);
  }
}

async function readItems({ context }: Driver, keys: readonly Key[], signal: AbortSignal): Promise<OutboxItem[]> {
  const stored = await context.client.getMany(keys, { signal });
  return keys.flatMap((key, i) => (stored[i] === undefined ? [] : [itemOf(context, key, stored[i])]));
}

/** One batch, until nothing about it moves any more. Resolves to where it is stuck, if paused providers are all there is. */
async function driveItems(
  driver: Driver,
  items: readonly OutboxItem[],
  signal: AbortSignal,
  tally: Tally,
): Promise<Key | undefined> {
  const refreshed: Refreshed = new Map();
  let stuckAt: Key | undefined;
  let batch = available(driver, items, tally);
  for (let idleRounds = 0; batch.length > 0; idleRounds++) {
    const settled = tally.done + tally.dead;
    await admit(driver.context, 'write', { signal });
    const outcomes = await told(driver, () => driveBatch(driver, batch, refreshed, signal));
    const keysOf = (isOne: (outcome: Outcome) => boolean): Key[] =>
      batch.flatMap(({ key }, i) => (isOne(outcomes[i] as Outcome) ? [key] : [])); // One outcome for each item.
    for (const outcome of outcomes) count(tally, outcome);
    const again = keysOf(({ kind }) => kind === 'again');
    const isMoving = tally.done + tally.dead > settled;
    if (isMoving) idleRounds = 0;
    stuckAt = isMoving ? undefined : whereStuck(keysOf);
    if (idleRounds === MAX_IDLE_ROUNDS) {
      for (const _ of again) tally.later(SHORT_WAIT_MS);
      break;
    }
    batch = again.length === 0 ? [] : available(driver, await readItems(driver, again, signal), tally);
  }
  return stuckAt;
}

/** Behind a text that failed alone, or it would be asked for again and again; else at the first that was held up. */
function whereStuck(keysOf: (isOne: (outcome: Outcome) => boolean) => Key[]): Key | undefined {
  const [asked, ...others] = keysOf((outcome) => outcome.kind === 'paused' && outcome.wasAsked);
  if (asked !== undefined && others.length === 0) return Uint8Array.of(...asked, 0);
  return asked ?? keysOf(({ kind }) => kind === 'paused')[0];
}

function count(tally: Tally, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'done':
      tally.done++;
      break;
    case 'dead':
      tally.dead++;
      break;
    case 'foreign':
      tally.foreign.push(outcome.embedding);
      tally.waiting++;
      break;
    case 'later':
    case 'paused':
      tally.later(outcome.wait);
      break;
    case 'again':
      break;
  }
}

/** Neither dead letters nor what another worker holds. */
function available({ context, owner }: Driver, items: readonly OutboxItem[], tally: Tally): OutboxItem[] {
  const now = context.environment.clock.now();
  return items.filter(({ entry }) => {
    if (entry.failure?.isDead) return false;
    const held = heldFor(entry, owner, now);
    if (held > 0) tally.later(held);
    return held === 0;
  });
}

function told<T>({ context }: Driver, work: () => Promise<T>): Promise<T> {
  if (!repositoryCalls.hasSubscribers) return work();
  return repositoryCalls.tracePromise(work, { entity: context.model.name, verb: 'outbox' });
}
