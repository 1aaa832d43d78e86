import type { Clock } from '../../../core/clock.ts';
import type { EntitySource, Shape } from '../../../core/model/types.ts';
import type { Store } from '../../../core/store.ts';
import type { Repository, RepositoryOf, ScanRepository, VectorRepository } from '../../../repositories/index.ts';
import type { GenerationLog } from './generations.ts';

const VERBS = [
  'get',
  'getOrThrow',
  'getMany',
  'exists',
  'findOne',
  'list',
  'count',
  'find',
  'search',
  'similarTo',
  'vectorOf',
] as const;

/** What can be asked of views: what a repository answers without writing. */
export type View<Source extends EntitySource, St extends Store> = Pick<
  RepositoryOf<Source, St>,
  Extract<keyof RepositoryOf<Source, St>, (typeof VERBS)[number] | 'scan'>
>;

type Readable = Repository<Shape> & ScanRepository<Shape> & VectorRepository<Shape>;

/** Reads of the generation that is live when they begin. */
export function viewOf<Source extends EntitySource, St extends Store>(live: () => Promise<object>): View<Source, St> {
  // Untyped inside, as the repository itself is; which verbs there are the type of the store decides.
  const current = live as () => Promise<Readable>;
  const verbs = VERBS.map((verb) => [
    verb,
    async (...call: unknown[]): Promise<unknown> => {
      const repository = await current();
      return (repository[verb] as (...call: unknown[]) => unknown).apply(repository, call);
    },
  ]);
  const scan = async function* (options?: Parameters<Readable['scan']>[0]): AsyncGenerator<object, void, undefined> {
    yield* (await current()).scan(options);
  };
  return Object.freeze({ ...Object.fromEntries(verbs), scan }) as View<Source, St>;
}

/** How long a process may go on reading views that were replaced, in milliseconds. They are kept for longer. */
const FOLLOW_EVERY = 1000;

/** Which generation of a projection readers see. */
export class LiveGeneration {
  readonly #log: GenerationLog;
  readonly #clock: Clock;
  #known: { readonly generation: number; readonly until: number } | undefined;

  constructor(log: GenerationLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  async get(): Promise<number> {
    if (this.#known !== undefined && this.#clock.mono() < this.#known.until) return this.#known.generation;
    const asked = this.#clock.mono();
    // Where nothing was projected yet the first generation is as empty as any.
    const generation = (await this.#log.read(undefined))?.live.generation ?? 1;
    this.#known = { generation, until: asked + FOLLOW_EVERY };
    return generation;
  }

  /** It may be another by now. */
  forget(): void {
    this.#known = undefined;
  }
}
