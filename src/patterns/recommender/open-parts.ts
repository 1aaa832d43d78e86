import type { Environment } from '../../core/clock.ts';
import type { EntitySource, Shape } from '../../core/model/types.ts';
import type { Database, VectorRepository } from '../../repositories/index.ts';
import { type Inside, insideOf } from '../../repositories/internal.ts';
import { refuse } from '../shared/options.ts';
import { Interests } from './interests.ts';
import { ItemIds } from './item-ids.ts';
import { Profiles } from './profiles.ts';
import { Recordings } from './recordings.ts';
import { recommenderRecords } from './records.ts';
import type { RecommenderSettings } from './settings.ts';
import { type ItemRepository, Shelf } from './shelf.ts';
import { StoredCounts } from './stored-counts.ts';
import type { RecommenderParts } from './strategies/call.ts';
import { ItemVectors } from './vectors.ts';

/** What every verb works with. */
export interface RecommenderContext {
  readonly parts: RecommenderParts;
  readonly ids: ItemIds;
  readonly profiles: Profiles;
  readonly counts: StoredCounts;
  readonly recordings: Recordings;
  readonly environment: Environment;
}

/** Errors: `argument.invalid`, `capability.missing`, `model.invalid`. */
export function openParts(db: Database, source: EntitySource, settings: RecommenderSettings): RecommenderContext {
  const { environment } = db;
  // A store without vectors refuses an entity with an embedding, and one without is refused below.
  const items = db.repo(source) as unknown as ItemRepository;
  const inside = insideOf(items) as Inside; // It came from db.repo().
  const { name: field, metric } = embeddingOf(inside, settings.embedding);
  const ids = new ItemIds(inside);
  const records = recommenderRecords(db);
  const vectors = new ItemVectors(items as VectorRepository<Shape>, ids, field, environment.clock);
  const counts = new StoredCounts(settings, records, environment);
  const parts: RecommenderParts = {
    settings,
    shelf: new Shelf(settings.name, items, ids, inside, field),
    vectors,
    interests: new Interests(settings, vectors, metric),
    metric,
  };
  return {
    parts,
    ids,
    profiles: new Profiles(settings.name, records),
    counts,
    recordings: new Recordings(settings, ids, records, counts, environment),
    environment,
  };
}

function embeddingOf({ model }: Inside, wanted: string | undefined): Inside['model']['embeddings'][number] {
  const { embeddings } = model;
  if (embeddings.length === 0) {
    return refuse('source', `${model.name} has no @Embedding: a recommender compares items by one.`);
  }
  const names = embeddings.map(({ name }) => name).join(', ');
  const found = embeddings.filter(({ name }) => wanted === undefined || name === wanted);
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  return refuse('embedding', `Say in embedding by which one of ${model.name} items are compared: ${names}.`);
}
