import { NorimakiError } from '../../../src/core/errors.ts';
import type { Version } from '../../../src/core/version.ts';
import { pickInt } from '../../../src/testing/seeded-random.ts';
import { bytes, random, round, store } from './crash-world.ts';
import { tell } from './talk.ts';

// Four writers. Each tells what it is about to write, then what was acknowledged.
// A writer has keys of its own, so that its last acknowledged write to a key is what must be there; all of them count
// up one key together.

const KEYS = 12;
const FAR = 8_000_000_000_000;

type Change = { name: string; value: string | null };

export async function writeRecords(): Promise<void> {
  await Promise.all([0, 1, 2, 3].map(write));
}

async function write(writer: number): Promise<void> {
  const known = await versionsOf(writer);
  for (let n = 0; ; n++) {
    const nonce = `${round}.${writer}.${n}`;
    const kind = pickInt(random, 10);
    if (kind === 0) await count(nonce);
    else if (kind === 1) await remove(nonce, nameOf(writer, pickInt(random, KEYS)), known);
    else if (kind <= 3) await writeTogether(nonce, writer, known);
    else await put(nonce, nameOf(writer, pickInt(random, KEYS)), known);
  }
}

function nameOf(writer: number, i: number): string {
  return `w${writer}-${i}`;
}

/** Pages, runs of pages and parts of pages: the text repeats, so that a torn one shows. */
function valueFor(name: string, nonce: string): string {
  return JSON.stringify({ name, nonce, text: nonce.repeat(pickInt(random, 5) === 0 ? 1500 : pickInt(random, 60)) });
}

async function versionsOf(writer: number): Promise<Map<string, Version>> {
  const names = Array.from({ length: KEYS }, (_, i) => nameOf(writer, i));
  const records = await store.getMany(names.map(bytes));
  return new Map(names.flatMap((name, i) => (records[i] === undefined ? [] : [[name, records[i].version]])));
}

/** Tells of a write before and after. */
async function told<T>(nonce: string, changes: Change[], work: () => Promise<T>): Promise<T> {
  tell({ intent: nonce, changes });
  const answer = await work();
  tell({ ack: nonce, version: typeof answer === 'string' ? answer : undefined });
  return answer;
}

async function put(nonce: string, name: string, known: Map<string, Version>): Promise<void> {
  const value = valueFor(name, nonce);
  const ifMatch = known.get(name);
  const condition = ifMatch === undefined ? { ifAbsent: true } : { ifMatch };
  const expiresAt = pickInt(random, 3) === 0 ? FAR + pickInt(random, 1000) : undefined;
  const options = { ...condition, expiresAt };
  known.set(name, await told(nonce, [{ name, value }], () => store.put(bytes(name), bytes(value), options)));
}

async function remove(nonce: string, name: string, known: Map<string, Version>): Promise<void> {
  const ifMatch = known.get(name);
  if (ifMatch === undefined) return;
  await told(nonce, [{ name, value: null }], () => store.delete(bytes(name), { ifMatch }));
  known.delete(name);
}

async function writeTogether(nonce: string, writer: number, known: Map<string, Version>): Promise<void> {
  const first = pickInt(random, KEYS);
  const names = [first, (first + 1) % KEYS, (first + 2) % KEYS].map((i) => nameOf(writer, i));
  const changes = names.map((name, i) => ({ name, value: i === 2 ? null : valueFor(name, nonce) }));
  const version = await told(nonce, changes, () =>
    store.commit(
      changes.map(({ name, value }) =>
        value === null
          ? { type: 'delete', key: bytes(name), ifMatch: known.get(name) }
          : { type: 'put', key: bytes(name), value: bytes(value), ifMatch: known.get(name) },
      ),
    ),
  );
  for (const { name, value } of changes) {
    if (value === null) known.delete(name);
    else known.set(name, version);
  }
}

async function count(nonce: string): Promise<void> {
  for (;;) {
    const record = await store.get(bytes('count'));
    const before = record === undefined ? 0 : Number(new TextDecoder().decode(record.value));
    const condition = record === undefined ? { ifAbsent: true } : { ifMatch: record.version };
    tell({ intent: nonce, changes: [] });
    try {
      const version = await store.put(bytes('count'), bytes(String(before + 1)), condition);
      tell({ ack: nonce, version, count: before + 1 });
      return;
    } catch (error) {
      if (!NorimakiError.is(error, 'version.mismatch') && !NorimakiError.is(error, 'already.exists')) throw error;
    }
  }
}
