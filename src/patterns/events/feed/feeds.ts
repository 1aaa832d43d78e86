import type { Store } from '../../../core/store.ts';
import type { Database } from '../../../repositories/index.ts';
import type { ProjectionDefinition, ViewSource } from '../projections/define-projection.ts';
import { Projection } from '../projections/projection.ts';
import { ProjectionParts, type ProjectionRules } from '../projections/projection-parts.ts';
import { rebuild } from '../projections/rebuild.ts';
import { type ProjectOptions, projectionSettings, type RebuildOptions } from '../projections/settings.ts';
import { type View, viewOf } from '../projections/view.ts';
import type { FeedContext } from '../subscriptions/context.ts';
import type { EventHandler } from '../subscriptions/handler.ts';
import { type SubscriptionIdentity, subscriptionId } from '../subscriptions/parts.ts';
import { eventReceiver } from '../subscriptions/receive.ts';
import { subscriptionRecords } from '../subscriptions/records.ts';
import {
  checkFrom,
  checkPartitions,
  checkpointOf,
  checkSubscriptionName,
  decideBy,
  type SubscribeOptions,
  workerSettings,
} from '../subscriptions/settings.ts';
import { Subscription } from '../subscriptions/subscription.ts';
import { SubscriptionHandle } from '../subscriptions/subscription-handle.ts';
import type { Tails } from '../tails.ts';
import { EventFeed, type OpenSlots } from './event-feed.ts';
import { categoriesOf, type EventsOf, type FollowedEvent } from './events-of.ts';
import { type FeedStore, feedDatabase } from './feed-store.ts';

/** What `subscribe` is told, and of which streams. */
export interface SubscribeToOptions<Events extends EventsOf> extends SubscribeOptions {
  /** The aggregates, or categories by name, whose events it is about; default: all. */
  readonly streams?: Events | readonly Events[] | undefined;
}

/** What an event store offers besides appending and reading: the events as they come, and views that are made of them. */
export class Feeds<St extends Store> {
  readonly #db: Database<FeedStore>;
  readonly #store: string;
  readonly #context: FeedContext;
  readonly #projections = new Map<ProjectionRules, ProjectionParts>();

  /** Errors: `capability.missing`. */
  constructor(db: Database<St>, store: string, tails: Tails, open: OpenSlots) {
    this.#db = feedDatabase(db as Database, 'A subscription or projection');
    this.#store = store;
    const source = new EventFeed(this.#db, store, tails, open);
    this.#context = { source, records: subscriptionRecords(this.#db), environment: db.environment };
  }

  /** See {@link Subscription}. Errors: `argument.invalid`. */
  subscribe<Events extends EventsOf>(
    options: SubscribeToOptions<Events>,
    handler: EventHandler<FollowedEvent<Events>>,
  ): Subscription {
    const { clock } = this.#context.environment;
    return new Subscription(this.#context, this.#identity(options.name), {
      categories: categoriesOf(options.streams),
      partitions: checkPartitions(options.partitions),
      from: checkFrom(options),
      // Only handed events of these streams.
      receiver: eventReceiver(handler as EventHandler, clock),
      settings: workerSettings(options),
      checkpointEvery: checkpointOf(options),
      decide: decideBy(options),
    });
  }

  /** See {@link SubscriptionHandle}. Errors: `argument.invalid`. */
  subscription(name: string): SubscriptionHandle {
    return new SubscriptionHandle(this.#context, this.#identity(name));
  }

  /** See {@link Projection}. Errors: `argument.invalid`, `model.invalid`. */
  project(definition: ProjectionDefinition, options: ProjectOptions = {}): Projection {
    return new Projection(this.#partsOf(definition), projectionSettings(options));
  }

  /** Builds views anew. Errors: `argument.invalid`, `events.projectionNewer`, `events.handlerFailed`, `aborted`. */
  rebuild(definition: ProjectionDefinition, options: RebuildOptions = {}): Promise<void> {
    return rebuild(this.#partsOf(definition), projectionSettings(options));
  }

  /** The views of a projection, to be read. */
  view<Source extends ViewSource>(definition: ProjectionDefinition<Source>): View<Source, St> {
    const parts = this.#partsOf(definition);
    return viewOf(async () => parts.records(await parts.live.get()));
  }

  /** The same each time, so that readers in this process know at once of views that are replaced in it. */
  #partsOf({ rules }: ProjectionDefinition): ProjectionParts {
    const parts = this.#projections.get(rules) ?? new ProjectionParts(this.#db, this.#store, this.#context, rules);
    this.#projections.set(rules, parts);
    return parts;
  }

  #identity(given: string): SubscriptionIdentity {
    const name = checkSubscriptionName('subscription', given);
    return { store: this.#store, id: subscriptionId(name), name };
  }
}
