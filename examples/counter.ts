// Counting under load: page views that are exact though requests are retried, tickets that are never oversold, and
// sign-ins of the last hour.
import { open } from 'norimaki';
import { Counter } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';

await using db = await open(memory());

// 200 requests at once. Every fifth comes twice, as a client asks again when an answer is lost: its id is the key.
const views = new Counter(db, { name: 'page-views' });
const requests = Array.from({ length: 200 }, (_, i) => `request ${i}`);
const retried = requests.filter((_, i) => i % 5 === 0);
await Promise.all([...requests, ...retried].map((idempotencyKey) => views.add(1n, { idempotencyKey })));
console.log(`page views: ${await views.value()}, of ${requests.length + retried.length} requests`);

// Adds without a key share writes: as many as wait at the same time.
const before = views.stats().writes;
await Promise.all(Array.from({ length: 1000 }, () => views.add()));
console.log(`1000 more views in ${views.stats().writes - before} write`);

// 40 buyers want 2 of 61 tickets each. A "no" is a result, not an error.
const tickets = new Counter(db, { name: 'tickets', min: 0n, max: 61n });
const answers = await Promise.all(Array.from({ length: 40 }, () => tickets.tryAdd(2n)));
const sold = 2 * answers.filter(({ ok }) => ok).length;
console.log(`tickets sold: ${sold}, counted: ${await tickets.value()}`);
const late = await tickets.tryAdd(2n);
if (!late.ok) console.log(`2 more: no, ${late.remaining} left`);

// The traffic grows: more shards, while others go on counting.
await Promise.all([views.resize(64), views.add(), views.add(1n, { idempotencyKey: 'request 0' })]);
console.log(`page views after the resize: ${await views.value()}`);

// What came in the last hour, on the clock.
const signIns = new Counter(db, { name: 'sign-ins', window: '1h' });
await signIns.add();
console.log(`sign-ins of the last hour: ${await signIns.value()}`);

// A new day, for the first who says so.
const today = await views.epoch();
const resets = await Promise.allSettled([views.reset({ ifEpoch: today }), views.reset({ ifEpoch: today })]);
console.log(
  `resets: ${resets
    .map(({ status }) => status)
    .sort()
    .join(', ')}; page views: ${await views.value()}`,
);
