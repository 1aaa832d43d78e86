import { openRecord, sealRecord } from '../../core/codec/index.ts';
import { decodeTuple } from '../../core/keys/index.ts';
import type { Sealer } from '../../repositories/internal.ts';
import { usageOf } from '../../repositories/tenancy/metering.ts';
import type { PartWrite, TenantPart } from '../../repositories/tenancy/part.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { quotaExceeded } from './errors.ts';
import { badLine, bytes64, type DerivedLine, type RecordLine, readLine, type VectorsLine } from './lines.ts';
import type { TenantState } from './records.ts';
import type { Registry } from './registry.ts';
import { type Amounts, amountsOf, METRICS, NOTHING, plus } from './usage.ts';

export interface ImportOptions<Plan extends string = string> extends BlockCallOptions {
  readonly plan: Plan;
  /** Told after each batch of lines. */
  readonly onProgress?: ((progress: { readonly lines: number }) => void) | undefined;
}

/** Lines that are written at once. */
const TOGETHER = 100;

/** Makes a tenant of what {@link exportLines} gave. */
export class Import {
  readonly #registry: Registry;
  readonly #state: TenantState;
  readonly #part: TenantPart;
  readonly #sealer: Sealer | undefined;
  readonly #options: ImportOptions;
  #writes: PartWrite[] = [];
  #amounts: Amounts = NOTHING;
  #lines = 0;

  /** `state`: of a tenant that was made for this, suspended. */
  constructor(
    registry: Registry,
    state: TenantState,
    part: TenantPart,
    sealer: Sealer | undefined,
    options: ImportOptions,
  ) {
    this.#registry = registry;
    this.#state = state;
    this.#part = part;
    this.#sealer = sealer;
    this.#options = options;
  }

  /** Errors: `argument.invalid`, `tenant.quotaExceeded`. */
  async run(lines: AsyncIterable<string> | Iterable<string>): Promise<TenantState> {
    let isWhole = false;
    for await (const text of lines) {
      if (text.trim() === '') continue;
      this.#lines++;
      const line = readLine(text, this.#lines);
      if (isWhole || 'norimaki' in line !== (this.#lines === 1)) throw badLine(this.#lines);
      if ('end' in line) isWhole = line.lines === this.#lines - 1;
      else if ('vectors' in line) await this.#vectors(line);
      else if ('record' in line) this.#record(line);
      else if ('kind' in line) this.#write(line.kind, line, bytes64(line.value));
      if (this.#writes.length >= TOGETHER) await this.#flush();
    }
    if (!isWhole) throw badLine(this.#lines + 1);
    await this.#flush();
    return this.#change((draft) => {
      draft.state = 'active';
    });
  }

  #record(line: RecordLine): void {
    const { record, envelope } = line;
    const { id: tenant, generation } = this.#state;
    const body = JSON.stringify(record).slice(0, -1);
    const whole = { ...envelope, fence: envelope.fence === undefined ? undefined : BigInt(envelope.fence) };
    const plain = this.#checked(() => {
      const sealed = sealRecord(body, { ...whole, tenant, generation });
      openRecord(sealed, () => `Line ${this.#lines}`, line.entity);
      return sealed;
    });
    const key = this.#keyOf('r', line);
    const value = this.#sealer === undefined ? plain : this.#sealer.seal(key, plain);
    this.#amounts = plus(this.#amounts, amountsOf(usageOf(whole, value.length)));
    this.#writes.push({ key, value, expiresAt: envelope.expiresAt });
  }

  #write(kind: DerivedLine['kind'], line: DerivedLine, value: Uint8Array): void {
    this.#writes.push({ key: this.#keyOf(kind, line), value });
  }

  async #vectors({ entity, embedding, spec, vectors }: VectorsLine): Promise<void> {
    const found = this.#checked(() =>
      vectors.map(([id, text]) => [id, new Float32Array(bytes64(text).buffer)] as const),
    );
    const { generation } = this.#state;
    await this.#part.writeVectors(generation, entity, { embedding, spec }, found, this.#options.signal);
  }

  /** What an export says of the rest of a key cannot lead out of the tenant: what stands before it does not come from there. */
  #keyOf(kind: 'r' | DerivedLine['kind'], { entity, key }: RecordLine | DerivedLine): Uint8Array {
    return this.#checked(() => {
      const rest = bytes64(key);
      decodeTuple(rest);
      return new Uint8Array(Buffer.concat([this.#part.prefixOf(this.#state.generation, entity, kind), rest]));
    });
  }

  #checked<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw badLine(this.#lines, error);
    }
  }

  /** Charges what is written before it is written. */
  async #flush(): Promise<void> {
    const writes = this.#writes;
    const amounts = this.#amounts;
    if (writes.length === 0) return;
    this.#writes = [];
    this.#amounts = NOTHING;
    const limits = this.#registry.settings.plans.get(this.#options.plan) ?? NOTHING;
    await this.#change((draft) => {
      const charged = plus(draft.charged, amounts);
      const metric = METRICS.find((one) => charged[one] > limits[one]);
      if (metric !== undefined) throw quotaExceeded(draft.id, metric, limits[metric], draft.charged[metric]);
      draft.charged = charged;
    });
    await this.#part.write(writes, this.#options.signal);
    this.#options.onProgress?.({ lines: this.#lines });
  }

  #change(fn: (draft: TenantState) => void): Promise<TenantState> {
    const { id, generation } = this.#state;
    return this.#registry.change(
      id,
      (draft) => {
        // Somebody has purged it meanwhile.
        if (draft.generation !== generation) throw badLine(this.#lines);
        fn(draft);
      },
      this.#options,
    );
  }
}
