export { encodeMessage } from './encode.ts';
export * from './failure.ts';
export * as norikv from './generated/norikv/v1/norikv.ts';
export * as norimaki from './generated/norimaki/v1/norimaki.ts';
export * from './records.ts';
export * from './services.ts';
export { jumpHash, shardOf } from './shards.ts';
export * from './vectors.ts';
export * from './versions.ts';
