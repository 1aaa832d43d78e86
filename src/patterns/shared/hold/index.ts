/**
 * A hold: several records changed together or not at all, on a store that writes one at a time.
 *
 * One record decides. It is written `pending` before the first participant; a participant is whatever the block writes at each
 * place, with the id of the hold in it. When all are there one compare-and-swap of the decision record says `held`, and another
 * `committing`: from then on it has happened, and every participant is made real. Whoever meets a participant that is in its way
 * asks {@link Holds.meet}: leave it, apply it, or undo it. So nothing waits for whoever crashed.
 *
 * The block must see to four things: a participant is written only after `begin`; `hold` is said only after all of them were
 * acknowledged; applying and undoing one takes it away, so that they happen once; and one that somebody writes late, when another
 * was applied in its place and the place has forgotten it, is told from that: what stands at the places is noted with the word `hold`
 * ({@link Holds.decideBegun}), and nothing else is applied.
 *
 * @example
 * ```ts
 * await holds.begin({ id, expiresAt: clock.now() + 10_000, participants: ['a', 'b'] }, options);
 * for (const place of ['a', 'b']) await writeParticipant(place, id);
 * const hold = await holds.decide(id, 'commitPending', options);
 * if (hold?.state !== 'committing') return undoAll(); // it was late, and somebody ended it
 * for (const place of ['a', 'b']) await applyParticipant(place, id);
 * await holds.decide(id, 'settle', options);
 * ```
 */
export { decide, type Fate, fateOf, type HoldState, type HoldStep } from './decide.ts';
export { Holds, type StoredHold } from './holds.ts';
