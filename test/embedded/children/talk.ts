import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Tells the parent; when this returns, the message is in the pipe and outlives this process. */
export function tell(message: object): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let written = 0; written < line.length; ) {
    try {
      written += writeSync(1, line, written);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EAGAIN') throw error;
    }
  }
}

let lines: AsyncIterator<string> | undefined;

/** The parent's next word. Who never asks is not kept alive by waiting for one. */
export async function hear(): Promise<string> {
  lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  return String(value);
}
