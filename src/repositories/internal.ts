// The door for blocks of this library that stand in front of a repository, or make handles; `index.ts` is everybody's.
export { placeOf } from './database.ts';
export { insideOf } from './entity-repository.ts';
export type { Inside, RecordSeen } from './inside.ts';
export { governed } from './tenancy/governed.ts';
export { type Hold, type Meter, NO_USAGE, type Settlement, type Usage } from './tenancy/meter.ts';
export { usageOf } from './tenancy/metering.ts';
export type { Place } from './tenancy/place.ts';
export type { Access, TenantPolicy } from './tenancy/policy.ts';
export type { Sealer } from './tenancy/sealer.ts';
export { scoreOf } from './vectors/score.ts';
export { forEachItem } from './verbs/bulk.ts';
