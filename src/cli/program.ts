import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { doctorCommand } from './commands/doctor.ts';
import { inspectCommand } from './commands/inspect.ts';
import { reindexCommand } from './commands/reindex.ts';
import { serveCommand } from './commands/serve.ts';
import { BAD_USAGE } from './explain.ts';

/** The whole command; others join by a line here. */
function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return new Command('norimaki')
    .description('Look after the data of entities, and serve it.')
    .version(version)
    .addCommand(doctorCommand())
    .addCommand(reindexCommand())
    .addCommand(serveCommand())
    .addCommand(inspectCommand());
}

/** Runs it with the words behind its name. Sets `process.exitCode`. */
export async function run(words: readonly string[]): Promise<void> {
  const whole = program();
  for (const command of [whole, ...whole.commands]) {
    const name = command === whole ? 'norimaki' : `norimaki ${command.name()}`;
    command.allowExcessArguments(false).showHelpAfterError(`${name} --help tells more.`).exitOverride();
  }
  try {
    await whole.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It has printed what there is to say. Help that was asked for is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : BAD_USAGE;
  }
}
