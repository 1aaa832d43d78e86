import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { requireBuild } from './build.ts';
import { CompiledExamples, examplesIn } from './compiled-examples.ts';

/** Lines that each example prints, among others. */
const OUTPUT: Readonly<Record<string, readonly string[]>> = {
  'bank-account.ts': [
    'the rules hold',
    'Only 20 are there.',
    'attempt 2: replayed',
    'balance: 25 at version 4, 100 at version 2',
  ],
  'bulk-import.ts': [
    '1440 of 1440, 2 refused',
    'minute 499: validation.failed',
    'the last two: 1439: 24.0, 1438: 23.9',
  ],
  'cache.ts': [
    '400 requests saw 480 yen with 1 query',
    'NORI-9: undefined, with 1 query more',
    'asked before the change: 480, after it: 520',
    'while the source is down: 520',
    'Tampopo was seen 50 times',
  ],
  'counter.ts': [
    'page views: 200, of 240 requests',
    '1000 more views in 1 write',
    'tickets sold: 60, counted: 60',
    '2 more: no, 1 left',
    'page views after the resize: 1201',
    'resets: fulfilled, rejected; page views: 0',
  ],
  'deduplication.ts': [
    'delivered 10 times, told to be new: 1',
    'shouted: exact, 100 % like one that is known',
    'polite: near, 83 % like one that is known',
    'other: unique',
    'one question of mia, sent 13 times',
    'parcels: 3',
    'still known: near, true',
  ],
  'define-entity.ts': ['Cook rice: done, the version moved: true', 'x Cook rice', '- Roll nori'],
  'election.ts': [
    'refused: token 1, the report has seen 2',
    'ben ends his work, and only then somebody else leads',
    'handed over to cleo: true',
    'pages: ada, ben',
    'ada leads 100 partitions',
    'permits: true,true,false',
    'ran: 1 of 3',
  ],
  'embedders.ts': ['nearest: dried seaweed pressed into sheets', 'asked for 10 texts, paid for 4, saved 6'],
  'errors.ts': [
    'read a missing one: there is no such wallet',
    'overdraw: cents cannot be overdrawn',
    'not enough: still 500',
  ],
  'inventory.ts': [
    'all answered: true, sold as often as paid: true',
    'nothing lost: true',
    'free again: true',
    'audit of 2 SKUs: all is well',
  ],
  'optimistic-locking.ts': [
    'Ben is told that the title is now "Nori, toasted", and decides again.',
    'All tags are there: seaweed, japan, snack',
  ],
  'quick-start.ts': ['Toasted nori: in stock', 'Toasted nori: 0 left, sold out', 'deleted: true'],
  'rate-limiter.ts': [
    'let through: 20 of 30, in 1 round',
    'refused by: burst, for about 36 s',
    'RateLimit-Policy: "burst";q=20;w=720, "daily";q=500;w=86400',
    'left of the day: 480',
    'asked twice: true, left: 15',
    'blocked: true',
    '4 pages, 10 ms apart: true',
    '10 renders, at most 2 at once',
  ],
  'recommendation.ts': [
    'both tastes: true',
    'nothing again, and no Hook: true',
    'for Tom: Jaws, by what is popular',
    'like The Godfather: The Godfather: Part II, The Godfather: Part III',
    'Mia is forgotten: true, 0 items left',
  ],
  'saas.ts': [
    'no room for another invoice: 3 of 3 keys',
    'acme deletes an invoice: tenant.suspended; it has 2',
    'bill of globex: 999',
    'acme: no handle of any process reaches it any more',
    'the old handle: tenant.unknown',
    'imported invoices: 2',
  ],
  'schema-evolution.ts': [
    'read with the new shape: Sakura, null',
    'still there: {"id":"1","title":"Sakura","seconds":185}',
  ],
  'semantic-search.ts': [
    'and 3 more; that is all: true',
    'varied: 1 of 2 are maki',
    'while the embedder is down: Miso soup, without vectors',
    'the other process finds it, too: true',
    'deleted: 0 found',
    'the next start: 4 recipes, 0 read anew',
  ],
  'sessions.ts': [
    'laptop: {"user":"mia","cart":{"nori":1,"rice":10},"messages":["Welcome on your laptop."]}',
    'laptop again: {"user":"mia","cart":{"nori":1,"rice":10},"messages":[]}',
    'devices: ["laptop","phone"]',
    'phone, after the laptop changed the password: {"user":"nobody","messages":[]}',
    'laptop, after the logout: {"user":"nobody","messages":[]}',
  ],
  'several-processes.ts': ['3 processes, 100 times each: 300'],
  'shopping-cart.ts': [
    'receipt for mia: 7 €',
    'open: ada, tom',
    'tom changed his mind about: cast iron pan',
    'after the rebuild mia paid 7 €',
  ],
  'tenants.ts': [
    'acme: 1 of its own, counted 1',
    'globex: 2 of its own, counted 2',
    'refused: it is of acme, not of globex',
    'refused: user belongs to a tenant, and this handle has none: take db.forTenant(name).repo(…).',
  ],
  'ttl.ts': [
    'session after 40 minutes, used at 20: alive',
    'session after 30 minutes unused: over',
    'voucher: 25 % until 2026-01-08T00:00:00.000Z',
  ],
  'unique-and-index.ts': [
    'refused: email is taken',
    'aki@example.org is now eve',
    'in Kyoto, 30 and over: aki (31), chie (58)',
    'the oldest in Kyoto: chie; in all 3',
  ],
};

let compiled: CompiledExamples;

beforeAll(() => {
  requireBuild();
  compiled = new CompiledExamples();
});

test('every example is here', () => {
  expect(examplesIn().sort()).toEqual(Object.keys(OUTPUT).sort());
});

describe.concurrent('an example runs to its end', () => {
  test.each(Object.keys(OUTPUT))('%s', async (name) => {
    // Rejects when the exit code is not 0.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [compiled.compile(name)]);
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toEqual(expect.arrayContaining([...(OUTPUT[name] ?? [])]));
  });
});

test('the demo finds every acknowledged rating', { timeout: 240_000 }, async () => {
  // Rejects when the exit code is not 0.
  const { stdout } = await promisify(execFile)(process.execPath, [compiled.demo('films')]);
  expect(stdout).toContain('3,201 rows: 3,172 stored, 29 rejected');
  expect(stdout).toMatch(/p3 +\d+ +killed/);
  expect(stdout).toContain('Every acknowledged rating is there, exactly once.');
});
