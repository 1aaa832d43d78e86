import { BEGINNING, type Place } from '../feed/feed-source.ts';
import type { SubscriptionParts } from './parts.ts';
import type { Pulse } from './pulse.ts';
import { type Found, placesOf } from './work.ts';

/** How far a subscription has come. */
export interface Lag {
  /** Events that were handled, parked or skipped; those before the beginning of `from: 'end'` among them. */
  readonly handled: bigint;
  /** Events that wait. */
  readonly events: bigint;
  /** Streams that hold them. */
  readonly streams: number;
}

interface Progress extends Found {
  readonly place: Place;
  /** Where the stream ends, if that is elsewhere. */
  readonly end: Place | undefined;
}

const all = (): boolean => true;

async function* progressOf(parts: SubscriptionParts, signal: AbortSignal): AsyncGenerator<Progress, void> {
  for await (const page of placesOf(parts, all, signal)) {
    const goOn = await parts.source.goesOn(
      page.map(({ stream, place = BEGINNING }) => ({ stream, slot: place.slot })),
      signal,
    );
    for (const [at, { stream, key, place = BEGINNING }] of page.entries()) {
      const end = goOn[at] ? await parts.source.end(stream, signal) : undefined;
      yield { stream, key, place, end };
    }
  }
}

/** Looks at every stream. */
export async function lagOf(parts: SubscriptionParts, signal: AbortSignal): Promise<Lag> {
  let handled = 0n;
  let events = 0n;
  let streams = 0;
  for await (const { place, end } of progressOf(parts, signal)) {
    handled += place.version;
    if (end === undefined || end.version <= place.version) continue;
    events += end.version - place.version;
    streams++;
  }
  return { handled, events, streams };
}

/** Between two looks at what another process may be handling, in milliseconds. */
const LOOK_EVERY = 100;

/** Resolves once every event that was acknowledged before the call has been handled, parked or skipped, by whomever. */
export async function caughtUp(parts: SubscriptionParts, pulse: Pulse, signal: AbortSignal): Promise<void> {
  for await (const { key, end } of progressOf(parts, signal)) {
    while (end !== undefined) {
      const beat = pulse.signal;
      if ((await parts.cursors.get(key, signal)).version >= end.version) break;
      await pulse.wait(LOOK_EVERY, beat, signal);
    }
  }
}
