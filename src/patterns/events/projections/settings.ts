import { refuse } from '../../shared/options.ts';
import { checkPartitions, type WorkerOptions, type WorkerSettings, workerSettings } from '../subscriptions/settings.ts';

/** How a projection is kept up to date in this process. */
export interface ProjectOptions extends WorkerOptions {
  /**
   * What becomes of an event that `apply` fails at again and again: its stream waits, and is tried again until it succeeds
   * (default), or the projection stops. It is not left out, as the views would then be wrong.
   */
  readonly onError?: 'retry' | 'stop' | undefined;
  /** Told from time to time how far a new generation has come, when there is one. */
  readonly onProgress?: ((progress: RebuildProgress) => void) | undefined;
}

/** Options of a rebuild. */
export interface RebuildOptions extends ProjectOptions {}

/** How far a generation of views has come. */
export interface RebuildProgress {
  /** `'building'` the new views, then `'cleaning'` up the old ones, which nobody reads any more. */
  readonly phase: 'building' | 'cleaning';
  /** Events in the new views, by whichever process. */
  readonly done: bigint;
  /** Events there are; grows when some are appended meanwhile. */
  readonly total: bigint;
}

/** The options, checked. */
export interface ProjectionSettings {
  readonly worker: WorkerSettings;
  readonly onError: 'retry' | 'stop';
  readonly onProgress: ((progress: RebuildProgress) => void) | undefined;
}

export function projectionSettings(options: ProjectOptions): ProjectionSettings {
  const { onError = 'retry', onProgress } = options;
  if (onError !== 'retry' && onError !== 'stop') {
    refuse(
      'onError',
      "The onError of a projection is 'retry' or 'stop': an event that is left out makes the views wrong.",
    );
  }
  return { worker: workerSettings(options), onError, onProgress };
}

const DEFAULT_PARTITIONS = 4;

/** The number of partitions of a projection that says nothing of it. */
export function partitionsOf(partitions: number | undefined): number {
  return checkPartitions(partitions) ?? DEFAULT_PARTITIONS;
}
