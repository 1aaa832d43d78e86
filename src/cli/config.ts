import type { EntitySource } from '../core/model/types.ts';
import type { StoreSource } from '../core/store.ts';
import type { TenantsOptions } from '../patterns/index.ts';
import type { OpenOptions } from '../repositories/index.ts';

/** What the command `norimaki` opens: the default export of `norimaki.config.mjs`, `.js` or `.ts`. */
export interface Config extends Pick<OpenOptions, 'root' | 'embedder' | 'embedders'> {
  /** As for `open`. Paths in it are relative to the folder of the config module. */
  readonly store: StoreSource;
  readonly entities: readonly EntitySource[];
  /** What the program gives to `Tenants`, its encryption too: `--tenant` is then one of those, else what `forTenant` reaches. */
  readonly tenants?: TenantsOptions | undefined;
}

/**
 * Checks the type of a config, and returns it.
 *
 * @example
 * ```ts
 * export default defineConfig({ store: embedded({ path: './data' }), entities: [Film], embedder });
 * ```
 */
export function defineConfig(config: Config): Config {
  return config;
}
