import type { Store } from '../../core/store.ts';
import type { Cluster } from '../cluster.ts';
import { Answers } from '../layers/answers.ts';
import { remembering } from '../layers/remembering.ts';
import { type ServedStore, wholeStore } from '../layers/store-layer.ts';
import type { Settings } from '../options.ts';
import { bindAddress, notLeaderFirst, viewEachSecond } from './cluster-quirks.ts';
import type { Quirk } from './names.ts';
import { SharedIdempotency } from './shared-idempotency.ts';
import { DeleteIgnoresIfMatch, LostProposal, NotLeaderApplied, PutVersion, RacingCas } from './store-quirks.ts';
import { TtlInMemory } from './ttl-in-memory.ts';
import { NoVectorService, SearchOf100, UnconfirmedInsert, VectorsInMemory, withVectors } from './vector-quirks.ts';

/** What is served, with the quirks that were asked for. */
export interface Served {
  readonly store: ServedStore;
  readonly cluster: Cluster;
  /** Which of the services that a server may lack. */
  readonly has: { readonly vectors: boolean; readonly extension: boolean };
}

type Layer = (store: ServedStore) => ServedStore;

export function imitate(settings: Settings, source: Store, truth: Cluster): Served {
  const { quirks, environment, clock, limits } = settings;
  const cluster = imitateCluster(settings, truth);
  /** From the store outwards: what a call meets first comes last. */
  const layers: readonly [Quirk, Layer][] = [
    ['unconfirmed-insert', (store) => withVectors(store, new UnconfirmedInsert(store.vectors))],
    ['vectors-in-memory', (store) => withVectors(store, new VectorsInMemory(store.vectors))],
    ['search-100', (store) => withVectors(store, new SearchOf100(store.vectors))],
    ['no-vectors', (store) => new NoVectorService(store)],
    ['ttl-in-memory', (store) => new TtlInMemory(store, environment.clock)],
    ['lost-proposal', (store) => new LostProposal(store, cluster.shards)],
    ['put-version', (store) => new PutVersion(store, cluster.shards)],
    ['racing-cas', (store) => new RacingCas(store)],
    ['delete-ignores-if-match', (store) => new DeleteIgnoresIfMatch(store)],
    ['not-leader-applied', (store) => new NotLeaderApplied(store, cluster)],
  ];
  const layered = layers
    .filter(([quirk]) => quirks.has(quirk))
    .reduce((store, [, layer]) => layer(store), wholeStore(source));
  const store = quirks.has('shared-idempotency')
    ? new SharedIdempotency(layered)
    : remembering(layered, new Answers(limits.idempotencyKeys, clock));
  return { store, cluster, has: { vectors: !quirks.has('no-vectors'), extension: !quirks.has('no-extension') } };
}

function imitateCluster({ quirks, environment, clock }: Settings, truth: Cluster): Cluster {
  let cluster = truth;
  if (quirks.has('not-leader-first')) cluster = notLeaderFirst(cluster, clock, environment.random);
  if (quirks.has('view-each-second')) cluster = viewEachSecond(cluster, clock);
  if (quirks.has('bind-address')) cluster = bindAddress(cluster);
  return cluster;
}
