import { Command } from 'commander';
import type { KeyPart } from '../../core/keys/index.ts';
import type { ScanStore, Store } from '../../core/store.ts';
import { systemEnvironment } from '../../core/system.ts';
import { FINDINGS } from '../explain.ts';
import { type StoreOptions, storeOf } from '../open-store.ts';
import { toNumber } from '../options.ts';
import { printId, toJson } from '../print.ts';
import { idCandidates, keyspaceOf, namesBehind, rawRecord, requireScan, type Where } from '../raw-records.ts';
import { runStandalone } from '../standalone.ts';
import { UsageError } from '../usage-error.ts';

interface InspectOptions extends StoreOptions {
  readonly root: string;
  readonly tenant?: string;
  readonly generation: number;
  readonly limit: number;
  readonly verbose?: boolean;
}

const MAX_LIMIT = 1000;

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Print a record as it is stored, or the first records of an entity, without its class.')
    .argument('<entity>', 'its name')
    .argument('[id...]', 'the id, or its parts in order (default: the first records)')
    .requiredOption('--store <store>', 'norikv://host:port or embedded:path')
    .option('--limit <count>', 'how many records, where no id is given', toNumber, 10)
    .option('--tenant <name>', 'what belongs to this tenant (default: what belongs to none)')
    .option('--generation <number>', 'of a managed tenant: which one', toNumber, 0)
    .option('--root <name>', 'as for open', 'norimaki')
    .option('--insecure', 'plaintext to a host that is not this machine')
    .option('--tls-ca <file>', 'who signed the certificate of the server, in PEM')
    .option('--tls-cert <file>', 'the certificate to show the server')
    .option('--tls-key <file>', 'its key')
    .option('--token-file <file>', 'the token to bring')
    .option('--verbose', 'print whole errors, with stacks')
    .addHelpText('after', '\nExits with 1 where nothing is found.')
    .action(async (entity: string, id: string[], options: InspectOptions) => {
      process.exitCode = await runStandalone(options.verbose === true, ({ signal }) =>
        inspect(entity, id, options, signal),
      );
    });
}

async function inspect(entity: string, id: string[], options: InspectOptions, signal: AbortSignal): Promise<number> {
  const { root, tenant, limit, generation } = options;
  if (!Number.isSafeInteger(generation) || generation < 0)
    throw new UsageError('--generation is a whole number from 0.');
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new UsageError(`--limit is a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const place = { root, tenant, generation, entity };
  const store = await storeOf(options, signal).openStore(systemEnvironment);
  try {
    return id.length > 0
      ? await printOne(store, place, id, signal)
      : await printFirst(requireScan(store), place, limit, signal);
  } finally {
    await store.close();
  }
}

async function printOne(store: Store, place: Where, words: string[], signal: AbortSignal): Promise<number> {
  const keyspace = keyspaceOf(place);
  for (const id of idCandidates(words)) {
    const stored = await store.get(keyspace.record(id), { signal });
    if (stored === undefined) continue;
    process.stdout.write(`${JSON.stringify(JSON.parse(toJson(rawRecord(place.entity, id, stored))), undefined, 2)}\n`);
    return 0;
  }
  const tried = idCandidates(words).map(printId).join(', or ');
  process.stderr.write(`There is no ${place.entity} with the id ${tried}.\n`);
  if (store.capabilities.scan) await hint(requireScan(store), place, signal);
  return FINDINGS;
}

async function printFirst(store: ScanStore, place: Where, limit: number, signal: AbortSignal): Promise<number> {
  const keyspace = keyspaceOf(place);
  let left = limit;
  let range: ReturnType<typeof keyspace.allRecords> | undefined = keyspace.allRecords();
  while (range !== undefined && left > 0) {
    const { entries, rest } = await store.scan(range, { limit: left, signal });
    for (const entry of entries) {
      process.stdout.write(`${toJson(rawRecord(place.entity, keyspace.recordId(entry.key), entry))}\n`);
    }
    left -= entries.length;
    range = rest;
  }
  if (range !== undefined) process.stderr.write(`There are more: --limit shows up to ${MAX_LIMIT}.\n`);
  if (left < limit) return 0;
  process.stderr.write(`There is no record of ${place.entity}.\n`);
  await hint(store, place, signal);
  return FINDINGS;
}

/** What there is instead. */
async function hint(store: ScanStore, { root, tenant, generation, entity }: Where, signal: AbortSignal): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const list = (names: readonly KeyPart[]): string => printId(names.filter((name) => name !== null));
  const entities = await namesBehind(store, [root, tenant ?? null, BigInt(generation)], signal);
  if (entities.includes(entity)) {
    say('The entity is there: leave the id out to see its first records.');
    return;
  }
  if (entities.length > 0) {
    say(`The store has ${list(entities)}${tenant === undefined ? '' : ' of this tenant'}.`);
  }
  const others = (await namesBehind(store, [root, tenant ?? null], signal)).filter((at) => at !== BigInt(generation));
  if (others.length > 0) say(`There are other generations: ${others.join(', ')}. Name one with --generation.`);
  const tenants = (await namesBehind(store, [root], signal)).filter((name) => name !== null && name !== tenant);
  if (tenants.length > 0) say(`It has tenants: ${list(tenants)}. Name one with --tenant.`);
  if (entities.length > 0 || others.length > 0 || tenants.length > 0) return;
  const roots = (await namesBehind(store, [], signal)).filter((name) => name !== root);
  if (roots.length > 0) say(`Under the root ${root} it has nothing; it has ${list(roots)}: name one with --root.`);
  else say('It is empty.');
}
