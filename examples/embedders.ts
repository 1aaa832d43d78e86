// Text to vector, offline: near texts, a cache that never pays twice, and an embedder of one's own.
import type { Embedder } from 'norimaki';
import { cachedEmbedder, embeddingClient, hashingEmbedder } from 'norimaki/embedders';

const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);

const glosses = ['dried seaweed pressed into sheets', 'a mountain of granite', 'steamed rice with vinegar'];
const cached = cachedEmbedder(hashingEmbedder());
const client = embeddingClient(cached);

const query = await client.embed('sheets of seawede'); // misspelt
const near = await Promise.all(
  glosses.map(async (gloss) => ({ gloss, score: cosine(query, await client.embed(gloss)) })),
);
near.sort((a, b) => b.score - a.score);
console.log(`nearest: ${near[0]?.gloss}`);

// Everything is remembered by now.
await cached.embed([...glosses, ...glosses]);
const { requested, called, saved } = cached.counts;
console.log(`asked for ${requested} texts, paid for ${called}, saved ${saved}`);

// Any function will do. The id names whatever changes the vectors.
const shape: Embedder = {
  id: 'example/shape@1',
  dimensions: 2,
  embed: async (texts) => texts.map((text) => [text.length, text.split(' ').length]),
};
console.log(Array.from(await embeddingClient(shape).embed('toasted nori')));
