import { type Metadata, ServerInterceptingCall } from '@grpc/grpc-js';

/** Holds back what a client sends. */
export interface Pace {
  hold(): void;
  release(): void;
}

/** Handlers know a call by its metadata alone. */
const paces = new WeakMap<Metadata, Pace>();

/** The pace of a call that went through the gate. */
export function paceOf(metadata: Metadata): Pace {
  const pace = paces.get(metadata);
  if (pace === undefined) throw new Error('A stream that did not come through the gate.');
  return pace;
}

/**
 * A call that reads no further message while it is held. Pausing the stream itself would not do: up to 16 messages are read
 * ahead of a stream of objects, each as large as a message may be.
 */
export class PacedCall extends ServerInterceptingCall implements Pace {
  #isHeld = false;
  #wantsRead = false;

  rememberBy(metadata: Metadata): void {
    paces.set(metadata, this);
  }

  override startRead(): void {
    if (this.#isHeld) this.#wantsRead = true;
    else super.startRead();
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    if (!this.#wantsRead) return;
    this.#wantsRead = false;
    super.startRead();
  }
}
