import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import type { Stocked } from './cells.ts';
import type { InventoryContext } from './context.ts';
import { finishCommit, meetCarts } from './meet.ts';
import { type OpenCell, sum } from './open-cell.ts';
import type { StockFields } from './stock-record.ts';

/**
 * What an audit finds:
 * - `imbalance`: what is on hand is not what the ledger says. The fix books the difference as a correction.
 * - `negative`: less than nothing is on hand at a location though the SKU has no backorder. The fix corrects it to 0.
 * - `oversold`: more is held than there is, and there is no backorder. Only goods or cancelling help: no fix.
 * - `lateHold`: a hold whose time is over. The fix gives it back, or sells it where that was decided.
 * - `unfinishedMove`: pieces on their way between buckets. The fix delivers them.
 * - `unfinishedCommit`: a cart that was decided on and not sold everywhere. The fix sells it.
 */
export type AuditProblem = 'imbalance' | 'negative' | 'oversold' | 'lateHold' | 'unfinishedMove' | 'unfinishedCommit';

export interface AuditFinding {
  readonly problem: AuditProblem;
  /** Not of an `unfinishedCommit`. */
  readonly sku?: string | undefined;
  /** Of a hold. */
  readonly hold?: string | undefined;
  /** How many pieces it is about. */
  readonly pieces?: number | undefined;
  readonly fixed: boolean;
}

export interface AuditOptions extends BlockCallOptions {
  /** Mends what it finds; default `false`. */
  readonly fix?: boolean | undefined;
  /** Only these. Without it, all: then the store must be able to scan. */
  readonly skus?: readonly string[] | undefined;
  /** Called after each SKU. */
  readonly onProgress?: ((progress: { readonly done: number; readonly findings: number }) => void) | undefined;
}

export interface AuditReport {
  readonly isHealthy: boolean;
  /** SKUs that were looked at. */
  readonly skus: number;
  readonly findings: readonly AuditFinding[];
}

/** Compares every record of stock with its ledger and its holds. */
export async function audit(ctx: InventoryContext, options: AuditOptions, canScan: boolean): Promise<AuditReport> {
  const { fix = false, skus, onProgress, ...call } = options;
  if (skus === undefined && !canScan) {
    throw new NorimakiError(
      'capability.missing',
      'To audit every SKU needs a store with scan. Say which with skus, or use the memory or the embedded store.',
      { capability: 'scan', neededBy: 'Inventory.audit' },
    );
  }
  const findings: AuditFinding[] = [];
  let done = 0;
  if (canScan) {
    for await (const { id, state } of ctx.carts.all(call)) {
      if (state !== 'committing') continue;
      if (fix) await finishCommit(ctx, id, call);
      findings.push({ problem: 'unfinishedCommit', hold: id, fixed: fix });
    }
  }
  for await (const sku of skus ?? allSkus(ctx, call)) {
    findings.push(...(await auditSku(ctx, await ctx.cells.read(sku, call), fix, call)));
    done++;
    onProgress?.({ done, findings: findings.length });
  }
  return { isHealthy: findings.every(({ fixed }) => fixed), skus: done, findings };
}

async function* allSkus(ctx: InventoryContext, { signal }: BlockCallOptions): AsyncGenerator<string> {
  // Where the store can scan its repositories can.
  const stocks = ctx.cells.stocks as unknown as { scan(options: object): AsyncIterable<StockFields> };
  for await (const { sku } of stocks.scan({ signal })) yield sku;
}

async function auditSku(
  ctx: InventoryContext,
  stocked: Stocked,
  fix: boolean,
  options: BlockCallOptions,
): Promise<AuditFinding[]> {
  const { sku } = stocked.stock;
  const findings: AuditFinding[] = [];
  for (const [bucket, cell] of stocked.cells.entries()) {
    const place = { sku, bucket };
    for (const late of cell.lateCarts()) {
      const { id: hold } = late;
      // One that was extended is not late: only this record does not know yet.
      const cart = await ctx.carts.get(hold, options);
      if (cart?.state === 'held' && cart.expiresAt > cell.now) continue;
      if (fix) await meetCarts(ctx, place, [late], options);
      findings.push({ problem: 'lateHold', sku, hold, fixed: fix });
    }
    const moving = Object.values(cell.cell.book.sent).reduce((total, { at }) => total + sum(at), 0);
    if (moving > 0) findings.push({ problem: 'unfinishedMove', sku, pieces: moving, fixed: fix });
    const isOpen = stocked.stock.backorder;
    const { missing, negative } = deviation(cell, isOpen);
    if (fix && (missing !== 0 || negative !== 0)) await ctx.cells.change(place, correct(isOpen), options);
    if (missing !== 0) findings.push({ problem: 'imbalance', sku, pieces: Math.abs(missing), fixed: fix });
    if (negative !== 0) findings.push({ problem: 'negative', sku, pieces: negative, fixed: fix });
  }
  if (fix) await ctx.spread.finish(stocked, options);
  const whole = ctx.cells.merge(stocked);
  const excess = -sum(whole.freeByLocation);
  if (!stocked.stock.backorder && excess > 0) {
    findings.push({ problem: 'oversold', sku, pieces: excess, fixed: false });
  }
  return findings;
}

function deviation(cell: OpenCell, isOpen: boolean): { readonly missing: number; readonly negative: number } {
  const { book, levels } = cell.cell;
  const negative = isOpen ? 0 : Object.values(levels).reduce((total, level) => total + Math.max(0, -level), 0);
  return { missing: cell.onHand - (book.stocked + book.adjusted - book.sold + book.moved), negative };
}

/** Takes what is on hand for true, at least nothing, and books the difference. */
function correct(isOpen: boolean): (cell: OpenCell) => void {
  return (cell) => {
    const { book, levels } = cell.cell;
    if (!isOpen) for (const [location, level] of Object.entries(levels)) if (level < 0) levels[location] = 0;
    book.adjusted += deviation(cell, isOpen).missing;
    cell.hasChanged = true;
  };
}
