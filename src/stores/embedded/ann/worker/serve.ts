import type { MessagePort } from 'node:worker_threads';
import { Failure } from '../failure.ts';
import type { Answer, CallName, Calls, Message, Request, WorkerData } from '../protocol.ts';
import { Space } from './space.ts';
import { Turns } from './turns.ts';
import { usearchLoader } from './usearch.ts';

/** Answers the calls that arrive at the port, until it is told to end. */
export function serve(port: MessagePort, { usearch, gate }: WorkerData, exit: () => void): void {
  const spaces = new Map<number, Space>();
  const turns = new Turns();
  const loadUsearch = usearchLoader(usearch, gate);
  /** Searches without an answer so far that somebody waits for. */
  const awaited = new Set<number>();

  async function answer(request: Request): Promise<Calls[CallName]['answer']> {
    if (request.name === 'open') {
      spaces.set(request.space, new Space(request.ask.options, loadUsearch, turns));
      return undefined;
    }
    const space = spaces.get(request.space);
    if (space === undefined) throw new Failure('closed', 'The space is closed.');
    const { id, name, ask } = request;
    switch (name) {
      case 'add':
        await space.add(ask.labels, ask.vectors);
        return undefined;
      case 'remove':
        await space.remove(ask.labels);
        return undefined;
      case 'search':
        awaited.add(id);
        return space.search(ask.query, ask.k, ask.spare, () => awaited.has(id)).finally(() => awaited.delete(id));
      case 'stats':
        return space.stats();
      case 'save':
        return space.save(ask.path);
      case 'load':
        return space.load(ask.path, ask.expected);
      case 'close':
        spaces.delete(request.space);
        space.close();
        return undefined;
    }
  }

  port.on('message', (message: Message) => {
    // Here, between two calls, the thread is not inside of usearch.
    if ('end' in message) return exit();
    if ('cancel' in message) {
      awaited.delete(message.cancel);
      return;
    }
    const { id } = message;
    answer(message).then(
      // What a search found goes over without a copy: its memory is its own, and not shared.
      (value) =>
        port.postMessage(
          { id, value } satisfies Answer,
          value instanceof Float64Array ? [value.buffer as ArrayBuffer] : [],
        ),
      (error: Error & { kind?: Failure['kind']; code?: string }) => {
        const { kind = 'failed', message: text, code } = error;
        port.postMessage({ id, failure: { kind, message: text, code } } satisfies Answer);
      },
    );
  });
}
