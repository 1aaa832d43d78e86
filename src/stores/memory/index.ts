export { type MemoryStore, memory } from './memory.ts';
