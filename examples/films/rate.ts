// One of the processes that rate films at once; demo.ts starts it. It tells its parent of every rating, but only after
// `mutate` has resolved: what the parent heard of must never be lost.
import { type IdOf, open, storeCalls } from 'norimaki';
import { embedded } from 'norimaki/stores/embedded';
import { Film } from './film.ts';

/** What the parent asks for. */
export interface Task {
  readonly path: string;
  readonly films: readonly { readonly id: IdOf<Film>; readonly critics: number }[];
  readonly name: string;
  /** Ratings to give. */
  readonly count: number;
  /** Calls under way at once. */
  readonly lanes: number;
}

export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rated'; readonly rating: string }
  | { readonly kind: 'done'; readonly storeCalls: number };

const report = (message: Report): void => {
  process.send?.(message);
};

async function rate({ path, films: list, name, count, lanes }: Task): Promise<void> {
  await using db = await open(embedded({ path }));
  const films = db.repo(Film);
  let calls = 0;
  storeCalls.start.subscribe(() => {
    calls++;
  });

  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const rating = `${name}-${next++}`;
      const film = list[Math.floor(list.length * Math.random())];
      if (film === undefined) return;
      const points = Math.max(1, Math.min(10, Math.round(film.critics / 10 + 3 * Math.random() - 1.5)));
      await films.mutate(film.id, ({ ratings }) => {
        ratings.push({ id: rating, points });
      });
      report({ kind: 'rated', rating });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  report({ kind: 'done', storeCalls: calls });
}

process.once('message', async (task: Task) => {
  await rate(task);
  process.disconnect();
});
report({ kind: 'ready' });
