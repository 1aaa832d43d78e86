import { fork } from 'node:child_process';
import { once } from 'node:events';
import { progressBar } from '../films/progress.ts';
import type { Imported } from './import.ts';

export interface Import {
  readonly passedOver: number;
  /** Ids that it was told are stored. */
  readonly acknowledged: readonly string[];
  readonly isKilled: boolean;
}

/** Imports in a process of its own; kills it without a warning once so many entries are acknowledged. */
export async function runImport(path: string, total: number, killAfter = Number.POSITIVE_INFINITY): Promise<Import> {
  const child = fork(new URL('./import.ts', import.meta.url), [path, String(total)]);
  const acknowledged: string[] = [];
  let passedOver = 0;
  const bar = progressBar('entries', total);
  child.on('message', (report: Imported) => {
    passedOver += report.passedOver;
    acknowledged.push(...report.stored);
    bar.update(passedOver + acknowledged.length);
    if (acknowledged.length >= killAfter) child.kill('SIGKILL');
  });
  // 'disconnect' comes after the last message, 'exit' may come before it.
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  bar.stop();
  const isKilled = child.signalCode === 'SIGKILL';
  if (!isKilled && child.exitCode !== 0) throw new Error(`The import ended with exit code ${child.exitCode}.`);
  return { passedOver, acknowledged, isKilled };
}
