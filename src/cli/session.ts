import type { EntitySource } from '../core/model/types.ts';
import type { CommitStore, ScanStore, StoreSource, VectorStore } from '../core/store.ts';
import { modelOf } from '../decorators/index.ts';
// By itself: to load all blocks takes a third of the time that a command needs to start.
import { Tenants } from '../patterns/tenants/tenants.ts';
import { type Database, open } from '../repositories/index.ts';
import type { Config } from './config.ts';
import { explain } from './explain.ts';
import { listenForInterruption } from './interruption.ts';
import { loadConfig } from './load-config.ts';
import type { CommonOptions } from './options.ts';
import { toJson } from './print.ts';
import { type Progress, progressOn } from './progress.ts';
import { UsageError } from './usage-error.ts';

/** What a command works with. */
export interface Session {
  readonly config: Config;
  readonly db: Database<ScanStore & CommitStore & VectorStore>;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Those of the config that have records here: without `--tenant` none that belong to tenants. */
  readonly entities: readonly EntitySource[];
  /** One of them. Errors: `UsageError`. */
  entity(name: string): EntitySource;
  /** To stdout: the result itself with `--json`, else these words. */
  print(result: unknown, text: string): void;
}

export interface Work {
  /** What to tell whoever has stopped it. */
  readonly whenStopped: string;
  /** Resolves to the exit code. */
  run(session: Session): Promise<number>;
}

/** Opens what the config says and runs a command's work; resolves to the exit code, whatever happens. */
export async function runSession(options: CommonOptions, { whenStopped, run }: Work): Promise<number> {
  const progress = progressOn(process.stderr);
  using interruption = listenForInterruption(() => progress.stop());
  try {
    const config = await loadConfig(options.config);
    // What a store cannot do, the call that needs it says.
    const store = config.store as StoreSource<ScanStore & CommitStore & VectorStore>;
    const { root, embedder, embedders } = config;
    // The work of other processes' outboxes is none of a command's business.
    await using whole = await open(store, { root, embedder, embedders, outbox: false });
    await using tenants = config.tenants && new Tenants(whole, config.tenants);
    const { tenant } = options;
    const db =
      tenant === undefined ? whole : tenants === undefined ? whole.forTenant(tenant) : await tenants.db(tenant);
    return await run({
      config,
      db,
      entities: config.entities.filter((source) => tenant !== undefined || !modelOf(source).tenantScoped),
      signal: interruption.signal,
      progress,
      entity: (name) => entityOf(config, name, tenant),
      print: (result, text) => process.stdout.write(`${options.json ? toJson(result) : text}\n`),
    });
  } catch (error) {
    progress.stop();
    const { exitCode } = interruption;
    if (exitCode !== undefined) {
      process.stderr.write(`${whenStopped}\n`);
      return exitCode;
    }
    const { text, exitCode: code } = explain(error, options.verbose === true);
    process.stderr.write(`${text}\n`);
    return code;
  }
}

function entityOf({ entities }: Config, name: string, tenant: string | undefined): EntitySource {
  const found = entities.find((source) => modelOf(source).name === name);
  if (found !== undefined) {
    if (tenant !== undefined || !modelOf(found).tenantScoped) return found;
    throw new UsageError(`The records of ${name} belong to tenants: name one with --tenant.`);
  }
  const names = entities.map((source) => modelOf(source).name).join(', ');
  throw new UsageError(`There is no entity ${name} in the config; it has ${names}.`);
}
