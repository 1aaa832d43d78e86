// The inbox of a help desk: people send a message twice, forward it, and write to it again. Each question is answered once.

import { defineEntity, open } from 'norimaki';
import { Deduplicator } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

await using db = await open(memory());

const Message = defineEntity('message', z.object({ id: z.string(), from: z.string(), text: z.string() }), { id: 'id' });
// Messages are short, so few words make a shingle, and many bands look for them.
const inbox = new Deduplicator(db, Message, {
  name: 'inbox',
  text: ['text'],
  near: { jaccard: 0.7, words: 2, bands: 24, rows: 4 },
  review: 0.25,
});

const invoice = `Hello, I was charged twice for order 4711 on the third of May. The bank shows two payments of 24.90.
Please check this and send the second one back to my account. Best regards, Mia`;
const parcel = `Hi, my parcel was due on Monday and the tracking page has said "in transit" for six days now.
Could you ask the carrier where it is? It is a present for Saturday. Tom`;

// Ten servers of mail deliver the same message at the same moment.
const deliveries = await Promise.all(
  Array.from({ length: 10 }, (_, i) => inbox.submit({ id: `mia-${i}`, from: 'mia', text: invoice })),
);
const unique = deliveries.filter(({ kind }) => kind === 'unique');
console.log(`delivered ${deliveries.length} times, told to be new: ${unique.length}`);

// What people do to a text before they send it again.
const sent = [
  { id: 'shouted', from: 'mia', text: invoice.toUpperCase() },
  { id: 'wrapped', from: 'mia', text: invoice.replaceAll(' ', '\n') },
  { id: 'polite', from: 'mia', text: invoice.replace('Please check this', 'Please check this as soon as you can') },
  { id: 'parcel', from: 'tom', text: parcel },
  { id: 'parcel-2', from: 'tom', text: `Once more: ${parcel}` },
  {
    id: 'other',
    from: 'ada',
    text: 'Do you sell toasted nori in packs of a hundred sheets, and do you ship to Iceland?',
  },
];
for (const { id, from, text } of sent) {
  const verdict = await inbox.submit({ id, from, text });
  const detail = 'of' in verdict ? `, ${Math.round(100 * verdict.score)} % like one that is known` : '';
  console.log(`${id}: ${verdict.kind}${detail}`);
}

for await (const { canonical, members } of inbox.clusters()) {
  const { from } = await db.repo(Message).getOrThrow(canonical);
  console.log(`one question of ${from}, sent ${members.length} times`);
}

// A message that says less of the same is for somebody to look at.
const shorter = parcel.slice(0, parcel.indexOf('Could you ask'));
await inbox.submit({ id: 'parcel-3', from: 'tom', text: shorter });
for await (const { one, other, shared } of inbox.review()) {
  console.log(`the same? "${shared[0]}"`);
  await inbox.merge(one, other);
}
console.log(`parcels: ${(await inbox.cluster('parcel'))?.members.length}`);

// The first one is deleted: another stands for the rest.
await inbox.remove('parcel');
const { canonical = '' } = (await inbox.cluster('parcel-2')) ?? {};
console.log(`still known: ${(await inbox.check(parcel)).kind}, ${canonical !== 'parcel'}`);
