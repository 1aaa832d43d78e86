// Many records at once: a bounded number under way, progress, a result for each, and a way to stop.
import { Entity, Field, Id, open } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('reading')
class Reading {
  @Id() sensor!: Id<string>;
  @Id() minute!: Id<number>;
  @Field(z.number().min(-50).max(60)) celsius!: number;
}

await using db = await open(memory());
const readings = db.repo(Reading);

const day = Array.from({ length: 1440 }, (_, minute) => ({
  sensor: 'roof',
  minute,
  celsius: minute % 500 === 499 ? 999 : 20 + 5 * Math.sin(minute / 200), // the sensor hiccups now and then
}));

const results = await readings.createMany(day, {
  concurrency: 32,
  onProgress: ({ done, failed, total }) => {
    if (done % 360 === 0) console.log(`${done} of ${total}, ${failed} refused`);
  },
});
for (const [i, result] of results.entries()) {
  if (!result.ok) console.log(`minute ${day[i]?.minute}: ${result.error.code}`);
}

// Again, and stopped on the way: what was not begun fails with `aborted`. put writes over what is there.
const stop = new AbortController();
const again = await readings.putMany(day, {
  concurrency: 8,
  signal: stop.signal,
  onProgress: ({ done }) => done === 100 && stop.abort(),
});
const aborted = again.filter((result) => !result.ok && result.error.code === 'aborted');
console.log(`stopped: ${aborted.length} left out, ${await readings.count()} stored in all`);

const { items } = await readings.list({ limit: 2, reverse: true });
console.log(`the last two: ${items.map(({ minute, celsius }) => `${minute}: ${celsius.toFixed(1)}`).join(', ')}`);
