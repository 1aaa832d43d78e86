/** Flights that travel together. Given up when nobody waits for any of them. */
export class Group {
  readonly #controller = new AbortController();
  readonly #flights: Flight[] = [];
  #waiting = 0;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get flights(): readonly Flight[] {
    return this.#flights;
  }

  add(flight: Flight): void {
    this.#flights.push(flight);
  }

  joined(): void {
    this.#waiting++;
  }

  left(): void {
    this.#waiting--;
    if (this.#waiting === 0) this.#controller.abort();
  }
}

/** A text on its way to its vector, with those who wait for it. */
export class Flight {
  readonly key: string;
  readonly text: string;
  readonly group: Group;
  readonly landed: Promise<Float32Array>;
  /** Its vector was remembered by the store: nobody pays. */
  isFree = false;
  #waiting = 0;
  #land!: (vector: Float32Array) => void;
  #fail!: (error: unknown) => void;

  constructor(key: string, text: string, group: Group) {
    this.key = key;
    this.text = text;
    this.group = group;
    this.landed = new Promise((resolve, reject) => {
      this.#land = resolve;
      this.#fail = reject;
    });
    // Everybody may have left.
    this.landed.catch(() => {});
    group.add(this);
  }

  get isWanted(): boolean {
    return this.#waiting > 0;
  }

  join(): void {
    this.#waiting++;
    this.group.joined();
  }

  leave(): void {
    this.#waiting--;
    this.group.left();
  }

  land(vector: Float32Array): void {
    this.#land(vector);
  }

  fail(error: unknown): void {
    this.#fail(error);
  }
}
