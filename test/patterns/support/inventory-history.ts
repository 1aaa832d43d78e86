import type { Key, PutOptions } from '../../../src/core/store.ts';
import { type Version, versionParts } from '../../../src/core/version.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';

/** What both kinds of records of stock hold, as JSON. */
interface StockJson {
  readonly sku?: string;
  readonly bucket?: number;
  readonly levels?: Readonly<Record<string, number>>;
  readonly book?: {
    readonly holds: Readonly<Record<string, { readonly at: Readonly<Record<string, number>> }>>;
    readonly sold: number;
  };
}

interface Write {
  readonly record: StockJson;
  readonly index: bigint;
}

/** Writes down every record of stock that was written, in the order in which they happened. */
export class StockHistory extends StoreWrapper {
  readonly #writes: Write[] = [];

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    const { json } = JSON.parse(Buffer.from(value).toString()) as { json: StockJson };
    const version = await this.inner.put(key, value, options);
    this.#writes.push({ record: json, index: versionParts(version).index });
    return version;
  }

  /** What was wrong at some instant with these SKUs, of which so many pieces came in. */
  problems(skus: readonly string[], stocked: (sku: string) => number): string[] {
    const problems: string[] = [];
    const inOrder = this.#writes.sort((a, b) => Number(a.index - b.index));
    for (const sku of skus) {
      const cells = new Map<number, { readonly sold: number; readonly held: number }>();
      let states = 0;
      for (const { record } of inOrder) {
        if (record.sku !== sku || record.book === undefined) continue;
        states++;
        const levels = sum(Object.values(record.levels ?? {}));
        const held = sum(Object.values(record.book.holds).flatMap(({ at }) => Object.values(at)));
        if (Object.values(record.levels ?? {}).some((level) => level < 0)) problems.push('less than nothing on hand');
        if (held > levels) problems.push(`${held} held of ${levels}`);
        cells.set(record.bucket ?? 0, { sold: record.book.sold, held });
        const spoken = sum([...cells.values()].map((cell) => cell.sold + cell.held));
        if (spoken > stocked(sku)) problems.push(`${spoken} sold and held of ${stocked(sku)}`);
      }
      if (states === 0) problems.push('nothing was written');
    }
    return problems;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
