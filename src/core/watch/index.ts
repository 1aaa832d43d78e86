export { ChangeQueue, watchLost } from './change-queue.ts';
export { Watches } from './watches.ts';
