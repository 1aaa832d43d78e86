import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { systemEnvironment } from '../../src/core/system.ts';
import { defineEntity, open } from '../../src/index.ts';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { norikv } from '../../src/stores/norikv/index.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { movingCluster } from './support/moving-cluster.ts';

const IDS = ['a', 'b', 'c'] as const;
const SHARDS = 4;
const MOVES = 12;
const WRITERS = 6;

const Tally = defineEntity('tally', z.object({ id: z.string(), count: z.number() }), { id: 'id' });

test.each([
  ['one stream', true],
  ['unary calls', false],
])('leaders that move under load trouble no caller, over %s', async (_, batching) => {
  const cluster = movingCluster(IDS, SHARDS);
  const store = await memory().openStore(systemEnvironment);
  const nodes: Record<string, string> = {};
  for (const id of IDS) {
    // Its view publishes 0.0.0.0: only the configured addresses can be dialled.
    const server = await serve(store, { port: 0, cluster: cluster.node(id) });
    onTestFinished(() => server.close());
    nodes[id] = server.address;
  }
  await using db = await open(norikv({ nodes, batching }));
  const tallies = db.repo(Tally);
  const ids = Array.from({ length: 12 }, (_, i) => `tally ${i}`);
  await tallies.createMany(ids.map((id) => ({ id, count: 0 })));

  let isMoving = true;
  let added = 0;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    const random = seededRandom(writer);
    while (isMoving) {
      await tallies.mutate(ids[pickInt(random, ids.length)] as string, (tally) => {
        tally.count += 1;
      });
      added += 1;
    }
  });
  const written = Promise.all(writers).finally(() => {
    isMoving = false;
  });
  written.catch(() => {});
  const random = seededRandom(99);
  // On a busy machine it takes more moves until the load was one.
  for (let move = 0; isMoving && (move < MOVES || added <= MOVES * WRITERS); move++) {
    // An election: for a while nobody leads these shards.
    const shards = Array.from({ length: SHARDS }, (_, shard) => shard).filter(() => random.float() < 0.5);
    if (shards.length > 0) cluster.lead('nobody', ...shards);
    await sleep(50 + 200 * random.float());
    if (shards.length > 0) cluster.lead(IDS[pickInt(random, IDS.length)] as string, ...shards);
    await sleep(50);
  }
  isMoving = false;

  await written;
  await using direct = await open(store);
  const counts = await direct.repo(Tally).getMany(ids);
  expect(counts.reduce((sum, tally) => sum + (tally?.count ?? 0), 0)).toBe(added);
});
