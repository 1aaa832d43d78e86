import type { EntityDefinition, EntitySource, Shape, ShapeOf } from '../../../core/model/types.ts';
import { refuse } from '../../shared/options.ts';
import { categoriesOf, type EventsOf, type FollowedEvent } from '../feed/events-of.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import { checkSubscriptionName } from '../subscriptions/settings.ts';
import type { Projected, ProjectedRecord } from './projected-record.ts';
import type { ProjectionRules } from './projection-parts.ts';
import { partitionsOf } from './settings.ts';

/** The types of an entity that can be a view. */
interface ViewShape extends Shape {
  readonly entity: { readonly projected: Projected };
}

/** A class that extends `ProjectedRecord`, or what `defineEntity` made with `projectedFields`. */
export type ViewSource =
  | (new () => ProjectedRecord)
  // A class has a name, too: without the second part any would do.
  | (EntityDefinition<ViewShape> & { readonly prototype?: never });

/** What `apply` changes. */
export type ViewDraft<Source extends EntitySource> = Omit<ShapeOf<Source>['draft'], 'projected'>;

/** How views are made of events. */
export interface ProjectionOptions<Events extends EventsOf, Source extends ViewSource> {
  /** Its place in the streams is stored under it. At most 64 bytes. */
  readonly name: string;
  /** The aggregates, or categories by name, whose events it is made of. */
  readonly from: Events | readonly Events[];
  readonly into: Source;
  /**
   * Raise it when `id`, `initial` or `apply` change: programs that know it then build the views anew, and readers see the old
   * ones until that is complete. Default 1.
   */
  readonly version?: number | undefined;
  /** In how many lines the streams are worked on at once, at most; default 4. For each generation of views for good. */
  readonly partitions?: number | undefined;
  /** The view that an event changes, or several; `undefined`: none. */
  id(event: FollowedEvent<Events>): ShapeOf<Source>['id'] | readonly ShapeOf<Source>['id'][] | undefined;
  /** What a view is before its first event, besides the defaults of its fields. */
  initial?(event: FollowedEvent<Events>): Partial<Omit<ShapeOf<Source>['input'], 'projected'>>;
  /** Changes the view by one event. Must do nothing else, and go by nothing else: it is run again after a conflict or a crash. */
  apply(view: ViewDraft<Source>, event: FollowedEvent<Events>): void;
}

declare const viewBrand: unique symbol;

/** What `defineProjection` returns. */
export interface ProjectionDefinition<Source extends ViewSource = ViewSource> {
  readonly name: string;
  readonly version: number;
  /** @internal */
  readonly rules: ProjectionRules;
  /** Only a type. */
  readonly [viewBrand]?: Source;
}

/**
 * Views that are made of events, each event counted once.
 *
 * @example
 * ```ts
 * const Balances = defineProjection({
 *   name: 'balances',
 *   from: Account,
 *   into: Balance,
 *   id: (event) => event.stream.id,
 *   apply(balance, event) {
 *     if (event.type === 'Deposited') balance.total += event.data.amount;
 *   },
 * });
 * await using projection = store.project(Balances);
 * const balance = await store.view(Balances).get('mia');
 * ```
 */
export function defineProjection<const Events extends EventsOf, Source extends ViewSource>(
  options: ProjectionOptions<Events, Source>,
): ProjectionDefinition<Source> {
  const { from, into, version = 1, partitions } = options;
  const name = checkSubscriptionName('projection', options.name);
  if (!Number.isSafeInteger(version) || version < 1)
    refuse('version', 'The version of a projection is a whole number from 1.');
  if (typeof options.id !== 'function' || typeof options.apply !== 'function') {
    refuse('apply', 'A projection has id, which names the view of an event, and apply, which changes it.');
  }
  const rules: ProjectionRules = {
    name,
    version,
    partitions: partitionsOf(partitions),
    categories: categoriesOf(from) ?? new Set(),
    into,
    // Only handed events of these streams, and views of this entity.
    id: (event) => options.id(event as FollowedEvent<Events>),
    initial: options.initial && ((event: RecordedEvent) => options.initial?.(event as FollowedEvent<Events>) ?? {}),
    apply: (view, event) => options.apply(view as ViewDraft<Source>, event as FollowedEvent<Events>),
  };
  return Object.freeze({ name, version, rules });
}
