import { orAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Hold, Meter, Settlement, Usage } from '../../repositories/internal.ts';
import { Coalescer } from '../shared/coalescer.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { type Answer, giveBack, handOut, isHoard, type Pot } from './account.ts';
import { quotaExceeded } from './errors.ts';
import type { TenantRepository, TenantState } from './records.ts';
import type { Standing } from './standing.ts';
import { type Amounts, amountsOf, covers, growthOf, isNothing, minus, NOTHING, plus, shrinkageOf } from './usage.ts';

/** What a write that asked got, and by which account. */
interface Granted {
  readonly answer: Answer;
  readonly account: number;
}

const EMPTY: Pot = { account: -1, amounts: NOTHING };

/**
 * What this process may store of one tenant without asking. It is charged to the tenant's record before it is spent, so the
 * record never says less than is stored, and all processes together never store more than the plan has.
 */
export class Allowance implements Meter {
  readonly #standing: Standing;
  readonly #records: TenantRepository;
  readonly #environment: Environment;
  readonly #idle: number;
  readonly #closed: AbortSignal;
  readonly #asking: Coalescer<undefined, Amounts, Granted>;
  #pot: Pot = EMPTY;
  #used = 0;
  #isWatched = false;

  constructor(
    standing: Standing,
    records: TenantRepository,
    environment: Environment,
    { idle, closed }: { readonly idle: number; readonly closed: AbortSignal },
  ) {
    this.#standing = standing;
    this.#records = records;
    this.#environment = environment;
    this.#idle = idle;
    this.#closed = closed;
    this.#asking = new Coalescer((_place, wants) => this.#ask(wants));
  }

  /** Errors: `tenant.quotaExceeded`, `tenant.planUnknown`, `tenant.suspended`, `tenant.unknown`, and those of a write. */
  take(delta: Usage, { signal }: { readonly signal?: AbortSignal | undefined }): Hold | Promise<Hold> {
    const amounts = amountsOf(delta);
    const state = this.#standing.fresh();
    const hold = state && this.#fromPot(state, amounts);
    return hold ?? this.#byAsking(amounts, signal);
  }

  /** Lets other processes have what this one may still store. Errors: those of a write. */
  async giveBack(options: BlockCallOptions = {}): Promise<void> {
    const pot = this.#pot;
    if (isNothing(pot.amounts)) return;
    this.#pot = EMPTY;
    await this.#change(pot, (draft) => giveBack(draft, pot), options);
  }

  #fromPot(state: TenantState, amounts: Amounts): Hold | undefined {
    this.#standing.check(state, 'write');
    const growth = growthOf(amounts);
    if (this.#pot.account !== state.account) this.#pot = { account: state.account, amounts: NOTHING };
    if (!covers(this.#pot.amounts, growth)) return undefined;
    this.#add(minus(NOTHING, growth));
    return this.#hold(state, growth, amounts);
  }

  async #byAsking(amounts: Amounts, signal: AbortSignal | undefined): Promise<Hold> {
    const growth = growthOf(amounts);
    for (;;) {
      const state = this.#standing.fresh() ?? (await this.#standing.renew(signal));
      const hold = this.#fromPot(state, amounts);
      if (hold !== undefined) return hold;
      const asking = this.#asking.add('', undefined, growth, undefined);
      const { answer, account } = await orAborted(asking, signal).catch((error: unknown) => {
        // Nobody waits for it any more; others may need it.
        if (signal?.aborted) asking.then((granted) => this.#keep(granted, growth)).catch(() => {});
        throw error;
      });
      if (answer.type === 'refused') {
        const limit = this.#standing.limitsOf(state)[answer.metric];
        throw quotaExceeded(this.#standing.tenant, answer.metric, limit, answer.used);
      }
      // It holds for as long as the account does, which the answer may have outlived on its way.
      const now = this.#standing.fresh();
      if (now?.account === account) return this.#hold(now, growth, amounts);
      this.#keep({ answer, account }, growth);
    }
  }

  /** One write that asks for all who wait. */
  async #ask(wants: readonly Amounts[]): Promise<readonly Granted[]> {
    const pot = this.#pot;
    this.#pot = EMPTY;
    let handed: ReturnType<typeof handOut> | undefined;
    await this.#change(pot, (draft) => {
      this.#standing.check(draft, 'write');
      handed = handOut(draft, pot, wants, this.#standing.limitsOf(draft));
    });
    // The function ran, or the call would have failed.
    const { answers, pot: advance } = handed as unknown as ReturnType<typeof handOut>;
    const meanwhile = this.#pot;
    this.#pot = advance;
    if (meanwhile.account === advance.account) this.#add(meanwhile.amounts);
    return answers.map((answer) => ({ answer, account: advance.account }));
  }

  /** Changes the account with what was in the pot, which comes back if that certainly failed. */
  async #change(pot: Pot, fn: (draft: TenantState) => void, options: BlockCallOptions = {}): Promise<void> {
    const sent = this.#environment.clock.mono();
    try {
      const state = await this.#records.mutate(this.#standing.tenant, fn, options);
      this.#standing.learn(state, sent);
    } catch (error) {
      if (isUndone(error) && this.#pot.account === pot.account) this.#add(pot.amounts);
      else if (isUndone(error) && isNothing(this.#pot.amounts)) this.#pot = pot;
      throw error;
    }
  }

  #hold({ account, granted }: TenantState, growth: Amounts, amounts: Amounts): Hold {
    this.#used = this.#environment.clock.mono();
    if (!this.#isWatched) void this.#watch();
    // While others count what is stored nobody knows whether they have counted what goes.
    const shrinkage = granted === undefined ? shrinkageOf(amounts) : NOTHING;
    return { settle: (settlement) => this.#settle(settlement, account, growth, shrinkage) };
  }

  #settle(settlement: Settlement, account: number, growth: Amounts, shrinkage: Amounts): void {
    if (settlement === 'unknown' || this.#pot.account !== account) return;
    this.#add(settlement === 'applied' ? shrinkage : growth);
    if (isHoard(this.#pot.amounts)) this.giveBack({ signal: this.#closed }).catch(() => {});
  }

  #keep({ answer, account }: Granted, growth: Amounts): void {
    if (answer.type === 'granted' && account === this.#pot.account) this.#add(growth);
  }

  #add(amounts: Amounts): void {
    this.#pot = { ...this.#pot, amounts: plus(this.#pot.amounts, amounts) };
  }

  /** Gives back once nobody has written for a while. */
  async #watch(): Promise<void> {
    const { clock } = this.#environment;
    this.#isWatched = true;
    try {
      for (let left = this.#idle; left > 0; left = this.#used + this.#idle - clock.mono()) {
        await clock.sleep(left, { background: true, signal: this.#closed });
      }
      await this.giveBack({ signal: this.#closed });
    } catch {
      // What could not be given back stays in the pot, or counts as stored until it is reconciled.
    } finally {
      this.#isWatched = false;
    }
  }
}

/** Whether a write certainly did nothing. */
function isUndone(error: unknown): boolean {
  if (!(error instanceof NorimakiError)) return false;
  if (NorimakiError.is(error, 'outcome.unknown')) return false;
  const { applied } = error.details as { applied?: unknown };
  return applied !== 'unknown';
}
