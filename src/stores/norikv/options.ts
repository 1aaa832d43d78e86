import type { Clock } from '../../core/clock.ts';
import type { Duration } from '../../core/duration.ts';
import type { Capabilities, CommitStore, ScanStore, Store, VectorStore, WatchStore } from '../../core/store.ts';

/** Certificates as PEM. `{}` is TLS with the authorities that Node trusts. */
export interface NorikvTls {
  /** The authorities that may have signed the server's certificate; default: those that Node trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** This client's certificate, for servers that demand one; with `key`. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** The name that the server's certificate must be for; default: the host that is dialled. */
  readonly serverName?: string | undefined;
}

export interface NorikvOptions {
  /**
   * Where the servers listen: `['host:port', …]`, or `{ nodeId: 'host:port', … }`, which a cluster needs whose nodes
   * publish addresses that cannot be dialled. No other address is ever dialled.
   */
  readonly nodes: readonly string[] | Readonly<Record<string, string>>;
  /** TLS, also to this machine. Without it, TLS with Node's authorities unless every host is this machine. */
  readonly tls?: NorikvTls | undefined;
  /** Plaintext to other machines: whoever is in between reads and changes everything. */
  readonly insecure?: boolean | undefined;
  /** A bearer token, or what gives one for each call. Only over TLS, or to this machine. */
  readonly credentials?: { readonly token: string | (() => string | Promise<string>) } | undefined;
  /** Over how many shards a plain NoriKV server spreads keys; default 1,024. norimaki's own server tells. */
  readonly shards?: number | undefined;
  /** The deadline of every call, and of opening; default `'10s'`. */
  readonly timeout?: Duration | undefined;
  /** `'required'`: refuses to open a server without scan, commit, vectors and watch. Default `'auto'`: takes what there is. */
  readonly extension?: 'auto' | 'required' | undefined;
  /** `false`: every call is a message of its own, to norimaki's server too. */
  readonly batching?: boolean | undefined;
  /** What to do with values over 96 KiB, which can make a shard of a plain NoriKV server unreadable; default `'warn'`. */
  readonly largeValues?: 'warn' | 'refuse' | undefined;
  /** Hears warnings; default `process.emitWarning`. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Gives up opening. */
  readonly signal?: AbortSignal | undefined;
  /** Measures deadlines and waits, which are of the network's time; default: the machine's clock. */
  readonly clock?: Clock | undefined;
}

/** What {@link norikv} opens; its capabilities are those of the server that was found. */
export type NorikvStore = Store;

/** What {@link norikv} opens with `extension: 'required'`. */
export interface NorikvFullStore extends ScanStore, CommitStore, VectorStore, WatchStore {
  readonly capabilities: Capabilities & {
    readonly cas: 'atomic';
    readonly scan: true;
    readonly commit: true;
    readonly vectors: true;
    readonly watch: true;
  };
}
