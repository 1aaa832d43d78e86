/**
 * The store of `express-session`. Needs the package of that name.
 *
 * @packageDocumentation
 */
export { NorimakiStore, type NorimakiStoreOptions } from './store.ts';
