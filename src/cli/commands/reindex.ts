import { Command, Option } from 'commander';
import type { Embedder } from '../../core/embedder.ts';
import type { Metric, VectorIndexType } from '../../core/vectors/index.ts';
import type { ReindexOptions, ReindexProgress, ReindexResult } from '../../repositories/index.ts';
import type { Config } from '../config.ts';
import { type CommonOptions, toNumber, withCommonOptions } from '../options.ts';
import { columns, count, plural, printId } from '../print.ts';
import { runSession, type Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

interface ReindexCommandOptions extends CommonOptions {
  readonly field?: string;
  readonly embedder?: string;
  readonly metric?: Metric;
  readonly index?: VectorIndexType;
  readonly recall?: number | false;
  readonly sample?: number;
  readonly maxFailed?: number;
  readonly concurrency?: number;
  readonly finish?: boolean;
  readonly rollback?: boolean;
}

/** What only a move takes. */
const OF_A_MOVE = ['embedder', 'metric', 'index', 'recall', 'sample', 'maxFailed', 'concurrency'];
const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'innerProduct'];
const INDEXES: readonly VectorIndexType[] = ['hnsw', 'exact'];

export function reindexCommand(): Command {
  const command = new Command('reindex')
    .description('Move the vectors of an entity to another embedder, metric or index, while programs go on.')
    .argument('<entity>', 'its name in the config')
    .option('--field <name>', 'which embedding, where there are several')
    .option('--embedder <id>', "one of the config's (default: the one that the code names)")
    .addOption(new Option('--metric <metric>', 'default: that of the code').choices(METRICS))
    .addOption(new Option('--index <type>', 'default: that of the code').choices(INDEXES))
    .option('--recall <share>', 'share of the nearest that the new index must find (default: 0.9)', toNumber)
    .option('--no-recall', 'switch without looking')
    .option('--sample <count>', 'searches to compare for that (default: 32)', toNumber)
    .option('--max-failed <count>', 'switch though so many records cannot be embedded (default: 0)', toNumber)
    .option('--concurrency <count>', 'records under way at once (default: 256)', toNumber)
    .addOption(
      new Option('--finish', 'drop the vectors from before the last move').conflicts([...OF_A_MOVE, 'rollback']),
    )
    .addOption(new Option('--rollback', 'search the vectors from before again').conflicts(OF_A_MOVE));
  return withCommonOptions(command).action(async (entity: string, options: ReindexCommandOptions) => {
    process.exitCode = await runSession(options, {
      whenStopped: 'Stopped. Searches are answered as before; call it again, and it goes on where it was.',
      run: (session) => work(session, entity, options),
    });
  });
}

async function work(session: Session, name: string, options: ReindexCommandOptions): Promise<number> {
  const { db, signal, progress, print } = session;
  const repo = db.repo(session.entity(name));
  const onProgress = (so: ReindexProgress): void => show(session, so);
  const step = { field: options.field, signal, onProgress };
  if (options.finish) {
    const finished = await repo.finishReindex(step);
    progress.stop();
    print({ finished }, finished ? 'The vectors from before are dropped.' : 'There was nothing to drop.');
  } else if (options.rollback) {
    const rolledBack = await repo.rollbackReindex(step);
    progress.stop();
    print({ rolledBack }, rolledBack ? 'Rolled back to the vectors from before.' : 'There was nothing to roll back.');
  } else {
    const result = await repo.reindex({ ...step, ...moveOf(session.config, options) });
    progress.stop();
    print(result, describe(name, result));
  }
  return 0;
}

function moveOf(config: Config, options: ReindexCommandOptions): ReindexOptions {
  const { metric, index, recall, sample, maxFailed, concurrency } = options;
  return {
    embedder: options.embedder === undefined ? undefined : embedderOf(config, options.embedder),
    metric,
    index,
    recall: recall === false ? false : { atLeast: recall, sample },
    maxFailed,
    concurrency,
  };
}

function embedderOf({ embedder, embedders = [] }: Config, id: string): Embedder {
  const known = embedder === undefined ? embedders : [embedder, ...embedders];
  const found = known.find((one) => one.id === id);
  if (found !== undefined) return found;
  const ids = known.map((one) => one.id).join(', ') || 'none';
  throw new UsageError(`There is no embedder ${id} in the config; it has ${ids}.`);
}

function show({ progress }: Session, { phase, done, total, embedded, failed }: ReindexProgress): void {
  const note = `${count(embedded)} embedded${failed > 0 ? `, ${count(failed)} failed` : ''}`;
  progress.show(phase, done, total, note);
}

function describe(entity: string, result: ReindexResult): string {
  const { field, embedder, previous, records, embedded, failures, failed, recall } = result;
  const lines = [
    `${entity}.${field} is searched by ${embedder}: ${plural(records, 'record')}, ${count(embedded)} embedded now.`,
  ];
  if (recall !== undefined) lines.push(`The new index finds ${(recall * 100).toFixed(1)} % of the nearest.`);
  if (failed > 0) {
    lines.push(
      `${plural(failed, 'record')} cannot be embedded:`,
      columns(failures.map(({ id, code }) => [printId(id), code])),
    );
    if (failed > failures.length) lines.push(`  and ${count(failed - failures.length)} more.`);
  }
  if (previous !== undefined) {
    lines.push(`The vectors of ${previous} are kept: drop them with --finish, or go back to them with --rollback.`);
  }
  return lines.join('\n');
}
