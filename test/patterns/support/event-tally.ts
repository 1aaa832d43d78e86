import { z } from 'zod';
import { defineEntity } from '../../../src/index.ts';
import { defineAggregate, defineProjection, projectedFields } from '../../../src/patterns/index.ts';

/** Counts up: each event says its number in its stream, so that what was missed or doubled shows. */
export const Tally = defineAggregate({
  name: 'tally',
  events: { Counted: z.object({ n: z.int() }), Noted: z.object({ text: z.string() }) },
  initial: () => 0,
  evolve: (state) => state + 1,
});

/** What a view has seen, in order: not what a real one would hold. */
export const Seen = defineEntity(
  'seen',
  z.object({ id: z.string(), seen: z.array(z.string()).default([]), total: z.int().default(0), ...projectedFields }),
  { id: 'id' },
);

/** Each event counts in the view of its stream, and in one that all streams share. */
export const SeenViews = defineProjection({
  name: 'seen',
  from: Tally,
  into: Seen,
  partitions: 2,
  id: (event) => [event.stream.id, 'all'],
  apply(view, event) {
    view.seen.push(`${event.stream.id}/${event.version}`);
    if (event.type === 'Counted') view.total += event.data.n;
  },
});
