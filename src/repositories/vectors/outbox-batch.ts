import { setMaxListeners } from 'node:events';
import { throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import { LEASE_MS } from './outbox-entry.ts';
import { lease, type OutboxItem, replaceEntry } from './outbox-item.ts';
import { type MissingVector, type OutboxPlan, planOutbox, type Refreshed } from './outbox-plan.ts';
import type { Answer } from './outbox-provider.ts';
import { type Asked, type Driver, type Outcome, refresh, settle, settleFailed, settleGone } from './outbox-settle.ts';

/** Until a record that has expired by this clock is looked at again. */
const EXPIRED_WAIT_MS = 1_000;

type Leases = Map<OutboxItem['key'], OutboxItem>;

/**
 * Makes the vectors of some records, all embedded in one turn, each record committed by itself: its vectors, the end of
 * its entry, and the check that neither it nor the catalog has changed since they were read.
 */
export async function driveBatch(
  driver: Driver,
  items: readonly OutboxItem[],
  refreshed: Refreshed,
  signal: AbortSignal,
): Promise<Outcome[]> {
  const { context, vectors } = driver;
  const catalog = await vectors.catalog.current();
  let plans: OutboxPlan[];
  try {
    plans = await planOutbox(context, vectors, items, catalog, refreshed, signal);
  } catch (error) {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    vectors.catalog.forgetIndexes();
    return items.map(() => ({ kind: 'again' }));
  }
  const worth = items.filter((_, i) => isWorthLeasing(driver, plans[i]));
  const leases: Leases = new Map((await lease(context, driver.owner, worth)).map((item) => [item.key, item]));
  const asked = await whileLeased(driver, leases, () => embedAll(driver, plans, items, leases, signal));
  return Promise.all(
    items.map(async (item, i): Promise<Outcome> => {
      // One plan for each item.
      const plan = plans[i] as OutboxPlan;
      if (plan.kind === 'gone') return settleGone(driver, item);
      if (plan.kind === 'expired') return { kind: 'later', wait: EXPIRED_WAIT_MS };
      if (plan.kind === 'refresh') return refresh(driver, item, refreshed, plan.renew);
      if (plan.kind === 'failed') return settleFailed(driver, item, plan.error);
      const isLost = worth.includes(item) && !leases.has(item.key);
      if (isLost) return { kind: 'again' };
      return settle(driver, leases.get(item.key) ?? item, plan, asked, catalog);
    }),
  );
}

/** A provider that is not to be asked now is no reason to hold an entry. */
function isWorthLeasing({ providers }: Driver, plan: OutboxPlan | undefined): boolean {
  return plan?.kind === 'make' && plan.missing.some(({ embedder }) => providers.of(embedder).wait === 0);
}

/** Keeps entries while an embedder takes its time, so that no other process pays for the same texts. */
async function whileLeased<T>({ context, owner }: Driver, leases: Leases, work: () => Promise<T>): Promise<T> {
  const { clock } = context.environment;
  const ended = new AbortController();
  const renew = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(LEASE_MS / 3, { signal: ended.signal, background: true });
      for (const [key, item] of leases) {
        const notBefore = clock.now() + LEASE_MS;
        const renewed = await replaceEntry(context, item, { ...item.entry, owner, notBefore });
        if (renewed === undefined) leases.delete(key);
        else leases.set(key, renewed);
      }
    }
  };
  // Ends with the work; where the store fails, the commit will say so.
  const renewing = renew().catch(() => {});
  try {
    return await work();
  } finally {
    ended.abort();
    await renewing;
  }
}

/** Asks every provider at once; what one of them does not take now has no answer. */
async function embedAll(
  driver: Driver,
  plans: readonly OutboxPlan[],
  items: readonly OutboxItem[],
  leases: Leases,
  signal: AbortSignal,
): Promise<Map<MissingVector, Asked>> {
  const wanted = new Map<string, [MissingVector, OutboxItem][]>();
  for (const [i, plan] of plans.entries()) {
    const item = leases.get((items[i] as OutboxItem).key); // One plan for each item.
    if (plan.kind !== 'make' || item === undefined) continue;
    for (const one of plan.missing) {
      const group = wanted.get(one.embedder) ?? [];
      group.push([one, item]);
      wanted.set(one.embedder, group);
    }
  }
  const answered = await Promise.all(
    Array.from(wanted, ([embedder, group]) => askProvider(driver, embedder, group, signal)),
  );
  return new Map(answered.flat());
}

async function askProvider(
  driver: Driver,
  embedder: string,
  group: readonly [MissingVector, OutboxItem][],
  signal: AbortSignal,
): Promise<[MissingVector, Asked][]> {
  const provider = driver.providers.of(embedder);
  const client = driver.vectors.embedders.get(embedder);
  const asked = client === undefined ? [] : group.slice(0, provider.begin(group.length));
  if (client === undefined || asked.length === 0) return [];
  // A listener for each text; the signal is the worker's own.
  setMaxListeners(0, signal);
  const answers = await Promise.all(
    asked.map(([{ text }]) => client.embed(text, { signal }).catch((error: unknown) => failureOf(error, embedder))),
  );
  if (signal.aborted) provider.cancel();
  throwIfAborted(signal);
  const [[, item]] = asked as [(typeof asked)[number]]; // There is one.
  const key = keyName(item.key);
  const isOwn = await provider.judge(answers, {
    key,
    blame: async () => {
      await settleFailed(driver, item, answers[0]);
    },
  });
  return asked.map(([one], i) => [one, { answer: answers[i] as Answer, isOwn: isOwn[i] === true }]);
}

function failureOf(error: unknown, embedder: string): NorimakiError {
  if (error instanceof NorimakiError) return error;
  const message = `The embedder ${embedder} failed with an error that is not of norimaki.`;
  return new NorimakiError('embedder.unavailable', message, { embedder }, { cause: error });
}
