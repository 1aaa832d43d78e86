// Saying no in time: an API with two limits at once, a request that is retried, a login that costs only when it fails, a
// crawler that waits its turn, and a renderer that never has more than two jobs.
import { open } from 'norimaki';
import { ConcurrencyLimiter, fixedWindow, gcra, RateLimiter, slidingWindow } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';

await using db = await open(memory());

const api = new RateLimiter(db, {
  name: 'api',
  limits: [
    gcra({ rate: 100, per: '1h', burst: 20, name: 'burst' }),
    slidingWindow({ limit: 500, per: '1d', name: 'daily' }),
  ],
});

// 30 requests at once: decided in the order in which they came, by one write.
const decisions = await Promise.all(Array.from({ length: 30 }, () => api.consume('mia')));
const allowed = decisions.filter((decision) => decision.allowed);
console.log(`let through: ${allowed.length} of ${decisions.length}, in ${api.stats().rounds} round`);

// Why, until when, and the headers that tell the client so.
const last = decisions.at(-1);
if (last !== undefined && !last.allowed) {
  console.log(`refused by: ${last.by}, for about ${Math.ceil(last.retryAfter / 1000)} s`);
  console.log(`Retry-After: ${last.headers().get('Retry-After')}`);
  console.log(`RateLimit-Policy: ${last.headers().get('RateLimit-Policy')}`);
}

// A refusal charged no limit.
const { limits } = await api.peek('mia');
console.log(`left of the day: ${limits[1]?.remaining}`);

// A client asks again when an answer is lost: its request is charged once.
await api.consume('tom', { cost: 5, idempotencyKey: 'request 17' });
const again = await api.consume('tom', { cost: 5, idempotencyKey: 'request 17' });
console.log(`asked twice: ${again.allowed && again.replayed}, left: ${again.remaining}`);

// Only failed logins count.
const logins = new RateLimiter(db, { name: 'logins', limits: [fixedWindow({ limit: 3, per: '1d' })] });
for (const password of ['wrong', 'right', 'wrong', 'right', 'wrong', 'right']) {
  const decision = await logins.consume('mia');
  if (!decision.allowed) break;
  if (password === 'right') await logins.refund('mia');
  else console.log(`wrong password, ${decision.remaining} more`);
}
await logins.block('mia', '15m');
console.log(`blocked: ${!(await logins.peek('mia')).allowed}`);
await logins.reset('mia');

// A crawler waits until it may.
const pages = new RateLimiter(db, { name: 'pages', limits: [gcra({ rate: 100, per: '1s', burst: 1 })] });
const started = performance.now();
await Promise.all(['a', 'b', 'c', 'd'].map((page) => pages.wait('example.org').then(() => page)));
console.log(`4 pages, 10 ms apart: ${performance.now() - started >= 25}`);

// Two at work at once, however many ask.
const renders = new ConcurrencyLimiter(db, { name: 'render', max: 2 });
let working = 0;
let most = 0;
await Promise.all(
  Array.from({ length: 10 }, () =>
    renders.run('gpu', async () => {
      most = Math.max(most, ++working);
      await new Promise((done) => setTimeout(done, 2));
      working--;
    }),
  ),
);
console.log(`10 renders, at most ${most} at once`);
