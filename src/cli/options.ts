import { type Command, InvalidArgumentError } from 'commander';

/** What every command takes. */
export interface CommonOptions {
  readonly config?: string;
  readonly tenant?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the config module (default: norimaki.config.mjs, .js or .ts in this folder)')
    .option('--tenant <name>', 'what belongs to this tenant (default: what belongs to none)')
    .option('--json', 'print the result as JSON')
    .option('--verbose', 'print whole errors, with stacks');
}

export function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('It is no number.');
  return number;
}
