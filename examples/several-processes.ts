// Three processes count in one folder at once. No server, no lock of yours: each mutate is a compare-and-swap.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Default, Entity, Field, Id, open } from 'norimaki';
import { embedded } from 'norimaki/stores/embedded';
import { z } from 'zod';

@Entity('counter')
class Counter {
  @Id() name!: Id<string>;
  @Field(z.int()) value: Default<number> = 0;
}

async function count(path: string, times: number): Promise<void> {
  await using db = await open(embedded({ path }));
  const counters = db.repo(Counter);
  for (let i = 0; i < times; i++) {
    // With ifAbsent nobody has to create the counter first.
    await counters.mutate('visits', (counter) => counter.value++, { ifAbsent: {} });
  }
}

const [pathOfParent] = process.argv.slice(2);
if (pathOfParent !== undefined) {
  await count(pathOfParent, 100);
} else {
  const path = await mkdtemp(join(tmpdir(), 'norimaki-'));
  try {
    const children = [1, 2, 3].map(() => fork(import.meta.filename, [path]));
    await Promise.all(children.map((child) => once(child, 'exit')));
    await using db = await open(embedded({ path }));
    const { value } = await db.repo(Counter).getOrThrow('visits');
    console.log(`3 processes, 100 times each: ${value}`);
  } finally {
    await rm(path, { recursive: true });
  }
}
