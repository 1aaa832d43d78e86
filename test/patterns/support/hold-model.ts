import { decide, type Fate, fateOf, type HoldState, type HoldStep } from '../../../src/patterns/shared/hold/index.ts';

/**
 * A hold of one piece at each of two places that have two pieces each, and a rival who wants both of the first place and may send
 * them back: all that can happen to them. Two callers write the participants, under one key; places forget at once what they sold.
 * What is decided is decided by the functions that run; here are only the records, and who reads and writes them when. An actor may
 * do nothing for any time, or never again: that is a crash.
 */
const PLACES = 2;
const PIECES = 2;
const EXPIRES = 2;
const LATEST = 3;
/** The clock of who commits is late by so much. */
const BEHIND = 2;

/** The decisions. A mutant replaces some of them. */
export interface Rules {
  decide: typeof decide;
  fateOf: typeof fateOf;
  /** Whether who takes the pieces has taken all before it says so. */
  readonly takesAllFirst: boolean;
  /** Whether who meets a late participant ends its hold first, or only looks at the time. */
  readonly endsFirst: boolean;
  /** Whether only those participants are applied that were noted when all were held. */
  readonly appliesNoted: boolean;
}

export const RULES: Rules = { decide, fateOf, takesAllFirst: true, endsFirst: true, appliesNoted: true };

interface Place {
  readonly onHand: number;
  /** Which participant is there, of all that ever were; 0 none. */
  readonly held: number;
  readonly written: number;
  readonly sold: number;
}

/** One of those who write the participants. */
interface Taker {
  /** How far it is. */
  readonly at: number | 'short' | 'over';
  /** What it wrote, or found written. */
  readonly wrote: readonly number[];
  readonly told: HoldState | undefined;
}

export interface World {
  readonly now: number;
  readonly state: HoldState | undefined;
  /** Which participants it is about, since it is held. */
  readonly noted: readonly number[];
  readonly places: readonly Place[];
  readonly takers: readonly Taker[];
  /** How far who commits and who releases are. */
  readonly committer: number | 'over';
  readonly releaser: number;
  /** What each of those who meet a participant has learned, and is about to do. */
  readonly meeters: readonly (Fate['do'] | undefined)[];
  readonly rival: 'looks' | 'has bought' | 'is gone';
  /** What the outcomes were that somebody was told of. */
  readonly saidSold: boolean;
  readonly saidReleased: boolean;
}

const FULL: Place = { onHand: PIECES, held: 0, written: 0, sold: 0 };
const NEW: Taker = { at: 0, wrote: [], told: undefined };

export const START: World = {
  now: 0,
  state: undefined,
  noted: [],
  places: [FULL, FULL],
  takers: [NEW, NEW],
  committer: 0,
  releaser: 0,
  meeters: [undefined, undefined],
  rival: 'looks',
  saidSold: false,
  saidReleased: false,
};

const at = <T>(list: readonly T[], i: number, value: T): T[] => list.map((old, j) => (j === i ? value : old));

const undone = (place: Place): Place => ({ ...place, held: 0 });

function applied(place: Place, noted: number | undefined, { appliesNoted }: Rules): Place {
  if (place.held === 0) return place;
  if (appliesNoted && place.held !== noted) return undone(place);
  return { ...place, onHand: place.onHand - 1, held: 0, sold: place.sold + 1 };
}

/** What one of those who write the participants does next: the record, then each place, then the word that all are written. */
function* take(world: World, who: number, rules: Rules): Generator<readonly [string, World]> {
  const { now, state, places, takers } = world;
  const taker = takers[who] as Taker;
  if (taker.at === 'over') return;
  const become = (change: Partial<Taker>, rest: Partial<World> = {}): World => ({
    ...world,
    ...rest,
    takers: at(takers, who, { ...taker, ...change }),
  });
  const step = (what: HoldStep): HoldState =>
    rules.decide({ state: state as HoldState, expiresAt: EXPIRES }, what, now);
  if (taker.at === 'short') {
    const after = step('abandon');
    yield ['give up', become({ at: 'over', told: after }, { state: after })];
    return;
  }
  const next = taker.at + 1;
  const doing = (rules.takesAllFirst ? ['begin', 0, 1, 'hold'] : ['begin', 0, 'hold', 1])[taker.at];
  if (doing === undefined) return;
  if (doing === 'begin') {
    const begun = state ?? 'pending';
    yield ['begin', become(begun === 'pending' ? { at: next } : { at: 'over', told: begun }, { state: begun })];
    return;
  }
  if (doing === 'hold') {
    const after = step('hold');
    const noted = state === 'pending' && after === 'held' ? taker.wrote : world.noted;
    yield ['hold', become({ at: next, told: after }, { state: after, noted })];
    return;
  }
  const place = places[doing as number] as Place;
  if (place.held !== 0) {
    yield [`find ${doing}`, become({ at: next, wrote: [...taker.wrote, place.held] })];
  } else if (place.onHand > 0) {
    const written = place.written + 1;
    const after = at(places, doing as number, { ...place, held: written, written });
    yield [`take ${doing}`, become({ at: next, wrote: [...taker.wrote, written] }, { places: after })];
  } else {
    yield [`short at ${doing}`, become({ at: 'short' })];
  }
}

