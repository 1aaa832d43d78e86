import { decide, type Fate, fateOf, type HoldState, type HoldStep } from '../../../src/patterns/shared/hold/index.ts';

/**
 * A hold of one piece at each of two places that have one piece each, and a rival who wants the piece of the first place: all that can
 * happen to them. What is decided is decided by the functions that run; here are only the records, and who reads and writes them when.
 * An actor may do nothing for any time, or never again: that is a crash.
 */
const PLACES = 2;
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
}

export const RULES: Rules = { decide, fateOf, takesAllFirst: true, endsFirst: true };

interface Place {
  readonly onHand: number;
  readonly held: boolean;
  readonly sold: number;
}

export interface World {
  readonly now: number;
  readonly state: HoldState | undefined;
  readonly places: readonly Place[];
  /** How far who takes, who commits and who releases are. */
  readonly taker: number;
  readonly told: HoldState | undefined;
  readonly committer: number | 'over';
  readonly releaser: number;
  /** What each of those who meet a participant has learned, and is about to do. */
  readonly meeters: readonly (Fate['do'] | undefined)[];
  readonly rivalSold: number;
  /** What the outcomes were that somebody was told of. */
  readonly saidSold: boolean;
  readonly saidReleased: boolean;
}

const FULL: Place = { onHand: 1, held: false, sold: 0 };

export const START: World = {
  now: 0,
  state: undefined,
  places: [FULL, FULL],
  taker: 0,
  told: undefined,
  committer: 0,
  releaser: 0,
  meeters: [undefined, undefined],
  rivalSold: 0,
  saidSold: false,
  saidReleased: false,
};

const at = <T>(list: readonly T[], i: number, value: T): T[] => list.map((old, j) => (j === i ? value : old));

function applied({ onHand, held, sold }: Place): Place {
  return held ? { onHand: onHand - 1, held: false, sold: sold + 1 } : { onHand, held, sold };
}

const undone = (place: Place): Place => ({ ...place, held: false });

export function* next(world: World, rules: Rules): Generator<readonly [string, World]> {
  const { now, state, places, taker, committer, releaser, meeters } = world;
  if (now < LATEST) yield ['time passes', { ...world, now: now + 1 }];
  const step = (what: HoldStep, clock = now): HoldState | undefined =>
    state === undefined ? undefined : rules.decide({ state, expiresAt: EXPIRES }, what, clock);
  // Who takes: the record, then each place, then the word that all are taken.
  const taking = rules.takesAllFirst ? ['begin', 0, 1, 'hold'] : ['begin', 0, 'hold', 1];
  const doing = taking[taker];
  if (doing === 'begin') yield ['begin', { ...world, state: 'pending', taker: taker + 1 }];
  if (doing === 'hold') yield ['hold', { ...world, state: step('hold'), told: step('hold'), taker: taker + 1 }];
  if (typeof doing === 'number') {
    const place = places[doing] as Place;
    if (place.onHand > 0) {
      yield [`take ${doing}`, { ...world, places: at(places, doing, { ...place, held: true }), taker: taker + 1 }];
    } else {
      // Short: it gives up.
      yield [`short at ${doing}`, { ...world, state: step('release'), taker: taking.length }];
    }
  }
  // Who commits knows the id as soon as it is stored: nobody can be kept from asking early.
  if (state !== undefined && committer === 0) {
    const decided = step('commit', now - BEHIND);
    const isSold = decided === 'committing' || decided === 'committed';
    yield ['commit', { ...world, state: decided, committer: isSold ? 1 : 'over', saidSold: isSold }];
  }
  if (typeof committer === 'number' && committer >= 1 && committer <= PLACES) {
    const i = committer - 1;
    yield [`apply ${i}`, { ...world, places: at(places, i, applied(places[i] as Place)), committer: committer + 1 }];
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
    if (fate === undefined && place.held) {
      const after = rules.endsFirst ? step('expire') : state;
      const late = !rules.endsFirst && now >= EXPIRES && (state === 'held' || state === 'pending');
      const learned = late ? 'undo' : rules.fateOf(after && { state: after, expiresAt: EXPIRES }).do;
      if (learned !== 'wait') yield [`meet ${i}`, { ...world, state: after, meeters: at(meeters, i, learned) }];
    }
    if (fate === 'apply' || fate === 'undo') {
      const changed = fate === 'apply' ? applied(place) : undone(place);
      yield [`${fate} ${i}`, { ...world, places: at(places, i, changed), meeters: at(meeters, i, undefined) }];
    }
  }
  const [first] = places as [Place];
  if (world.rivalSold === 0 && first.onHand > 0 && !first.held) {
    yield ['the rival buys', { ...world, places: at(places, 0, { ...first, onHand: 0 }), rivalSold: 1 }];
  }
}

/** What must never be: more sold than there was, half a hold sold for good, or two who were told the opposite. */
export function isBad({ state, places, rivalSold, saidSold, saidReleased }: World): boolean {
  if (saidSold && saidReleased) return true;
  if (places.some(({ onHand, held }) => onHand < 0 || (held && onHand < 1))) return true;
  const isSold = state === 'committing' || state === 'committed';
  if (!isSold && places.some(({ sold }) => sold > 0)) return true;
  if (saidSold && !isSold) return true;
  // Once it is sold every piece is sold, or still held for it.
  if (isSold && places.some(({ sold, held }) => sold + Number(held) !== 1)) return true;
  if (state === 'committed' && places.some(({ sold }) => sold !== 1)) return true;
  const [first] = places as [Place];
  return first.sold + rivalSold > 1;
}
