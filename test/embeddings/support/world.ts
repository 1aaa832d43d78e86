import { z } from 'zod';
import type { Store, VectorStore } from '../../../src/core/store.ts';
import type { ClassShape } from '../../../src/index.ts';
import {
  type Default,
  Embedding,
  Entity,
  Field,
  Id,
  type Repository,
  type VectorRepository,
} from '../../../src/index.ts';
import { limitCapabilities } from '../../../src/testing/index.ts';

/** What the tests of the sync save and search. An exact index, so that no missing hit can hide behind an approximation. */
@Entity('doc')
export class Doc {
  @Id() id!: Id<string>;
  @Field(z.string().nullable()) text!: string | null;
  @Field(z.number()) stars: Default<number> = 0;
  @Embedding({ from: 'text', index: 'exact' }) vector?: Float32Array;
}

export type Docs = Repository<ClassShape<Doc>> & VectorRepository<ClassShape<Doc>>;

export const setText =
  (text: string | null) =>
  (doc: { text: string | null }): void => {
    doc.text = text;
  };

/** The ways in which a record and its vector reach a store. */
export const ways = {
  'in one commit': (store: VectorStore): Store => store,
  'by reservation': (store: VectorStore): Store => limitCapabilities(store, ['commit', 'scan']),
  'by reservation, without idempotency': (store: VectorStore): Store =>
    limitCapabilities(store, ['commit', 'scan', 'idempotency']),
};
