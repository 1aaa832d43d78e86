import { z } from 'zod';
import type { VectorStore } from '../../../src/core/store.ts';
import { type Database, defineEntity } from '../../../src/index.ts';
import { Recommender } from '../../../src/patterns/index.ts';

/** What is sold; without a decorator, as a child process is bundled as it stands. */
export const Ware = defineEntity('ware', z.object({ sku: z.string() }), {
  id: 'sku',
  embeddings: { look: { dimensions: 4 } },
});

export const WARE_SIGNALS = { view: 1, buy: 8 } as const;

export function startWares(db: Database<VectorStore>): Recommender<typeof Ware, keyof typeof WARE_SIGNALS> {
  return new Recommender(db, Ware, { name: 'wares', signals: WARE_SIGNALS, popular: { shards: 2 } });
}
