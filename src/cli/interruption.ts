import { systemClock } from '../core/system.ts';

/** What a shell says of a process that a signal ended: 128 and its number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;
const SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];

/** npx passes Ctrl-C on to a command that has had it from the terminal: within this time two are one. */
const ECHO_MS = 500;

/** Ctrl-C as an abort signal. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** What to exit with; `undefined` while nobody asked to stop. */
  readonly exitCode: number | undefined;
}

/**
 * The first Ctrl-C stops the work at a good place; a second one ends the process, which loses nothing either: what
 * `beforeExit` does is only for the terminal.
 */
export function listenForInterruption(beforeExit: () => void): Interruption {
  const controller = new AbortController();
  let stopped: { readonly at: number; readonly exitCode: number } | undefined;
  const onSignal = (name: StopSignal): void => {
    const now = systemClock.mono();
    if (stopped === undefined) {
      stopped = { at: now, exitCode: EXIT_CODES[name] };
      process.stderr.write('\nStopping. Once more ends it at once.\n');
      controller.abort();
    } else if (now - stopped.at > ECHO_MS) {
      beforeExit();
      process.exit(EXIT_CODES[name]);
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return stopped?.exitCode;
    },
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
