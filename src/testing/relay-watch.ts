import type { Change, Watch, WatchOptions } from '../core/store.ts';
import { ChangeQueue } from '../core/watch/index.ts';

/** What becomes of the changes of one step; by default all are told. What it throws ends the watch. */
export type PassOn = (changes: readonly Change[], queue: ChangeQueue) => void | Promise<void>;

/** A watch that tells what another one does, and ends with it. */
export function relayWatch(
  inner: Watch,
  options: WatchOptions = {},
  passOn: PassOn = passAll,
  onEnd: () => void = () => {},
): ChangeQueue {
  let isOver = false;
  const queue = new ChangeQueue(options, () => {
    isOver = true;
    onEnd();
    void inner.return();
  });
  void relay(inner, queue, passOn).then(
    // Returning takes back an error that is still to be told.
    () => (isOver ? undefined : queue.return()),
    (error) => queue.fail(error),
  );
  return queue;
}

function passAll(changes: readonly Change[], queue: ChangeQueue): void {
  for (const change of changes) queue.add(change);
}

async function relay(inner: Watch, queue: ChangeQueue, passOn: PassOn): Promise<void> {
  for await (const changes of inner) await passOn(changes, queue);
}
