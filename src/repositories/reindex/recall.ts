import { throwIfAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { nextTurn } from '../../core/turn.ts';
import { distance, nearest, type VectorMatch } from '../../core/vectors/index.ts';
import type { Filling } from './fill-record.ts';
import type { RecallCheck } from './types.ts';

/** The nearest that are compared. */
const K = 10;
/** Vectors that are read, and compared with the sample, before the event loop has its turn. */
const CHUNK = 256;
/** Two distances of one pair of vectors may differ by rounding. */
const TOLERANCE = 1e-4;

interface Probe {
  readonly query: Float32Array;
  /** The nearest, by looking at every vector. */
  best: VectorMatch[];
}

/**
 * Searches for some of the vectors of a space, and compares with what is nearest to them indeed: the share that the index
 * has found, from 0 to 1. What is as near as the last of the nearest counts as one of them, as equal vectors do.
 */
export async function measureRecall(
  filling: Filling,
  { sample = 32 }: RecallCheck,
  onProgress: (done: number, total: number) => void,
): Promise<number> {
  const { context, space, signal } = filling;
  const { vectors } = context.client;
  const { namespace, spec } = space;
  const { chosen, total } = await sampleIds(filling, sample, context.environment);
  const found = await vectors.getMany(namespace, chosen, { signal });
  const probes = found.flatMap((query): Probe[] => (query === undefined ? [] : [{ query, best: [] }]));
  let done = 0;
  for await (const ids of pages(filling)) {
    const page = await vectors.getMany(namespace, ids, { signal });
    for (const probe of probes) {
      const matches = ids.flatMap((id, i) => {
        const vector = page[i];
        return vector === undefined ? [] : [{ id, distance: distance(spec.metric, probe.query, vector) }];
      });
      probe.best = nearest([...probe.best, ...matches], K);
      await nextTurn();
    }
    done += ids.length;
    onProgress(done, Math.max(done, total));
  }
  let [right, all] = [0, 0];
  for (const probe of probes) {
    const compared = await compare(filling, probe);
    right += compared.right;
    all += compared.all;
  }
  return all === 0 ? 1 : right / all;
}

/** Writers that replace vectors meanwhile may spoil a comparison. */
const TRIES = 3;

interface Compared {
  readonly right: number;
  readonly all: number;
}

async function compare(filling: Filling, probe: Probe): Promise<Compared> {
  let last: Compared = { right: 0, all: 0 };
  for (let tries = 0; tries < TRIES; tries++) {
    last = await compareOnce(filling, probe);
    if (last.right === last.all) break;
  }
  return last;
}

/** How many of the nearest that are still there a search finds, by the distances that the vectors it names really have. */
async function compareOnce({ context, space, signal }: Filling, { query, best }: Probe): Promise<Compared> {
  const { vectors } = context.client;
  const { namespace, spec } = space;
  const matches = await vectors.search(namespace, query, K, { signal });
  const nearestIds = best.map(({ id }) => id);
  // After the search: what is there now was there then, as an id is never used again.
  const left = await vectors.getMany(namespace, nearestIds, { signal });
  const farthest = best.findLast((_match, i) => left[i] !== undefined)?.distance;
  if (farthest === undefined) return { right: 0, all: 0 };
  const ids = [...new Set(matches.map(({ id }) => id))];
  const found = await vectors.getMany(namespace, ids, { signal });
  const most = farthest + TOLERANCE * Math.max(1, Math.abs(farthest));
  const isRight = (vector: Float32Array | undefined): boolean =>
    vector !== undefined && distance(spec.metric, query, vector) <= most;
  const all = left.filter((vector) => vector !== undefined).length;
  return { right: Math.min(all, found.filter(isRight).length), all };
}

/** Some ids, each as likely as any other, in one walk. */
async function sampleIds(
  filling: Filling,
  size: number,
  { random }: Environment,
): Promise<{ chosen: string[]; total: number }> {
  const chosen: string[] = [];
  let total = 0;
  for await (const ids of pages(filling)) {
    for (const id of ids) {
      const at = total < size ? total : Math.floor(random.float() * (total + 1));
      if (at < size) chosen[at] = id;
      total++;
    }
  }
  return { chosen, total };
}

async function* pages({ context, space, signal }: Filling): AsyncGenerator<string[], void, undefined> {
  let after: string | undefined;
  for (;;) {
    throwIfAborted(signal);
    const ids = await context.client.vectors.list(space.namespace, { after, limit: CHUNK, signal });
    if (ids.length === 0) return;
    yield ids;
    after = ids.at(-1);
    await nextTurn();
  }
}
