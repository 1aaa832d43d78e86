import { type BlockOptions, checkName, refuse } from '../shared/options.ts';
import { type AnyAggregate, CODEC } from './aggregate-types.ts';
import type { EventCodec } from './event-codec.ts';
import type { StreamId } from './stream-id.ts';

/** What an event store is told when it is made. */
export interface EventStoreOptions extends BlockOptions {
  /** Those whose streams are in it. Their events are checked, and brought up to date where they are read. */
  readonly aggregates?: readonly AnyAggregate[] | undefined;
  /** The state of an aggregate is kept after so many events, so that loading it need not read all; 0 never. Default 100. */
  readonly snapshotEvery?: number | undefined;
  /** Hears of a snapshot that could not be written; nothing else depends on it. Default `process.emitWarning`. */
  readonly onSnapshotError?: ((error: unknown) => void) | undefined;
}

/** The options, checked. */
export interface EventStoreSettings {
  readonly name: string;
  readonly aggregates: ReadonlyMap<string, AnyAggregate>;
  readonly snapshotEvery: number;
  readonly onSnapshotError: (error: unknown) => void;
}

export function settingsOf(options: EventStoreOptions): EventStoreSettings {
  const { aggregates = [], snapshotEvery = 100, onSnapshotError = warn } = options;
  if (!Number.isSafeInteger(snapshotEvery) || snapshotEvery < 0) {
    refuse('snapshotEvery', 'snapshotEvery is a number of events; 0 keeps no snapshots.');
  }
  const byName = new Map(aggregates.map((aggregate) => [aggregate.name, aggregate]));
  if (byName.size < aggregates.length) refuse('aggregates', 'Two aggregates of one event store have the same name.');
  return { name: checkName('EventStore', options.name), aggregates: byName, snapshotEvery, onSnapshotError };
}

/** How the events of a stream are stored; `undefined`: it is of no aggregate. */
export function codecOf({ aggregates }: EventStoreSettings, { category }: StreamId): EventCodec | undefined {
  return aggregates.get(category)?.[CODEC];
}

function warn(error: unknown): void {
  process.emitWarning(`A snapshot was not written: ${error instanceof Error ? error.message : String(error)}`, {
    code: 'NORIMAKI_SNAPSHOT',
  });
}
