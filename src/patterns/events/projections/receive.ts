import { encodeTuple } from '../../../core/keys/index.ts';
import type { Shape } from '../../../core/model/types.ts';
import type { Repository, ScanRepository } from '../../../repositories/index.ts';
import { insideOf } from '../../../repositories/internal.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import type { Handed, Receiver, ReceiverContext } from '../subscriptions/handler.ts';
import { type SettledUpTo, seenAfter, unseen } from './apply.ts';
import type { Projected } from './projected-record.ts';

/** A projection whose types are of no interest any more. */
export interface AnyProjection {
  readonly id: (event: RecordedEvent) => unknown;
  readonly initial: ((event: RecordedEvent) => object) | undefined;
  readonly apply: (view: object, event: RecordedEvent) => void;
}

/** The repository of one generation of views. */
export type ViewRecords = Repository<Shape> & ScanRepository<Shape>;

/** The events of one batch that change one view. */
interface Part {
  readonly id: unknown;
  readonly events: RecordedEvent[];
}

/** Applies events to views, each once. */
export function viewReceiver(
  projection: AnyProjection,
  entity: string,
  views: ViewRecords,
  settledBy: SettledBy,
): Receiver {
  const applyAll = async (events: readonly RecordedEvent[], context: ReceiverContext): Promise<void> => {
    for (const part of partsOf(projection, views, events))
      await applyTo(projection, entity, views, part, context, settledBy);
  };
  return async (events, context): Promise<Handed> => {
    try {
      await applyAll(events, context);
      return { handled: events.length };
    } catch (error) {
      return events.length === 1 || context.signal.aborted
        ? { handled: 0, failure: { error } }
        : oneByOne(events, context);
    }
  };

  /** Finds the event that it fails at. What was applied before is not applied again. */
  async function oneByOne(events: readonly RecordedEvent[], context: ReceiverContext): Promise<Handed> {
    for (const [handled, event] of events.entries()) {
      try {
        await applyAll([event], context);
      } catch (error) {
        return { handled, failure: { error } };
      }
    }
    return { handled: events.length };
  }
}

/** How far the projection has come in streams, under the signal of a worker. */
export type SettledBy = (signal: AbortSignal) => SettledUpTo;

async function applyTo(
  { apply, initial }: AnyProjection,
  entity: string,
  views: ViewRecords,
  { id, events }: Part,
  { key, partition, fence, signal }: ReceiverContext,
  settledBy: SettledBy,
): Promise<void> {
  const batch = { events, key, partition, fence };
  const first = events[0] as RecordedEvent; // A part has one at least.
  await views.mutate(
    id,
    async (draft) => {
      const view = draft as { projected: Projected };
      const fresh = unseen(entity, view.projected, batch);
      if (fresh.length === 0) return;
      for (const event of fresh) apply(view, event);
      view.projected = await seenAfter(view.projected, batch, settledBy(signal));
    },
    { ifAbsent: () => initial?.(first) ?? {}, signal },
  );
}

/** The events by the view that they change, in their order. */
function partsOf(projection: AnyProjection, views: ViewRecords, events: readonly RecordedEvent[]): Iterable<Part> {
  const inside = insideOf(views);
  const parts = new Map<string, Part>();
  for (const event of events) {
    for (const id of listOf(projection.id(event))) {
      const name = Buffer.from(encodeTuple(inside?.idParts(id) ?? [])).toString('latin1');
      const part = parts.get(name) ?? { id, events: [] };
      parts.set(name, part);
      if (part.events.at(-1) !== event) part.events.push(event);
    }
  }
  return parts.values();
}

function listOf(ids: unknown): readonly unknown[] {
  if (Array.isArray(ids)) return ids;
  return ids === undefined ? [] : [ids];
}
