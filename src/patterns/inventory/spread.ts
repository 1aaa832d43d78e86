import type { Environment } from '../../core/clock.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { Cells, Place, Stocked } from './cells.ts';
import { totalOf, type Want } from './lines.ts';
import { type OpenCell, sum } from './open-cell.ts';
import type { Pieces } from './stock-record.ts';

// A SKU that very many want is spread over buckets. Each has pieces of its own and sells only those, so that all of them together
// sell no more than there is. What a bucket lacks is moved there: the sender takes it off and notes it under a number, the receiver
// adds it and remembers the number, the sender strikes the note. On its way it can be sold by nobody, and whoever comes by finishes.

/** Spreads the stock of a SKU over its buckets. */
export class Spread {
  readonly #cells: Cells;
  /** How many buckets each SKU had when last looked; only ever more. */
  readonly #known = new Map<string, number>();
  /** Where among the buckets this process reserves. */
  readonly #place: number;

  constructor(cells: Cells, { random }: Environment) {
    this.#cells = cells;
    this.#place = random.float();
  }

  /** Where to reserve: a call under a key always at the same bucket. Errors: `inventory.unknownSku`. */
  async homeOf(sku: string, hash: string | undefined, options: BlockCallOptions): Promise<Place> {
    let buckets = this.#known.get(sku);
    if (buckets === undefined) {
      ({ buckets } = (await this.#cells.read(sku, options)).stock);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(sku, buckets);
    }
    if (buckets === 1) return { sku, bucket: 0 };
    const share =
      hash === undefined
        ? this.#place
        : Number.parseInt(Buffer.from(hash, 'base64url').toString('hex').slice(0, 8), 16) / 2 ** 32;
    return { sku, bucket: Math.floor(share * buckets) };
  }

  /** There are more buckets now. */
  forget(sku: string): void {
    this.#known.delete(sku);
  }

  /** Finishes what is on its way between buckets. Resolves to how many moves that were. */
  async finish({ stock: { sku }, cells }: Stocked, options: BlockCallOptions): Promise<number> {
    let finished = 0;
    for (const [from, { cell }] of cells.entries()) {
      for (const [to, { n, at }] of Object.entries(cell.book.sent)) {
        if (sum(at) === 0) continue;
        await this.#deliver({ sku, from, to: Number(to), n, at }, options);
        finished++;
      }
    }
    return finished;
  }

  /** Moves to a bucket what it lacks for a want, as far as others have it. */
  async gather({ sku, bucket }: Place, { parts }: Want, { cells }: Stocked, options: BlockCallOptions): Promise<void> {
    const borrower = cells[bucket];
    if (borrower === undefined) return;
    for (const { location, quantity } of parts) {
      const wanted = location === undefined ? totalOf(parts) : quantity;
      let missing = wanted - borrower.free(location);
      const lenders = [...cells.entries()].filter(([from, cell]) => from !== bucket && cell.free(location) > 0);
      lenders.sort(([, one], [, other]) => other.free(location) - one.free(location));
      for (const [from, cell] of lenders) {
        if (missing <= 0) break;
        // Half of what it has, so that the next need not ask.
        const free = cell.free(location);
        const asked = Math.min(free, Math.max(missing, Math.ceil(free / 2)));
        const amount = { quantity: asked, ...(location === undefined ? {} : { location }) };
        const sent = await this.#cells.change({ sku, bucket: from }, (lender) => send(lender, bucket, amount), options);
        if (sent === undefined) continue;
        await this.#deliver({ sku, from, to: bucket, ...sent }, options);
        missing -= sum(sent.at);
      }
    }
  }

  /** Moves the safety stock to the first bucket, which alone knows of it. */
  async keepSafe(sku: string, options: BlockCallOptions): Promise<void> {
    await this.finish(await this.#cells.read(sku, options), options);
    // Nothing is wanted but what keeps it from being below its safety stock.
    const want = { sku, parts: [{ quantity: 0 }] };
    await this.gather({ sku, bucket: 0 }, want, await this.#cells.read(sku, options), options);
  }

  async #deliver({ sku, from, to, n, at }: Move, options: BlockCallOptions): Promise<void> {
    await this.#cells.change({ sku, bucket: to }, (receiver) => receive(receiver, from, n, at), options);
    await this.#cells.change(
      { sku, bucket: from },
      (sender) => {
        const note = sender.cell.book.sent[to];
        if (note === undefined || note.n !== n || sum(note.at) === 0) return;
        note.at = {};
        sender.hasChanged = true;
      },
      options,
    );
  }
}

const MAX_KNOWN = 10_000;

interface Move {
  readonly sku: string;
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly at: Readonly<Pieces>;
}

/** Takes pieces off for another bucket; `undefined` if it has none, or an earlier move there is not finished. */
function send(
  lender: OpenCell,
  to: number,
  { location, quantity }: Want['parts'][number],
): Pick<Move, 'n' | 'at'> | undefined {
  const { book } = lender.cell;
  const last = book.sent[to];
  const amount = Math.min(quantity, lender.free(location));
  if (amount <= 0 || (last !== undefined && sum(last.at) > 0)) return undefined;
  const at = lender.allocate([location === undefined ? { quantity: amount } : { location, quantity: amount }], false);
  if (at === undefined) return undefined;
  const note = { n: (last?.n ?? 0) + 1, at };
  book.sent[to] = structuredClone(note);
  book.moved -= amount;
  lender.change(at, -1);
  return note;
}

/** Adds what was sent, once. */
function receive(receiver: OpenCell, from: number, n: number, at: Readonly<Pieces>): void {
  const { book } = receiver.cell;
  if ((book.received[from] ?? 0) >= n) return;
  book.received[from] = n;
  book.moved += sum(at);
  receiver.change(at, 1);
}
