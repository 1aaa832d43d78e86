import { orAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Answer, Moment } from './answer.ts';
import { type Call, isEarly } from './call.ts';
import type { LocalEntry } from './l1/local.ts';
import type { Ticket } from './l1/tickets.ts';
import { Load } from './load.ts';
import type { Entry, Lookup } from './lookup.ts';
import { admit, type CacheParts } from './parts.ts';
import { servable } from './value-codec.ts';

/** What the store had. */
interface Found<T> {
  /** `'fresh'`: the flight is over; `'early'` and `'stale'`: something is served while a load goes on. */
  readonly kind: 'fresh' | 'early' | 'stale' | 'nothing';
  readonly answer: Answer<T> | undefined;
  /** It was in memory, and the store does not answer. */
  readonly isRemembered?: boolean | undefined;
}

/** Somebody who takes part. */
interface Passenger {
  readonly order: number;
  /** What has been said so far was not good enough. */
  needsProof: boolean;
}

/** One look at the store for a key, and one load if there has to be one, for all who ask meanwhile. */
export class Flight<T> {
  readonly #parts: CacheParts;
  readonly #call: Call<T>;
  readonly #moment: () => Moment;
  readonly #began: Moment;
  readonly #ticket: Ticket | undefined;
  readonly #stop = new AbortController();
  readonly #aboard = new Set<Passenger>();
  readonly #found: Promise<Found<T>>;
  readonly #loaded: Promise<Answer<T> | undefined>;
  /** It goes on though nobody waits. */
  #isBackground = false;
  isOver = false;

