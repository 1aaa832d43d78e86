import { orAborted, throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Moment } from './answer.ts';
import { type Call, isEarly } from './call.ts';
import { Flight } from './flight.ts';
import type { LocalEntry } from './l1/local.ts';
import { admit, type CacheParts } from './parts.ts';
import { type Servable, servable } from './value-codec.ts';

/** Reads of a cache: from memory, from the store, by a loader. */
export class Reads {
  readonly #parts: CacheParts;
  /** Whom who asks now may join. */
  readonly #flights = new Map<string, Flight<unknown>>();
  /** Those as well that nobody may join any more. */
  readonly #underway = new Set<Flight<unknown>>();
  #events = 0;

  constructor(parts: CacheParts) {
    this.#parts = parts;
  }

  /** What memory may serve without another thought. The only thing that most calls do: every step counts. */
  calm(key: string): LocalEntry<unknown> | undefined {
    const { local, environment } = this.#parts;
    const entry = local?.get(key);
    return entry !== undefined && environment.clock.mono() < entry.calmUntil ? entry : undefined;
  }

  /** What there is for a call that memory could not serve at once. */
  async read<T>(asked: Call<T>): Promise<T | undefined> {
    let call = asked;
    throwIfAborted(call.signal);
    const { order } = this.#moment();
    const remembered = this.#remembered(call);
    if (remembered !== undefined) {
      if (call.loader === undefined || !this.#isEarly(remembered)) {
        this.#parts.counts.l1Hits += 1;
        return remembered.servable.take();
      }
      call = { ...call, renews: remembered.expiresAt };
    }
    if (call.loader === undefined) return this.#peek(call);
    if (call.consistency !== 'strong') {
      const found = await this.#lookUp(call);
      if (found !== undefined) return found.take();
    }
    for (;;) {
      const answer = await this.#flightOf(call).answer(order, call.signal);
      if (answer !== undefined) return answer.servable.take();
    }
  }

  /** From now on nobody joins a load of these keys that began before. */
  detach(keys: Iterable<string>): void {
    for (const key of keys) this.#flights.delete(key);
  }

  detachAll(): void {
    this.#flights.clear();
  }

  /** Calls off what is under way, in the background too. */
  close(): void {
    for (const flight of [...this.#underway]) flight.abort();
  }

  readonly #moment = (): Moment => {
    this.#events += 1;
    return { order: this.#events, mono: this.#parts.environment.clock.mono() };
  };

  #flightOf<T>(call: Call<T>): Flight<T> {
    const known = this.#flights.get(call.key);
    // Of one key all callers know the same type.
    if (known !== undefined) return known as Flight<T>;
    const flight = new Flight(this.#parts, call, this.#moment, () => {
      this.#underway.delete(untyped);
      if (this.#flights.get(call.key) === untyped) this.#flights.delete(call.key);
    });
    const untyped = flight as Flight<unknown>;
    this.#underway.add(untyped);
    this.#flights.set(call.key, untyped);
    return flight;
  }

  /** What is in memory, close to its end. */
  #remembered<T>({ key }: Call<T>): LocalEntry<T> | undefined {
    const { settings, environment, local } = this.#parts;
    // As above.
    const entry = local?.peek(key) as LocalEntry<T> | undefined;
    const { clock } = environment;
    if (entry === undefined || settings.validates || entry.isStale) return undefined;
    return entry.expiresAt > clock.now() && entry.until > clock.mono() ? entry : undefined;
  }

  /** Whether this call is the one to load it anew. */
  #isEarly(entry: LocalEntry<unknown>): boolean {
    const { settings, environment } = this.#parts;
    return isEarly(entry, environment.clock.now(), settings.early, environment.random);
  }

  /** Without a loader: what is fresh in the store. */
  async #peek<T>(call: Call<T>): Promise<T | undefined> {
    const found = await this.#lookUp(call);
    if (found === undefined) this.#parts.counts.misses += 1;
    return found?.take();
  }

  async #lookUp<T>({ key, tags, codec, consistency, signal }: Call<T>): Promise<Servable<T | undefined> | undefined> {
    const { environment, lookups, local, counts } = this.#parts;
    const ticket = local?.tickets.open(key);
    const { mono } = this.#moment();
    try {
      const { entry } = await orAborted(lookups.look(key, tags, consistency), signal);
      if (entry === undefined || entry.expiresAt <= environment.clock.now()) return undefined;
      const served = servable(codec, entry.text);
      // What may be out of date already is not remembered on top of that.
      if (consistency === 'strong') admit(this.#parts, key, ticket, { ...entry, servable: served }, mono);
      counts.l2Hits += 1;
      return served;
    } catch (error) {
      if (!(error instanceof NorimakiError) || signal?.aborted) throw error;
      counts.failures += 1;
      return undefined;
    } finally {
      if (ticket !== undefined) local?.tickets.close(key, ticket);
    }
  }
}
