/**
 * A server of the NoriKV protocol over any store. Needs the package `@grpc/grpc-js`.
 *
 * @packageDocumentation
 */
export type { Cluster, ClusterNode, ClusterShard, ClusterView } from './cluster.ts';
export type { ServeOptions, ServerAuth, ServerLimits, ServerTls } from './options.ts';
export { QUIRKS, type Quirk } from './quirks/names.ts';
export { type CloseOptions, type NorikvServer, serve } from './serve.ts';
