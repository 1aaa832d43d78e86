/** Bytes of replies in a message, save that one reply may be longer. */
const MESSAGE_BYTES = 1024 * 1024;

/** Where messages go: the writing side of a stream. */
export interface Sink {
  /** Whether there is room for more; if not, `drained` is called once there is. */
  write(replies: readonly Uint8Array[]): boolean;
}

/** Gathers the replies of one turn of the event loop into messages. */
export class Outbox {
  readonly #sink: Sink;
  readonly #onEmpty: () => void;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #isScheduled = false;
  #isBlocked = false;
  #isClosed = false;

  /** `onEmpty`: all that was added is handed over, and there is room for more. */
  constructor(sink: Sink, onEmpty: () => void) {
    this.#sink = sink;
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** A message waits, perhaps because the client does not read. */
  get isFull(): boolean {
    return this.#isBlocked || this.#bytes >= MESSAGE_BYTES;
  }

  add(reply: Uint8Array): void {
    this.#waiting.push(reply);
    this.#bytes += reply.length;
    this.#schedule();
  }

  drained(): void {
    this.#isBlocked = false;
    this.#flush();
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBlocked) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    let at = 0;
    while (!this.#isClosed && !this.#isBlocked && at < this.#waiting.length) {
      const from = at;
      let bytes = 0;
      do bytes += this.#waiting[at++]?.length ?? 0;
      while (at < this.#waiting.length && bytes + (this.#waiting[at]?.length ?? 0) <= MESSAGE_BYTES);
      this.#bytes -= bytes;
      this.#isBlocked = !this.#sink.write(this.#waiting.slice(from, at));
    }
    this.#waiting = this.#waiting.slice(at);
    if (!this.#isBlocked && this.#waiting.length === 0) this.#onEmpty();
  }
}
