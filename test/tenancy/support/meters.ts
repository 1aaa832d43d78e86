import { openRecord } from '../../../src/core/codec/index.ts';
import { decodeTuple, encodeTuple, prefixRange } from '../../../src/core/keys/index.ts';
import { NorimakiError } from '../../../src/index.ts';
import {
  type Hold,
  type Meter,
  NO_USAGE,
  type Settlement,
  type TenantPolicy,
  type Usage,
  usageOf,
} from '../../../src/repositories/internal.ts';
import type { MemoryStore } from '../../../src/stores/memory/index.ts';

export const METRICS = ['records', 'bytes', 'vectors'] as const;

const growth = (delta: Usage): Usage => mapped((metric) => Math.max(0, delta[metric]));
const mapped = (of: (metric: keyof Usage) => number): Usage => {
  return { records: of('records'), bytes: of('bytes'), vectors: of('vectors') };
};
const plus = (a: Usage, b: Usage): Usage => mapped((metric) => a[metric] + b[metric]);
const minus = (a: Usage, b: Usage): Usage => mapped((metric) => a[metric] - b[metric]);

/** One account that all processes of a test charge: what grows before the write, what shrinks after it. */
export class Ledger implements Meter {
  charged: Usage = NO_USAGE;
  open = 0;
  readonly settlements: Settlement[] = [];
  limit: Usage = { records: Infinity, bytes: Infinity, vectors: Infinity };

  take(delta: Usage): Hold {
    const grown = growth(delta);
    const next = plus(this.charged, grown);
    if (METRICS.some((metric) => grown[metric] > 0 && next[metric] > this.limit[metric])) {
      throw new NorimakiError('store.full', 'The quota is used up.', { store: 'quota' });
    }
    this.charged = next;
    this.open++;
    let isSettled = false;
    return {
      settle: (settlement) => {
        if (isSettled) throw new TypeError('A hold was settled twice.');
        isSettled = true;
        this.open--;
        this.settlements.push(settlement);
        if (settlement === 'notApplied') this.charged = minus(this.charged, grown);
        if (settlement === 'applied') this.charged = plus(minus(this.charged, grown), delta);
      },
    };
  }
}

export function policyOf(meter: Meter): TenantPolicy {
  return { admit: () => undefined, meter };
}

/** What is stored of a generation of a tenant, counted one by one. */
export async function truth(store: Pick<MemoryStore, 'scan'>, tenant: string, generation: number): Promise<Usage> {
  let sum = NO_USAGE;
  const range = prefixRange(encodeTuple(['norimaki', tenant, BigInt(generation)]));
  const { entries } = await store.scan(range, { limit: 1000 });
  for (const { key, value } of entries) {
    if (decodeTuple(key)[4] !== 'r') continue;
    sum = plus(sum, usageOf(openRecord(value, () => 'it', 'it').envelope, value.length));
  }
  return sum;
}
