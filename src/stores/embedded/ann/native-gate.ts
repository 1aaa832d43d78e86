import { Failure } from './failure.ts';

// A thread that is ended while usearch works in it takes the whole process along: usearch throws where nothing catches.
// So the worker is inside of usearch only while it holds this gate, and a process that exits shuts the gate first.

const FREE = 0;
const INSIDE = 1;
const SHUT = 2;

/** Where the gate says that the thread shall end, and start nothing more. */
const ENDING = 1;

/** A gate that both threads hold, in memory that they share. */
export type NativeGate = Int32Array<SharedArrayBuffer>;

export function makeGate(): NativeGate {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

/** Runs `call` inside of the gate. Behind a shut gate the thread stands still until it is ended. */
export function throughGate<T>(gate: NativeGate, call: () => T): T {
  if (Atomics.load(gate, ENDING) !== 0) throw new Failure('closed', 'The thread is ending.');
  if (Atomics.compareExchange(gate, 0, FREE, INSIDE) !== FREE) Atomics.wait(gate, 0, SHUT);
  try {
    return call();
  } finally {
    Atomics.store(gate, 0, FREE);
    Atomics.notify(gate, 0);
  }
}

/** Calls that wait at the gate fail from now on, so that the thread soon hears that it shall end. */
export function hurry(gate: NativeGate): void {
  Atomics.store(gate, ENDING, 1);
}

/** Waits until nobody is inside, and lets nobody in any more. */
function shut(gate: NativeGate): void {
  while (Atomics.compareExchange(gate, 0, FREE, SHUT) === INSIDE) Atomics.wait(gate, 0, INSIDE);
}

const open = new Set<NativeGate>();

function shutAll(): void {
  for (const gate of open) shut(gate);
}

/** From now on, until the gate is forgotten, this process exits only behind it. */
export function watchGate(gate: NativeGate): void {
  if (open.size === 0) process.on('exit', shutAll);
  open.add(gate);
}

export function forgetGate(gate: NativeGate): void {
  open.delete(gate);
  if (open.size === 0) process.off('exit', shutAll);
}
