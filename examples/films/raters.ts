import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Report, Task } from './rate.ts';

export interface Outcome {
  readonly name: string;
  /** Ids of the ratings that it was told are stored. */
  readonly acknowledged: ReadonlySet<string>;
  /** Calls to the store, if it lived to say so. */
  readonly storeCalls: number | undefined;
  readonly exit: string;
}

/** A process that is ready to begin. */
export interface Rater {
  readonly name: string;
  readonly child: ChildProcess;
}

/** Starts processes and waits until all of them are ready. */
export async function startRaters(count: number): Promise<Rater[]> {
  const raters = Array.from({ length: count }, (_, i): Rater => {
    return { name: `p${i + 1}`, child: fork(new URL('./rate.ts', import.meta.url)) };
  });
  await Promise.all(raters.map(readiness));
  return raters;
}

export interface RaceOptions {
  readonly task: Omit<Task, 'name'>;
  /** Which of them to kill, and after how many ratings. */
  readonly kill: { readonly name: string; readonly after: number };
  readonly onRated: (rated: number) => void;
}

/** Lets the processes rate at once, kills one on the way, and waits for all. */
export function race(raters: readonly Rater[], { task, kill, onRated }: RaceOptions): Promise<Outcome[]> {
  let rated = 0;
  return Promise.all(
    raters.map(({ name, child }) =>
      follow(name, child, { ...task, name }, (own) => {
        onRated(++rated);
        if (name === kill.name && own === kill.after) child.kill('SIGKILL');
      }),
    ),
  );
}

async function readiness({ name, child }: Rater): Promise<void> {
  const exited = once(child, 'exit').then(() => {
    throw new Error(`${name} ended before it began to rate.`);
  });
  await Promise.race([once(child, 'message'), exited]);
  // From here on its end is no surprise.
  exited.catch(() => {});
}

async function follow(name: string, child: ChildProcess, task: Task, onRated: (own: number) => void): Promise<Outcome> {
  const acknowledged = new Set<string>();
  let storeCalls: number | undefined;
  child.on('message', (report: Report) => {
    if (report.kind === 'done') storeCalls = report.storeCalls;
    if (report.kind !== 'rated') return;
    acknowledged.add(report.rating);
    onRated(acknowledged.size);
  });
  child.send(task);
  // 'disconnect' comes after the last message, 'exit' may come before it.
  await Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  return { name, acknowledged, storeCalls, exit: child.signalCode ?? String(child.exitCode) };
}
