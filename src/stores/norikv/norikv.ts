import type { StoreOpener } from '../../core/store.ts';
import { requireGrpc } from '../../wire/optional.ts';
import type { NorikvFullStore, NorikvOptions, NorikvStore } from './options.ts';
import { settingsOf } from './settings.ts';

/**
 * A store on one or several servers that speak the NoriKV protocol: norimaki's own (`norimaki/server`) or a plain one.
 * Needs the package `@grpc/grpc-js`. What the server can do is asked once, when the store is opened: see `capabilities`.
 *
 * Errors when opening: `argument.invalid` for bad options, `capability.missing` without `@grpc/grpc-js` and, with
 * `extension: 'required'`, where the server lacks it; `store.unavailable` if no server answers within `timeout`;
 * `store.refused` for a certificate or a token that is not accepted; `aborted`.
 *
 * @example
 * ```ts
 * await using db = await open(norikv({ nodes: ['127.0.0.1:7447'] }));
 * ```
 */
export function norikv(options: NorikvOptions & { readonly extension: 'required' }): StoreOpener<NorikvFullStore>;
export function norikv(options: NorikvOptions): StoreOpener<NorikvStore>;
export function norikv(options: NorikvOptions): StoreOpener<NorikvStore> {
  return {
    async openStore(environment) {
      const settings = settingsOf(options);
      await requireGrpc('the norikv store');
      // What speaks gRPC is loaded only now, so that its absence is one clear error.
      const { openNorikv } = await import('./open.ts');
      return openNorikv(settings, environment);
    },
  };
}
