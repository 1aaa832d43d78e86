import type { HistoryOperation } from './operation.ts';
import { EMPTY_REGISTER, type Register, type RegisterState, stateKey } from './register.ts';

/** A call or a return, in a list ordered by time from which operations are taken out as they are linearised. */
interface Event {
  /** The position of the operation; of a list's head, -1. */
  readonly operation: number;
  readonly isCall: boolean;
  /** Of a call: its return, unless the outcome is unknown. */
  match: Event | undefined;
  previous: Event | undefined;
  next: Event | undefined;
}

/** An order that explains a history, and the state that it ends in. */
export interface Linearization {
  readonly order: readonly HistoryOperation[];
  readonly state: RegisterState;
}

/**
 * Finds an order of the operations of one key in which each answer is right and which respects who finished before
 * whom, or `undefined` if there is none. Writes of unknown outcome may take effect at any time after their call, or never.
 *
 * The algorithm is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with the memo and the
 * event list of Lowe ("Testing for Linearizability", 2017), as in Porcupine (https://github.com/anishathalye/porcupine).
 */
export function findLinearization(
  operations: readonly HistoryOperation[],
  register: Register,
): Linearization | undefined {
  const head = eventList(operations);
  const linearised = new Uint32Array(Math.ceil(operations.length / 32));
  const bits = Buffer.from(linearised.buffer);
  const seen = new Set<string>();
  const taken: { readonly call: Event; readonly before: RegisterState }[] = [];
  let state = EMPTY_REGISTER;
  let unfinished = operations.filter(({ returned }) => returned !== Number.POSITIVE_INFINITY).length;
  let at = head.next;

  while (unfinished > 0 && at !== undefined) {
    if (at.isCall) {
      // An event that is no head belongs to an operation.
      const operation = operations[at.operation] as HistoryOperation;
      const next = register.after(state, operation.action);
      if (next !== undefined) {
        flip(linearised, at.operation);
        const memo = bits.toString('latin1') + stateKey(next);
        if (!seen.has(memo)) {
          seen.add(memo);
          taken.push({ call: at, before: state });
          state = next;
          if (at.match !== undefined) unfinished--;
          lift(at);
          at = head.next;
          continue;
        }
        flip(linearised, at.operation);
      }
      at = at.next;
    } else {
      // Nothing that may come before this return is left to try: take back the last choice.
      const last = taken.pop();
      if (last === undefined) return undefined;
      flip(linearised, last.call.operation);
      state = last.before;
      if (last.call.match !== undefined) unfinished++;
      unlift(last.call);
      at = last.call.next;
    }
  }
  return { order: taken.map(({ call }) => operations[call.operation] as HistoryOperation), state };
}

function eventList(operations: readonly HistoryOperation[]): Event {
  const events: (Event & { readonly time: number })[] = [];
  for (const [operation, { invoked, returned }] of operations.entries()) {
    const ends = { operation, isCall: false, match: undefined, previous: undefined, next: undefined, time: returned };
    const returns = returned === Number.POSITIVE_INFINITY ? undefined : ends;
    events.push({ ...ends, isCall: true, match: returns, time: invoked });
    if (returns !== undefined) events.push(returns);
  }
  // At one instant calls come first: what touches overlaps.
  events.sort((a, b) => a.time - b.time || Number(b.isCall) - Number(a.isCall));
  const head: Event = { operation: -1, isCall: false, match: undefined, previous: undefined, next: undefined };
  let last = head;
  for (const event of events) {
    event.previous = last;
    last.next = event;
    last = event;
  }
  return head;
}

function lift(call: Event): void {
  unlink(call);
  if (call.match !== undefined) unlink(call.match);
}

/** Undoes the last `lift`. */
function unlift(call: Event): void {
  if (call.match !== undefined) relink(call.match);
  relink(call);
}

function unlink(event: Event): void {
  if (event.previous !== undefined) event.previous.next = event.next;
  if (event.next !== undefined) event.next.previous = event.previous;
}

function relink(event: Event): void {
  if (event.previous !== undefined) event.previous.next = event;
  if (event.next !== undefined) event.next.previous = event;
}

function flip(bits: Uint32Array, at: number): void {
  bits[at >>> 5] = (bits[at >>> 5] ?? 0) ^ (1 << (at & 31));
}
