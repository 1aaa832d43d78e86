import { systemEnvironment } from '../../../src/core/system.ts';
import type { VectorWrite } from '../../../src/core/vectors/index.ts';
import { pickInt } from '../../../src/testing/seeded-random.ts';
import { vectorOf } from '../support/vectors.ts';
import { bytes, random, round, store } from './crash-world.ts';
import { tell } from './talk.ts';

// Four writers that write pairs of a record and its vector, and search between. Two put the
// new vector in place of the old one, two under an id of its own as repositories do. One drops a namespace now and then.

const KEYS = 10;
const DIMENSIONS = 8;

export async function createPairs(): Promise<void> {
  await store.vectors.createIndex('pairs', { dimensions: DIMENSIONS, metric: 'euclidean', type: 'hnsw' });
}

export async function writePairs(): Promise<void> {
  await Promise.all([write(0), write(1), write(2), write(3), dropNowAndThen()]);
}

async function write(writer: number): Promise<void> {
  for (let n = 0; ; n++) {
    const nonce = `${round}.${writer}.${n}`;
    const name = `pair ${writer}-${pickInt(random, KEYS)}`;
    const before = await store.get(bytes(name));
    const old = before && new TextDecoder().decode(before.value);
    const idOf = (content: string): string => (writer < 2 ? name : `${name} ${content}`);
    const isDelete = old !== undefined && pickInt(random, 5) === 0;
    const vectors: VectorWrite[] = [];
    if (old !== undefined && (isDelete || writer >= 2)) {
      vectors.push({ type: 'delete', namespace: 'pairs', id: idOf(old) });
    }
    const vector = vectorOf(nonce, DIMENSIONS);
    if (!isDelete) vectors.push({ type: 'insert', namespace: 'pairs', id: idOf(nonce), vector });

    tell({ pair: name, content: isDelete ? null : nonce, is: 'intended' });
    await store.commit(
      [isDelete ? { type: 'delete', key: bytes(name) } : { type: 'put', key: bytes(name), value: bytes(nonce) }],
      { vectors },
    );
    tell({ pair: name, content: isDelete ? null : nonce, is: 'acknowledged' });

    if (isDelete || pickInt(random, 3) > 0) continue;
    const [hit] = await store.vectors.search('pairs', vector, 1);
    if (hit?.id !== idOf(nonce)) tell({ wrong: `${nonce} was written, and a search found ${hit?.id}` });
  }
}

async function dropNowAndThen(): Promise<void> {
  for (;;) {
    await systemEnvironment.clock.sleep(20 + pickInt(random, 100));
    await store.vectors.dropIndex('scratch');
    await store.vectors.createIndex('scratch', { dimensions: 2, metric: 'cosine', type: 'exact' });
    const vectors = Array.from({ length: 700 }, (_, i) => ({
      type: 'insert' as const,
      namespace: 'scratch',
      id: String(i),
      vector: Float32Array.of(1, i),
    }));
    await store.commit([], { vectors });
  }
}
