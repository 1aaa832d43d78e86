export { traceCalls } from './trace.ts';
