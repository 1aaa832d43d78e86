// Records that end by themselves: a session that lives as long as it is used, a voucher with a date of its own.
import { Entity, Field, Id, open, Ttl } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { manualClock } from 'norimaki/testing';
import { z } from 'zod';

@Entity('session')
@Ttl('30m', { onWrite: 'renew' })
class Session {
  @Id() token!: Id<string>;
  @Field(z.int()) clicks!: number;
}

@Entity('voucher')
class Voucher {
  @Id() code!: Id<string>;
  @Field(z.int()) percent!: number;
  @Field(z.date().optional()) @Ttl() validUntil?: Date | undefined;
}

// A clock that moves when told, so that this program need not wait. Leave it out, and time is the machine's.
const clock = manualClock(Date.parse('2026-01-01T12:00:00Z'));
await using db = await open(memory(), { clock });
const [sessions, vouchers] = [db.repo(Session), db.repo(Voucher)];

await sessions.create({ token: 'a', clicks: 0 });
await clock.advance(20 * 60_000);
await sessions.mutate('a', (session) => {
  session.clicks += 1; // 'renew': the half hour begins again
});
await clock.advance(20 * 60_000);
console.log(`session after 40 minutes, used at 20: ${(await sessions.exists('a')) ? 'alive' : 'over'}`);
await clock.advance(20 * 60_000);
console.log(`session after 30 minutes unused: ${(await sessions.exists('a')) ? 'alive' : 'over'}`);

await vouchers.create({ code: 'NEW-YEAR', percent: 20, validUntil: new Date('2026-01-08T00:00:00Z') });
const changed = await vouchers.mutate('NEW-YEAR', (voucher) => {
  voucher.percent = 25; // the deadline stays
});
console.log(`voucher: ${changed.percent} % until ${changed.validUntil?.toISOString()}`);

// One call may say otherwise.
const longer = await vouchers.touch('NEW-YEAR', { ttl: '30d' });
console.log(`voucher: prolonged to ${longer.validUntil?.toISOString()}`);
