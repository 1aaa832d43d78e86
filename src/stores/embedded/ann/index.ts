export { AnnSpaceLost } from './space-lost.ts';
export { startAnn } from './thread.ts';
export type { AnnSnapshot, AnnSpace, AnnSpaceOptions, AnnStats, AnnThread } from './types.ts';
