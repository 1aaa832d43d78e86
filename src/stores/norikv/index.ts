export { norikv } from './norikv.ts';
export type { NorikvFullStore, NorikvOptions, NorikvStore, NorikvTls } from './options.ts';
