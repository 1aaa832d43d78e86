#!/usr/bin/env node
import { run } from './program.ts';

await run(process.argv.slice(2));
// All is closed; but a config may have left something that waits, such as a call of an embedder that was given up.
const written = (stream: NodeJS.WriteStream): Promise<void> => new Promise((done) => stream.write('', () => done()));
await Promise.all([written(process.stdout), written(process.stderr)]);
process.exit();
