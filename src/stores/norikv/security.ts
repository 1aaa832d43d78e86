import { type ChannelCredentials, type ClientOptions, credentials, Metadata } from '@grpc/grpc-js';
import { NorimakiError } from '../../core/errors.ts';
import type { NorikvTls } from './options.ts';
import { checkToken, type Settings } from './settings.ts';

/** How connections are made, and what each call shows of its caller. */
export interface Security {
  readonly channel: ChannelCredentials;
  readonly options: ClientOptions;
  /** Errors: `store.refused` where there is no token to be had. */
  readonly metadata: () => Metadata | Promise<Metadata>;
}

/** Errors: `argument.invalid` for certificates that cannot be read. */
export function securityOf({ tls, token }: Settings): Security {
  return {
    channel: tls === undefined ? credentials.createInsecure() : secureChannel(tls),
    options: tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName },
    metadata: metadataOf(token),
  };
}

function metadataOf(token: Settings['token']): Security['metadata'] {
  const bearing = (text: string): Metadata => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${text}`);
    return metadata;
  };
  if (typeof token === 'function') {
    return async () => {
      try {
        return bearing(checkToken(await token()));
      } catch (cause) {
        throw new NorimakiError(
          'store.refused',
          'credentials.token gave no token, so nothing was sent.',
          { store: 'norikv' },
          { cause },
        );
      }
    };
  }
  const metadata = token === undefined ? new Metadata() : bearing(token);
  return () => metadata;
}

function secureChannel({ ca, cert, key }: NorikvTls): ChannelCredentials {
  const bytes = (pem: string | Uint8Array | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));
  try {
    return credentials.createSsl(bytes(ca), bytes(key), bytes(cert));
  } catch (cause) {
    // Not as a cause: what OpenSSL says may quote the key.
    const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new NorimakiError('argument.invalid', `tls holds no certificates or keys in PEM${reason}.`, {
      argument: 'tls',
    });
  }
}