export function* next(world: World, rules: Rules): Generator<readonly [string, World]> {
  const { now, state, noted, places, committer, releaser, meeters } = world;
  if (now < LATEST) yield ['time passes', { ...world, now: now + 1 }];
  for (const who of world.takers.keys()) yield* take(world, who, rules);
  const step = (what: HoldStep, clock = now): HoldState | undefined =>
    state === undefined ? undefined : rules.decide({ state, expiresAt: EXPIRES }, what, clock);
  // Who commits knows the id as soon as it is stored: nobody can be kept from asking early.
  if (state !== undefined && committer === 0) {
    const decided = step('commit', now - BEHIND);
    const isSold = decided === 'committing' || decided === 'committed';
    yield ['commit', { ...world, state: decided, committer: isSold ? 1 : 'over', saidSold: isSold }];
  }
  if (typeof committer === 'number' && committer >= 1 && committer <= PLACES) {
    const i = committer - 1;
    const after = applied(places[i] as Place, noted[i], rules);
    yield [`apply ${i}`, { ...world, places: at(places, i, after), committer: committer + 1 }];
  }
  if (committer === PLACES + 1) yield ['settle', { ...world, state: step('settle'), committer: 'over' }];
  if (state !== undefined && releaser === 0) {
    const decided = step('release');
    yield [
      'release',
      { ...world, state: decided, releaser: 1, saidReleased: decided === 'released' || decided === 'abandoned' },
    ];
  }
  for (const [i, fate] of meeters.entries()) {
    const place = places[i] as Place;
    if (fate === undefined && place.held !== 0) {
      const after = rules.endsFirst ? step('expire') : state;
      const late = !rules.endsFirst && now >= EXPIRES && (state === 'held' || state === 'pending');
      const learned = late ? 'undo' : rules.fateOf(after && { state: after, expiresAt: EXPIRES }).do;
      if (learned !== 'wait') yield [`meet ${i}`, { ...world, state: after, meeters: at(meeters, i, learned) }];
    }
    if (fate === 'apply' || fate === 'undo') {
      const changed = fate === 'apply' ? applied(place, noted[i], rules) : undone(place);
      yield [`${fate} ${i}`, { ...world, places: at(places, i, changed), meeters: at(meeters, i, undefined) }];
    }
  }
  const [first] = places as [Place];
  const { rival } = world;
  if (rival === 'looks' && first.onHand === PIECES && first.held === 0) {
    yield ['the rival buys', { ...world, places: at(places, 0, { ...first, onHand: 0 }), rival: 'has bought' }];
  }
  if (rival === 'has bought') {
    yield ['the rival sends back', { ...world, places: at(places, 0, { ...first, onHand: PIECES }), rival: 'is gone' }];
  }
}

/** What must never be: more sold than there was, a hold sold in part or twice, or two who were told the opposite. */
export function isBad({ state, noted, places, takers, rival, releaser, saidSold, saidReleased }: World): boolean {
  if (saidSold && saidReleased) return true;
  if (places.some(({ onHand, held }) => onHand < 0 || (held !== 0 && onHand < 1))) return true;
  const isSold = state === 'committing' || state === 'committed';
  if (!isSold && places.some(({ sold }) => sold > 0)) return true;
  if (saidSold && !isSold) return true;
  // Once it is sold every piece is sold, or still held for it.
  if (isSold && places.some(({ sold, held }, i) => sold + Number(held !== 0 && held === noted[i]) !== 1)) return true;
  if (state === 'committed' && places.some(({ sold }) => sold !== 1)) return true;
  // What somebody was told is held is given back by who releases it, and in time.
  if (
    takers.some(({ told }) => told === 'held') &&
    (state === 'abandoned' || (state === 'released' && releaser === 0))
  ) {
    return true;
  }
  const [first] = places as [Place];
  return first.sold + (rival === 'has bought' ? PIECES : 0) > PIECES;
}
