/**
 * What became of a hold. `pending`: its participants are being written; `held`: all of them are; `committing`: it is decided, and
 * being applied; `committed`: all was applied; `released` and `expired`: it came to nothing.
 */
export type HoldState = 'pending' | 'held' | 'committing' | 'committed' | 'released' | 'expired';

/**
 * What somebody wants of a hold. `hold`: all participants are written. `commit`: only of one that is held. `commitPending`: the
 * two at once, for who has just written all participants. `settle`: all participants were applied. `expire`: end it if it is late.
 */
export type HoldStep = 'hold' | 'commit' | 'commitPending' | 'settle' | 'release' | 'expire';

/** What a decision rests on. */
export interface Undecided {
  readonly state: HoldState;
  readonly expiresAt: number;
}

/**
 * The state after a step; the same if there is nothing to do or it is too late for it. Whoever asks learns from it what was decided.
 * Written by compare-and-swap, so that of commit, release and expiry one wins, whatever the clocks say.
 */
export function decide({ state, expiresAt }: Undecided, step: HoldStep, now: number): HoldState {
  if (state === 'committing') return step === 'settle' ? 'committed' : state;
  if (state !== 'pending' && state !== 'held') return state;
  if (step === 'release') return 'released';
  if (now >= expiresAt) return 'expired';
  if (step === 'hold') return 'held';
  const isReady = step === 'commitPending' || (step === 'commit' && state === 'held');
  return isReady ? 'committing' : state;
}

/** What to do with a participant: leave it alone until then, make it real, or take it back. */
export type Fate = { readonly do: 'wait'; readonly until: number } | { readonly do: 'apply' } | { readonly do: 'undo' };

/** The fate of the participants of a hold. One that is forgotten was applied nowhere: a hold is forgotten once it is closed. */
export function fateOf(hold: Undecided | undefined): Fate {
  switch (hold?.state) {
    case 'pending':
    case 'held':
      return { do: 'wait', until: hold.expiresAt };
    case 'committing':
    case 'committed':
      return { do: 'apply' };
    default:
      return { do: 'undo' };
  }
}
