import type { Clock } from '../../../core/clock.ts';
import type { EventHandler, Receiver } from './handler.ts';

/** How long events are handled before the place is stored, in milliseconds, however many they are. */
const CHECKPOINT_AFTER = 1000;

/** Hands out one event after the other. */
export function eventReceiver(handler: EventHandler, clock: Clock): Receiver {
  return async (events, { key: _key, ...context }) => {
    const began = clock.mono();
    let handled = 0;
    for (const event of events) {
      if (context.signal.aborted) break;
      const attempt = handled === 0 ? context.attempt : 1;
      try {
        await handler(event, { ...context, attempt, version: event.version });
      } catch (error) {
        return { handled, failure: { error } };
      }
      handled++;
      if (clock.mono() - began >= CHECKPOINT_AFTER) break;
    }
    return { handled };
  };
}
