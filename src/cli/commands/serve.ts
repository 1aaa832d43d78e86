import { Command, Option } from 'commander';
import { serve } from '../../server/index.ts';
import { embedded } from '../../stores/embedded/index.ts';
import { toNumber } from '../options.ts';
import { readOption, readTokens, runStandalone } from '../standalone.ts';
import { UsageError } from '../usage-error.ts';

interface ServeCommandOptions {
  readonly path: string;
  readonly host?: string;
  readonly port?: number;
  readonly advertise?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly tokenFile?: string;
  readonly insecure?: boolean;
  readonly mode?: 'strict' | 'faithful';
  readonly verbose?: boolean;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve a folder of the embedded store to clients of NoriKV.')
    .requiredOption('--path <folder>', 'the folder; it is created if it does not exist')
    .option('--host <host>', 'default: 127.0.0.1')
    .option('--port <port>', 'default: 7447; 0 for any that is free', toNumber)
    .option('--advertise <address>', 'host:port as clients are told (default: where it listens)')
    .option('--tls-cert <file>', 'the certificate of this server, in PEM')
    .option('--tls-key <file>', 'its key')
    .option('--tls-ca <file>', 'who signs clients: each must then show a certificate')
    .option('--token-file <file>', 'the tokens that are good, one a line: each call must then bring one')
    .option('--insecure', 'plaintext on a host that is not this machine')
    .addOption(new Option('--mode <mode>', 'default: strict').choices(['strict', 'faithful']))
    .option('--verbose', 'print whole errors, with stacks')
    .addHelpText('after', '\nServes until Ctrl-C, or SIGTERM: then it answers what runs, and exits with 0.')
    .action(async (options: ServeCommandOptions) => {
      process.exitCode = await runStandalone(options.verbose === true, ({ signal }) => run(options, signal));
    });
}

async function run(options: ServeCommandOptions, signal: AbortSignal): Promise<number> {
  const { path, host, port, advertise, insecure, mode, tokenFile } = options;
  const auth = tokenFile === undefined ? undefined : { tokens: readTokens(tokenFile) };
  const tls = tlsOf(options);
  await using server = await serve(embedded({ path }), { host, port, advertise, insecure, mode, auth, tls });
  process.stdout.write(`Listening on ${server.address}\n`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return 0;
}

function tlsOf({ tlsCert, tlsKey, tlsCa }: ServeCommandOptions) {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError('TLS takes a certificate and its key: --tls-cert and --tls-key.');
  }
  return {
    cert: readOption('--tls-cert', tlsCert),
    key: readOption('--tls-key', tlsKey),
    ca: tlsCa === undefined ? undefined : readOption('--tls-ca', tlsCa),
  };
}
