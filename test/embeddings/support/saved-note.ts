import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Embedder } from '../../../src/index.ts';
import { defineEntity, NorimakiError } from '../../../src/index.ts';

/** What a process saves that is killed. Without decorators, for a child that is compiled by itself. */
export const SavedNote = defineEntity('note', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', index: 'exact', mode: 'deferred' } },
});

/** Every text has its own vector, in every process; or nobody answers. */
export function textEmbedder(state: 'up' | 'down'): Embedder {
  return {
    id: 'text@1',
    dimensions: 8,
    embed: async (texts) => {
      if (state === 'down') throw new NorimakiError('embedder.unavailable', 'Down.', { embedder: 'text@1' });
      return texts.map((text) =>
        Float32Array.from(createHash('sha256').update(text).digest().subarray(0, 8), (byte) => byte - 127.5),
      );
    },
  };
}
