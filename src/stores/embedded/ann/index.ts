export { AnnSpaceLost } from './space-lost.ts';
export { startAnn } from './thread.ts';
export type { AnnSearchOptions, AnnSnapshot, AnnSpace, AnnSpaceOptions, AnnStats, AnnThread } from './types.ts';
