import { type Duration, milliseconds } from '../../../core/duration.ts';
import type { Shape } from '../../../core/model/types.ts';
import type { ReadOptions } from '../../../core/store.ts';
import type { Repository } from '../../../repositories/index.ts';
import { type Inside, insideOf, type Place } from '../../../repositories/internal.ts';
import { refuse } from '../../shared/options.ts';
import { lifeOf } from '../loader.ts';
import type { CacheParts } from '../parts.ts';
import type { Reads } from '../reads.ts';
import type { Writes } from '../writes.ts';
import { CachedRepository, type ThroughSettings } from './cached-repository.ts';

/** How the entities of a repository are cached. */
export interface ThroughOptions<Entity> {
  /** Default: that of the cache; never longer than the entity's own deadline. */
  readonly ttl?: Duration | undefined;
  readonly stale?: Duration | undefined;
  /** How long it is remembered that an entity does not exist; default: `ttl`. */
  readonly absent?: Duration | undefined;
  /** Tags of an entity, for `invalidateTags`. */
  readonly tags?: ((entity: Entity) => readonly string[]) | undefined;
}

/** What `db.repo()` returns, of whichever entity: `never` is an id of all of them. */
export interface AnyRepository {
  get(id: never, options?: ReadOptions): Promise<object | undefined>;
}

/** The entity of a repository. */
export type EntityOf<R extends AnyRepository> = NonNullable<Awaited<ReturnType<R['get']>>>;

const CACHED = [
  'get',
  'getOrThrow',
  'getMany',
  'exists',
  'create',
  'put',
  'mutate',
  'touch',
  'delete',
  'createMany',
  'putMany',
  'deleteMany',
] as const;

/** A repository behind the cache. Errors: `argument.invalid`. */
export function through<R extends AnyRepository>(
  parts: CacheParts,
  reads: Reads,
  writes: Writes,
  repository: R,
  place: Place,
  options: ThroughOptions<EntityOf<R>>,
): R {
  const inside = checked(insideOf(repository), place);
  const settings: ThroughSettings = {
    ...lifeOf(options.ttl, options.stale, parts.settings),
    absent: milliseconds(options.absent ?? options.ttl ?? parts.settings.ttl, 'absent'),
    // Only handed entities of this repository.
    tags: options.tags as ThroughSettings['tags'],
  };
  // Untyped inside, as the repository itself is.
  const inner = repository as unknown as Repository<Shape>;
  const cached = new CachedRepository(parts, reads, writes, inner, inside, settings);
  const verbs = new Map<PropertyKey, unknown>(CACHED.map((verb) => [verb, cached[verb].bind(cached)]));
  return new Proxy(repository, {
    get: (target, property) => {
      const verb = verbs.get(property);
      if (verb !== undefined) return verb;
      const own: unknown = Reflect.get(target, property, target);
      if (typeof own !== 'function') return own;
      const bound: unknown = own.bind(target);
      verbs.set(property, bound);
      return bound;
    },
  });
}

function checked(inside: Inside | undefined, { tenant, generation }: Place): Inside {
  if (inside === undefined) {
    return refuse('repository', 'through takes what db.repo() returned: cache.through(db.repo(User)).');
  }
  const { model } = inside;
  if (inside.place.tenant !== tenant || inside.place.generation !== generation) {
    refuse('repository', `The repository of ${model.name} is of another tenant than the cache. Make both of one db.`);
  }
  if (model.ttl !== undefined && model.deadlineField === undefined) {
    refuse(
      'repository',
      `${model.name} has a @Ttl that its fields do not show: the cache could serve it after its end. Give it a field with @Ttl() for its deadline.`,
    );
  }
  return inside;
}
