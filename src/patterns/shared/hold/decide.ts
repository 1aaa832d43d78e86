/**
 * What became of a hold. `pending`: its participants are being written; `held`: all of them are; `committing`: it is decided, and
 * being applied; `committed`: all was applied; `released` and `expired`: it came to nothing; `abandoned`: it did before it was held.
 */
export type HoldState = 'pending' | 'held' | 'committing' | 'committed' | 'released' | 'expired' | 'abandoned';

/**
 * What somebody wants of a hold. `hold`: all participants are written. `commit`: only of one that is held. `commitPending`: the
 * two at once, for who has just written all participants. `settle`: all participants were applied. `expire`: end it if it is late.
 * `abandon`: its participants cannot be had; does nothing once somebody has had them.
 */
export type HoldStep = 'hold' | 'commit' | 'commitPending' | 'settle' | 'release' | 'abandon' | 'expire';

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
  if (step === 'release') return state === 'held' ? 'released' : 'abandoned';
  if (step === 'abandon' && state === 'pending') return 'abandoned';
  if (now >= expiresAt) return state === 'held' ? 'expired' : 'abandoned';
  if (step === 'hold') return 'held';
  const isReady = step === 'commitPending' || (step === 'commit' && state === 'held');
  return isReady ? 'committing' : state;
}

/** What to do with a participant: leave it alone until then, make it real, or take it back. */
export type Fate = { readonly do: 'wait'; readonly until: number } | { readonly do: 'apply' } | { readonly do: 'undo' };

/** The fate of a participant that is still there. One whose hold is forgotten came too late, too: only closed holds are. */
export function fateOf(hold: Undecided | undefined): Fate {
  switch (hold?.state) {
    case 'pending':
    case 'held':
      return { do: 'wait', until: hold.expiresAt };
    case 'committing':
      return { do: 'apply' };
    // Where all were applied, one that is still there was written too late.
    default:
      return { do: 'undo' };
  }
}
