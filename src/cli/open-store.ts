import { existsSync } from 'node:fs';
import type { Store, StoreOpener } from '../core/store.ts';
import { embedded } from '../stores/embedded/index.ts';
import { norikv } from '../stores/norikv/index.ts';
import { readOption, readTokens } from './standalone.ts';
import { UsageError } from './usage-error.ts';

/** How a command reaches a store that `--store` names. */
export interface StoreOptions {
  readonly store: string;
  readonly insecure?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tokenFile?: string;
}

const FORMS = "'norikv://host:port' or 'embedded:path'";

/** Errors: `UsageError`. */
export function storeOf(options: StoreOptions, signal: AbortSignal): StoreOpener<Store> {
  const { store: name } = options;
  const [, scheme, rest = ''] = /^(norikv:\/\/|embedded:)(.+)$/.exec(name) ?? [];
  if (scheme === 'embedded:') return folder(rest);
  if (scheme === 'norikv://') return server(rest.replace(/\/$/, ''), options, signal);
  throw new UsageError(`--store takes ${FORMS}, not '${name}'.`);
}

/** One that is there: to look into a folder must not make it. */
function folder(path: string): StoreOpener<Store> {
  if (!existsSync(path)) throw new UsageError(`--store: there is no folder ${path}.`);
  return embedded({ path });
}

function server(address: string, options: StoreOptions, signal: AbortSignal): StoreOpener<Store> {
  const { insecure, tlsCa, tlsCert, tlsKey, tokenFile } = options;
  const read = (option: string, path: string | undefined) =>
    path === undefined ? undefined : readOption(option, path);
  const usesTls = tlsCa !== undefined || tlsCert !== undefined || tlsKey !== undefined;
  const tls = {
    ca: read('--tls-ca', tlsCa),
    cert: read('--tls-cert', tlsCert),
    key: read('--tls-key', tlsKey),
  };
  const [token] = tokenFile === undefined ? [] : readTokens(tokenFile);
  return norikv({
    nodes: [address],
    insecure,
    tls: usesTls ? tls : undefined,
    credentials: token === undefined ? undefined : { token },
    signal,
  });
}
