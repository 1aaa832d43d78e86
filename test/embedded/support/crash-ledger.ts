import { expect } from 'vitest';
import { type Version, versionParts } from '../../../src/core/version.ts';
import type { EmbeddedStore } from '../../../src/stores/embedded/index.ts';
import { EVERYTHING, text } from './folder.ts';
import { isPair } from './pair-ledger.ts';

type Change = { name: string; value: string | null };

/** What `children/write-records.ts` tells. */
export type CrashMessage = { intent: string; changes: Change[] } | { ack: string; version?: Version; count?: number };

/** Which records must be in a folder after their writers were killed, over many rounds. */
export class CrashLedger {
  /** Value by key; a missing key must be missing. */
  readonly #records = new Map<string, string>();
  #count = 0;
  #lastVersion = 0n;
  acknowledged = 0;
  /** Writes that were under way at a kill and turned out applied. */
  appliedUnacknowledged = 0;

  /** Takes in what a child told before it was killed, and checks the folder against it. */
  async check(store: EmbeddedStore, messages: readonly CrashMessage[]): Promise<void> {
    const intents = new Map<string, Change[]>();
    const before = this.#lastVersion;
    const versions: bigint[] = [];
    for (const message of messages) {
      if ('intent' in message) intents.set(message.intent, message.changes);
      if (!('ack' in message)) continue;
      this.acknowledged += 1;
      if (message.version !== undefined) versions.push(versionParts(message.version).index);
      this.#count = Math.max(this.#count, message.count ?? 0);
      this.#apply(intents.get(message.ack) ?? []);
      intents.delete(message.ack);
    }
    const found = await contentsOf(store);
    this.#settle([...intents.values()], found);

    const count = Number(found.get('count')?.value ?? 0);
    expect(count, 'the count: each of four writers may have added one without an answer').toBeGreaterThanOrEqual(
      this.#count,
    );
    expect(count).toBeLessThanOrEqual(this.#count + 4);
    this.#count = count;
    found.delete('count');

    expect(new Map([...found].map(([name, { value }]) => [name, value]))).toEqual(this.#records);
    for (const [name, { value }] of found) expectWhole(name, value);
    const expiring = [...found.values()].filter(({ expiresAt }) => expiresAt !== undefined).length;
    expect((await store.stats()).expiring, 'entries in the index of deadlines').toBe(expiring);

    expect(new Set(versions).size, 'no version is given twice').toBe(versions.length);
    expect(
      versions.filter((version) => version <= before),
      'versions grow across crashes',
    ).toEqual([]);
    for (const version of [...versions, ...[...found.values()].map(({ index }) => index)]) {
      if (version > this.#lastVersion) this.#lastVersion = version;
    }
  }

  /** A write without an answer is there or not, but as a whole. */
  #settle(unanswered: readonly Change[][], found: ReadonlyMap<string, { value: string }>): void {
    for (const changes of unanswered) {
      const decisive = changes.find(({ value }) => value !== null) ?? changes[0];
      if (decisive === undefined || (found.get(decisive.name)?.value ?? null) !== decisive.value) continue;
      this.appliedUnacknowledged += 1;
      this.#apply(changes);
    }
  }

  #apply(changes: readonly Change[]): void {
    for (const { name, value } of changes) {
      if (value === null) this.#records.delete(name);
      else this.#records.set(name, value);
    }
  }
}

async function contentsOf(
  store: EmbeddedStore,
): Promise<Map<string, { value: string; index: bigint; expiresAt: number | undefined }>> {
  const page = await store.scan(EVERYTHING, { limit: 1000 });
  expect(page.rest).toBeUndefined();
  const named = page.entries.map((entry) => ({ name: text(entry.key) ?? '', ...entry }));
  return new Map(
    named
      .filter(({ name }) => !isPair(name))
      .map(({ name, value, version, expiresAt }) => [
        name,
        { value: text(value) ?? '', index: versionParts(version).index, expiresAt },
      ]),
  );
}

function expectWhole(name: string, value: string): void {
  const record = JSON.parse(value) as { name: string; nonce: string; text: string };
  expect(record.name).toBe(name);
  expect(record.text).toBe(record.nonce.repeat(record.text.length / record.nonce.length));
}
