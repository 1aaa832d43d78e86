import { expect, test } from 'vitest';
import { nodesOf } from './addresses.ts';
import { Cluster } from './cluster.ts';

const LISTED = nodesOf(['10.0.0.1:1', '10.0.0.2:2', '10.0.0.3:2']);
const NAMED = nodesOf({ a: '10.0.0.1:1', b: '10.0.0.2:1', c: '10.0.0.3:1' });

/** A view in which `leader` leads shard 3; by itself shard 3 of three nodes is with the first. */
function view(leader: string, addresses: Record<string, string>, epoch = 1n) {
  const ids = Object.keys(addresses);
  return {
    epoch,
    nodes: ids.map((id) => ({ id, addr: addresses[id] ?? '', role: '' })),
    shards: [{ id: 3, replicas: ids.map((nodeId) => ({ nodeId, leader: nodeId === leader })) }],
  };
}

function leaderAfter(nodes: typeof LISTED, ...views: ReturnType<typeof view>[]): number {
  const cluster = new Cluster(nodes, 16);
  for (const one of views) cluster.update(one);
  return cluster.leaderOf(3);
}

test('nodes are told apart by their configured ids, whatever they publish', () => {
  const anywhere = { a: '0.0.0.0:1', b: '0.0.0.0:1', c: '10.0.0.1:1' };
  expect(leaderAfter(NAMED, view('b', anywhere))).toBe(1);
  expect(leaderAfter(NAMED, view('c', anywhere))).toBe(2);
});

test('without ids, by their addresses', () => {
  expect(leaderAfter(LISTED, view('y', { x: '10.0.0.1:1', y: '10.0.0.3:2' }))).toBe(2);
});

test.each(['0.0.0.0', '[::]'])('that listen on %s, by a port that only one of them has', (host) => {
  // By itself the shard is with the second of two.
  expect(leaderAfter(nodesOf(['10.0.0.1:1', '10.0.0.2:2']), view('x', { x: `${host}:1`, y: `${host}:2` }))).toBe(0);
  // Two have it.
  expect(leaderAfter(LISTED, view('y', { y: `${host}:2` }))).toBe(0);
  // Another host with the same port is another node.
  expect(leaderAfter(LISTED, view('y', { y: '10.0.0.9:1' }))).toBe(0);
});

test('what was learned holds until a new view', () => {
  const cluster = new Cluster(NAMED, 16);
  const addresses = { a: '', b: '', c: '' };
  cluster.update(view('b', addresses));
  cluster.learn(3, 2);
  cluster.update(view('b', addresses));
  expect(cluster.leaderOf(3)).toBe(2);
  cluster.update(view('b', addresses, 2n));
  expect(cluster.leaderOf(3)).toBe(1);
  cluster.learn(3, 2);
  cluster.forget(3, 0);
  expect(cluster.leaderOf(3)).toBe(2);
  cluster.forget(3, 2);
  expect(cluster.leaderOf(3)).toBe(1);
});
