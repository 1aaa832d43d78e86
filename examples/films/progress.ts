import { SingleBar } from 'cli-progress';

export interface ProgressBar {
  update(done: number): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a line for each quarter. */
export function progressBar(what: string, total: number): ProgressBar {
  if (!process.stdout.isTTY) return plainLines(what, total);
  const bar = new SingleBar({
    barCompleteChar: '█',
    barIncompleteChar: '░',
    format: `  {bar} {percentage}%  {value} of {total} ${what}`,
    hideCursor: true,
    barsize: 30,
  });
  bar.start(total, 0);
  return { update: (done) => bar.update(done), stop: () => bar.stop() };
}

function plainLines(what: string, total: number): ProgressBar {
  let quarters = 0;
  return {
    update(done) {
      const reached = Math.floor((done * 4) / total);
      if (reached <= quarters) return;
      quarters = reached;
      console.log(`  ${String(reached * 25).padStart(3)}%  ${done} of ${total} ${what}`);
    },
    stop: () => {},
  };
}
