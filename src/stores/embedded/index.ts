export { embedded } from './embedded.ts';
export type { Durability } from './owner.ts';
export type {
  EmbeddedNamespaceStats,
  EmbeddedOptions,
  EmbeddedStats,
  EmbeddedStore,
  MaintenanceOptions,
} from './types.ts';
