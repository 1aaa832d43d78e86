import { annBench } from './ann.ts';
import { cacheBench } from './cache.ts';
import { codecBench } from './codec.ts';
import { counterBench } from './counter.ts';
import { dedupBench } from './dedup.ts';
import { electionBench } from './election.ts';
import { embeddedBench } from './embedded.ts';
import { eventsBench } from './events.ts';
import { inventoryBench } from './inventory.ts';
import { limiterBench } from './limiter.ts';
import { projectionBench } from './projections.ts';
import { quotasBench } from './quotas.ts';
import { recommenderBench } from './recommender.ts';
import { formatRows } from './row.ts';
import { scanBench } from './scan.ts';
import { searchBench } from './search.ts';
import { semanticBench } from './semantic.ts';
import { sessionsBench } from './sessions.ts';
import { tenantsBench } from './tenants.ts';
import { wireBench } from './wire.ts';

// Every row is measured beside its rival in one run; figures of different runs are not comparable.
const benches = {
  ann: annBench,
  cache: cacheBench,
  codec: codecBench,
  counter: counterBench,
  dedup: dedupBench,
  election: electionBench,
  embedded: embeddedBench,
  inventory: inventoryBench,
  events: eventsBench,
  limiter: limiterBench,
  quotas: quotasBench,
  recommender: recommenderBench,
  projections: projectionBench,
  scan: scanBench,
  search: searchBench,
  semantic: semanticBench,
  sessions: sessionsBench,
  tenants: tenantsBench,
  wire: wireBench,
};

const wanted = process.argv.slice(2);
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length === 0 || wanted.includes(name)) console.log(formatRows(await bench()));
}
