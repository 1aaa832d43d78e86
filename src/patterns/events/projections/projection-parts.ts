import { sharedSignal } from '../../../core/abort.ts';
import type { EntitySource } from '../../../core/model/types.ts';
import { declarationOf, renamed } from '../../../decorators/index.ts';
import type { Database } from '../../../repositories/index.ts';
import { type Inside, insideOf } from '../../../repositories/internal.ts';
import type { FeedStore } from '../feed/feed-store.ts';
import { type FeedContext, partsOf } from '../subscriptions/context.ts';
import { projectionId, type SubscriptionIdentity } from '../subscriptions/parts.ts';
import { Subscription } from '../subscriptions/subscription.ts';
import { GenerationLog } from './generations.ts';
import { type AnyProjection, type ViewRecords, viewReceiver } from './receive.ts';
import { projectionRecords } from './records.ts';
import type { ProjectionSettings } from './settings.ts';
import { LiveGeneration } from './view.ts';

/** A projection whose types are of no interest any more. */
export interface ProjectionRules extends AnyProjection {
  readonly name: string;
  readonly version: number;
  readonly partitions: number;
  readonly categories: ReadonlySet<string>;
  readonly into: EntitySource;
}

/** How many views are deleted at once. */
const CLEARED_AT_ONCE = 500;

/** How many events are applied before the place is stored, at most. */
const CHECKPOINT_EVERY = 1000;

/** One projection in one event store. */
export class ProjectionParts {
  readonly rules: ProjectionRules;
  readonly log: GenerationLog;
  readonly live: LiveGeneration;
  readonly context: FeedContext;
  readonly #db: Database<FeedStore>;
  readonly #store: string;

  constructor(db: Database<FeedStore>, store: string, context: FeedContext, rules: ProjectionRules) {
    this.rules = rules;
    this.context = context;
    this.log = new GenerationLog(projectionRecords(db), store, rules.name);
    this.live = new LiveGeneration(this.log, context.environment.clock);
    this.#db = db;
    this.#store = store;
  }

  /** The views of one generation: an entity of its own, so that nothing of another is in the way. */
  records(generation: number): ViewRecords {
    const { into } = this.rules;
    return this.#db.repo(renamed(into, `${declarationOf(into).name}#${generation}`)) as unknown as ViewRecords; // Its fields are the user's.
  }

  /** Deletes the views of one generation. */
  async clear(generation: number, signal: AbortSignal): Promise<void> {
    const records = this.records(generation);
    const { model } = insideOf(records) as Inside; // It came from db.repo().
    const idOf = (view: object): unknown =>
      idFrom(
        model.ids.map(({ name }) => name),
        view as Record<string, unknown>,
      );
    for (;;) {
      const { items } = await records.list({ limit: CLEARED_AT_ONCE, signal });
      if (items.length === 0) return;
      for (const result of await records.deleteMany(items.map(idOf), { signal: sharedSignal(signal) }))
        if (!result.ok) throw result.error;
    }
  }

  /** The subscription that fills one generation. */
  identity(generation: number): SubscriptionIdentity {
    const { name } = this.rules;
    return { store: this.#store, id: projectionId(name, generation), name };
  }

  /** Works on one generation in this process. */
  start(generation: number, { worker, onError }: ProjectionSettings): Subscription {
    const { rules, context } = this;
    const identity = this.identity(generation);
    const { cursors } = partsOf(context, identity, rules.categories);
    const views = this.records(generation);
    const receiver = viewReceiver(rules, declarationOf(rules.into).name, views, (signal) => async (keys) => {
      const places = await cursors.getMany(keys, signal);
      return places.map((place) => place?.version ?? 0n);
    });
    return new Subscription(context, identity, {
      categories: rules.categories,
      partitions: rules.partitions,
      from: 'start',
      receiver,
      settings: worker,
      checkpointEvery: CHECKPOINT_EVERY,
      decide: () => onError,
    });
  }
}

/** The id of a view, as `delete` takes it. */
function idFrom(names: readonly string[], view: Readonly<Record<string, unknown>>): unknown {
  const [only] = names;
  return names.length === 1 && only !== undefined
    ? view[only]
    : Object.fromEntries(names.map((name) => [name, view[name]]));
}