  /** `onEnd` is called before anybody is told. */
  constructor(parts: CacheParts, call: Call<T>, moment: () => Moment, onEnd: () => void) {
    this.#parts = parts;
    this.#call = call;
    this.#moment = moment;
    this.#began = moment();
    this.#ticket = parts.local?.tickets.open(call.key);
    const end = (): void => {
      if (this.isOver) return;
      this.isOver = true;
      if (this.#ticket !== undefined) parts.local?.tickets.close(call.key, this.#ticket);
      onEnd();
    };
    this.#stop.signal.addEventListener('abort', end, { once: true });
    const looked = this.#look();
    this.#found = looked.then(({ found }) => {
      if (found.kind === 'fresh') end();
      return found;
    });
    this.#loaded = looked.then(({ found, note }) =>
      found.kind === 'fresh' ? undefined : this.#load(found, note).finally(end),
    );
    // Those who wait are told; in the background nobody is.
    this.#found.catch(end);
    this.#loaded.catch(() => {});
  }

  /** Ends it, whoever waits: with `aborted`. */
  abort(): void {
    this.#stop.abort();
  }

  /** A good answer for who asked at `order`; `undefined`: ask again. Errors: those of a load, `aborted`. */
  async answer(order: number, signal: AbortSignal | undefined): Promise<Answer<T> | undefined> {
    const passenger: Passenger = { order, needsProof: false };
    this.#aboard.add(passenger);
    try {
      return await orAborted(this.#answer(passenger), signal);
    } finally {
      this.#aboard.delete(passenger);
      if (this.#aboard.size === 0 && !this.#isBackground && !this.isOver) this.#stop.abort();
    }
  }

  async #answer(passenger: Passenger): Promise<Answer<T> | undefined> {
    const found = await this.#found;
    const { kind, answer } = found;
    const served = answer !== undefined && this.#isGoodFor(passenger, answer) ? answer : undefined;
    if (served === undefined) return kind === 'fresh' ? undefined : this.#landing(passenger, answer !== undefined);
    const { soft } = this.#parts.settings;
    if (kind === 'stale' && soft > 0) return this.#softly(passenger, found, served);
    this.#isBackground ||= kind !== 'fresh';
    this.#count(found);
    return served;
  }

  /** What the load gives in time, else what there is. */
  async #softly(passenger: Passenger, found: Found<T>, served: Answer<T>): Promise<Answer<T>> {
    const { soft } = this.#parts.settings;
    const waited = new AbortController();
    const { clock } = this.#parts.environment;
    const patience = clock.sleep(soft, { signal: waited.signal }).then(
      () => {
        this.#isBackground = true;
        return served;
      },
      () => served,
    );
    try {
      const landed = this.#landing(passenger, true).then((answer) => answer ?? served);
      const answer = await Promise.race([landed, patience]);
      if (answer === served) this.#count(found);
      else this.#parts.counts.misses += 1;
      return answer;
    } finally {
      waited.abort();
    }
  }

  /** What the load gives. `hasStale`: a failure is none, as there is something to serve. */
  async #landing(passenger: Passenger, hasStale: boolean): Promise<Answer<T> | undefined> {
    passenger.needsProof = true;
    if (!hasStale) this.#parts.counts.misses += 1;
    try {
      const answer = await this.#loaded;
      return answer !== undefined && this.#isGoodFor(passenger, answer) ? answer : undefined;
    } catch (error) {
      const isLoaders = NorimakiError.is(error, 'cache.loaderFailed') || NorimakiError.is(error, 'cache.loaderTimeout');
      if (hasStale && isLoaders) return undefined;
      throw error;
    }
  }

  #count({ kind, isRemembered = false }: Found<T>): void {
    const { counts } = this.#parts;
    if (isRemembered) counts.l1Hits += 1;
    else counts.l2Hits += 1;
    if (isRemembered || kind === 'stale') counts.staleHits += 1;
  }

  #isGoodFor({ order }: Passenger, answer: Answer<T>): boolean {
    if (answer.isUnverifiable || answer.verified.order >= order) return true;
    return !answer.isOutdated && this.#isTolerated(answer.verified);
  }

  /** The memory of this process might have served it as well. */
  #isTolerated({ mono }: Moment): boolean {
    const { settings, environment } = this.#parts;
    if (settings.l1 === undefined || settings.validates || this.#ticket?.isVoid !== false) return false;
    return environment.clock.mono() <= mono + settings.l1.ttl;
  }

  async #look(): Promise<{ readonly found: Found<T>; readonly note: Lookup | undefined }> {
    const { settings, lookups, counts, environment } = this.#parts;
    const { key, tags, renews } = this.#call;
    let note: Lookup;
    try {
      note = await lookups.look(key, tags, 'strong');
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
      counts.failures += 1;
      return { found: this.#remembered(), note: undefined };
    }
    const { entry } = note;
    const answer = entry && this.#serve(entry, this.#began);
    if (entry === undefined || answer === undefined) return { found: { kind: 'nothing', answer: undefined }, note };
    const { clock, random } = environment;
    const now = clock.now();
    if (entry.expiresAt <= now) return { found: { kind: 'stale', answer }, note };
    const isOwn = entry.expiresAt === renews || isEarly(entry, now, settings.early, random);
    if (isOwn) counts.earlyLoads += 1;
    return { found: { kind: isOwn ? 'early' : 'fresh', answer }, note };
  }

  /** What memory has while the store does not answer. */
  #remembered(): Found<T> {
    const { settings, environment } = this.#parts;
    const entry = this.#local();
    const isFit = settings.stale > 0 && entry !== undefined && environment.clock.now() < entry.staleUntil;
    if (!isFit) return { kind: 'nothing', answer: undefined };
    const answer = { servable: entry.servable, verified: this.#began, isOutdated: false, isUnverifiable: true };
    return { kind: 'fresh', answer, isRemembered: true };
  }

  #local(): LocalEntry<T> | undefined {
    // Of one key all callers know the same type.
    return this.#parts.local?.peek(this.#call.key) as LocalEntry<T> | undefined;
  }

  /** An entry as an answer; it is remembered on the way. `undefined`: it cannot be read. */
  readonly #serve = (entry: Entry, verified: Moment): Answer<T> | undefined => {
    const { counts } = this.#parts;
    const { key, codec } = this.#call;
    const local = this.#local();
    const isKnown = local !== undefined && entry.version !== undefined && local.version === entry.version;
    try {
      const served = isKnown ? local.servable : servable(codec, entry.text);
      admit(this.#parts, key, this.#ticket, { ...entry, servable: served }, verified.mono);
      return { servable: served, verified, isOutdated: false, isUnverifiable: false };
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
      counts.failures += 1;
      return undefined;
    }
  };

  #load({ answer }: Found<T>, note: Lookup | undefined): Promise<Answer<T>> {
    const load = new Load<T>(this.#parts, {
      call: this.#call,
      note,
      noted: this.#began,
      stale: answer?.servable,
      ticket: this.#ticket,
      stop: this.#stop,
      needsProof: () => this.#needsProof(),
      moment: this.#moment,
      serve: this.#serve,
    });
    return load.run();
  }

  /** Whether somebody could not use what was loaded without another look at the store. */
  #needsProof(): boolean {
    if (this.#isTolerated(this.#began)) return false;
    return [...this.#aboard].some(({ order, needsProof }) => needsProof && order > this.#began.order);
  }
}
