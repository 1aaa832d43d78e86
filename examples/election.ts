// Three candidates want one job. The next leader goes on where the last one was, and what the last one still had under way is
// refused. Each would be a process of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { defineEntity, NorimakiError, open } from 'norimaki';
import { Election, ElectionGroup, resource, Semaphore } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

const Report = defineEntity('report', z.object({ id: z.string(), pages: z.array(z.string()).default([]) }), {
  id: 'id',
});

await using db = await open(memory());
const reports = db.repo(Report);

// Shorter than usual, which is '15s'; an example has less to wait for.
const times = { ttl: '5s', renewEvery: '1s', pollEvery: '50ms' } as const;
const elect = (name: string, candidate: string) =>
  new Election(db, { name, candidate, meta: { host: `${candidate}.example.org` }, ...times });
const [ada, ben, cleo] = [elect('reporter', 'ada'), elect('reporter', 'ben'), elect('reporter', 'cleo')];

// Ada leads first.
const first = await ada.acquire();
await first.seal(reports, 'today', { ifAbsent: {} });
await reports.mutate('today', (report) => report.pages.push('ada'), { fence: first.token });
console.log(`leader: ${(await ben.leader())?.candidate}, token ${first.token}`);
await first.release();

// Whoever comes next has a higher token, and seals the report before it does anything.
const shutdown = new AbortController();
const led = ben.lead(
  async ({ token, signal }) => {
    await reports.mutate('today', (report) => report.pages.push('ben'), { fence: token, signal });
    console.log(`ben leads with token ${token}`);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    console.log('ben ends his work, and only then somebody else leads');
  },
  { signal: shutdown.signal, drain: '1s', seal: [resource(reports, 'today')] },
);
while ((await reports.get('today'))?.pages.at(-1) !== 'ben') await sleep(10);

// What Ada had still under way arrives now.
try {
  await reports.mutate('today', (report) => report.pages.push('ada, too late'), { fence: first.token });
} catch (error) {
  if (NorimakiError.is(error, 'fence.stale')) {
    console.log(`refused: token ${error.details.offered}, the report has seen ${error.details.highest}`);
  }
}

// Handing over to a named candidate, asked for by anybody.
const taking = cleo.lead(
  async ({ token, signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    return `cleo led with token ${token}`;
  },
  { signal: shutdown.signal },
);
console.log(`handed over to cleo: ${await ada.transfer('cleo')}`);
const now = await ada.leader();
console.log(`leader: ${now?.candidate} at ${now?.meta?.host}`);
shutdown.abort();
console.log(await taking);
await led;
console.log(`pages: ${(await reports.get('today'))?.pages.join(', ')}`);

// Many elections with one sign of life for all of them.
await using group = new ElectionGroup(db, { name: 'partitions', candidate: 'ada', ...times });
await Promise.all(Array.from({ length: 100 }, (_, i) => group.election(`partition ${i}`).acquire()));
console.log(`ada leads ${group.leading.length} partitions`);

// At most two at once.
const exports = new Semaphore(db, { name: 'exports', permits: 2, ...times });
const [one, two, three] = [await exports.tryAcquire(), await exports.tryAcquire(), await exports.tryAcquire()];
console.log(`permits: ${[one, two, three].map((permit) => permit !== undefined)}`);
await one?.release();
await two?.release();

// A nightly job, started by all, done by one.
const midnight = new Date('2026-01-01T00:00:00Z');
const nightly = ['ada', 'ben', 'cleo'].map((candidate) => elect('nightly', candidate));
const results = await Promise.all(nightly.map((election) => election.once(midnight, () => 'done')));
console.log(`ran: ${results.filter(({ ran }) => ran).length} of ${results.length}`);
