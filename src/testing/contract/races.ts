import assert from 'node:assert/strict';
import { NorimakiError } from '../../core/errors.ts';
import type { Key, Store } from '../../core/store.ts';
import { assertMissing, assertRecord, bytes, committable } from './assertions.ts';
import type { PromisedGroup } from './contract-case.ts';

const CLIENTS = 16;
const [A, B] = [bytes('a'), bytes('b')];

const clients = <T>(work: (client: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)));

/** Whether the call won: refused with this code, it lost; any other failure passes through. */
async function wins(call: Promise<unknown>, refusal: 'version.mismatch' | 'already.exists'): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (NorimakiError.is(error, refusal)) return false;
    throw error;
  }
}

const numberOf = (value: Uint8Array): number => Number(Buffer.from(value).toString());

async function numberAt(store: Store, key: Key): Promise<number> {
  const record = await store.get(key);
  assert.ok(record !== undefined, 'the record is gone');
  return numberOf(record.value);
}

async function increment(store: Store, key: Key): Promise<void> {
  for (;;) {
    const record = await store.get(key);
    assert.ok(record !== undefined, 'the counter is gone');
    const next = bytes(String(numberOf(record.value) + 1));
    if (await wins(store.put(key, next, { ifMatch: record.version }), 'version.mismatch')) return;
  }
}

async function transfer(store: Store, from: Key, to: Key): Promise<void> {
  for (;;) {
    const [giver, taker] = await store.getMany([from, to]);
    assert.ok(giver !== undefined && taker !== undefined, 'an account is gone');
    const commit = committable(store).commit([
      { type: 'put', key: from, value: bytes(String(numberOf(giver.value) - 1)), ifMatch: giver.version },
      { type: 'put', key: to, value: bytes(String(numberOf(taker.value) + 1)), ifMatch: taker.version },
    ]);
    if (await wins(commit, 'version.mismatch')) return;
  }
}

/** Conditional writes that meet. */
export const racesGroup: PromisedGroup = {
  name: 'races',
  needs: ['atomicCas'],
  promises: [
    {
      name: 'no increment is lost: 16 clients, 50 each',
      async check({ store }) {
        await store.put(A, bytes('0'));
        await clients(async () => {
          for (let i = 0; i < 50; i++) await increment(store, A);
        });
        assert.equal(await numberAt(store, A), CLIENTS * 50);
      },
    },
    {
      name: 'of many puts with one ifMatch, one wins',
      async check({ store }) {
        for (let round = 0; round < 10; round++) {
          const ifMatch = await store.put(A, bytes('start'));
          const won = await clients((client) =>
            wins(store.put(A, bytes(`client ${client}`), { ifMatch }), 'version.mismatch'),
          );
          assert.equal(won.filter(Boolean).length, 1);
          assertRecord(await store.get(A), { value: bytes(`client ${won.indexOf(true)}`) });
        }
      },
    },
    {
      name: 'of many puts with ifAbsent, one wins',
      needs: ['ifAbsent'],
      async check({ store }) {
        for (let round = 0; round < 10; round++) {
          const won = await clients((client) =>
            wins(store.put(A, bytes(`client ${client}`), { ifAbsent: true }), 'already.exists'),
          );
          assert.equal(won.filter(Boolean).length, 1);
          assertRecord(await store.get(A), { value: bytes(`client ${won.indexOf(true)}`) });
          await store.delete(A);
        }
      },
    },
    {
      name: 'of many deletes of one record, one deletes it',
      async check({ store }) {
        for (let round = 0; round < 10; round++) {
          await store.put(A, bytes('one'));
          const deleted = await clients(() => store.delete(A));
          assert.equal(deleted.filter(Boolean).length, 1);
          assertMissing(await store.get(A));
        }
      },
    },
    {
      name: 'a delete with ifMatch and a put with the same ifMatch do not both win',
      needs: ['deleteIfMatch'],
      async check({ store }) {
        for (let round = 0; round < 20; round++) {
          const ifMatch = await store.put(A, bytes('one'));
          const put = (): Promise<unknown> => store.put(A, bytes('two'), { ifMatch });
          const remove = (): Promise<unknown> => store.delete(A, { ifMatch });
          const won = await clients((client) => wins((client + round) % 2 ? put() : remove(), 'version.mismatch'));
          assert.equal(won.filter(Boolean).length, 1);
          const wasPut = (won.indexOf(true) + round) % 2 === 1;
          assert.equal((await store.get(A)) !== undefined, wasPut, 'the winner is the one whose effect is seen');
        }
      },
    },
    {
      name: 'commits neither lose nor make anything: 16 clients, 20 transfers each',
      needs: ['commit'],
      async check({ store }) {
        await store.put(A, bytes('1000'));
        await store.put(B, bytes('1000'));
        await clients(async (client) => {
          for (let i = 0; i < 20; i++) await (client % 4 ? transfer(store, A, B) : transfer(store, B, A));
        });
        assert.equal(await numberAt(store, A), 1000 - (CLIENTS / 2) * 20);
        assert.equal(await numberAt(store, B), 1000 + (CLIENTS / 2) * 20);
      },
    },
    {
      name: 'a commit and a put of one version do not both win',
      needs: ['commit'],
      async check({ store }) {
        for (let round = 0; round < 10; round++) {
          const ifMatch = await store.put(A, bytes('one'));
          await store.delete(B);
          const won = await clients((client) => {
            if ((client + round) % 2) return wins(store.put(A, bytes('two'), { ifMatch }), 'version.mismatch');
            const operations = [
              { type: 'put', key: B, value: bytes('three') },
              { type: 'check', key: A, ifMatch },
              { type: 'put', key: bytes(`c${client}`), value: bytes('three') },
            ] as const;
            return wins(committable(store).commit(operations), 'version.mismatch');
          });
          const puts = won.filter((hasWon, client) => hasWon && (client + round) % 2 === 1).length;
          assert.equal(puts, 1, 'checks do not move the version, so one put wins');
          assertRecord(await store.get(A), { value: bytes('two') });
          const committed = won.some((hasWon, client) => hasWon && (client + round) % 2 === 0);
          assert.equal((await store.get(B)) !== undefined, committed, 'a refused commit left something');
        }
      },
    },
  ],
};
