import { channel } from 'node:diagnostics_channel';
import { NorimakiError } from '../../core/errors.ts';
import { randomId } from '../../core/random-id.ts';
import type { Database } from '../../repositories/index.ts';
import { IndexDocument } from '../shared/index-document/index-document.ts';
import { type AuditRepository, type AuditState, auditRecords, type TenantState } from './records.ts';
import type { Registry } from './registry.ts';

/** Who works on all tenants, and why: both are stored. */
export interface AcrossOptions {
  readonly reason: string;
  readonly actor: string;
  /** Tenants at once, 1 to 100; default 4. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the work gave for one tenant. One that fails does not stop the others. */
export type AcrossResult<T> =
  | { readonly tenant: string; readonly ok: true; readonly value: T }
  | { readonly tenant: string; readonly ok: false; readonly error: unknown };

/** Work across tenants, as it was recorded. Without `completedAt` it is under way, or died. */
export type Audit = Omit<AuditState, 'registry'>;

/** Told on the diagnostics channel `norimaki:tenants.across` before such work begins. */
export type AcrossEvent = Pick<Audit, 'id' | 'reason' | 'actor'>;

const events = channel('norimaki:tenants.across');

/** The one way to all tenants, and the record of each use of it. */
export class AuditedDoor {
  readonly #registry: Registry;
  readonly #audits: AuditRepository;
  readonly #ids: IndexDocument;

  constructor(db: Database, registry: Registry) {
    this.#registry = registry;
    this.#audits = auditRecords(db);
    this.#ids = new IndexDocument(db, { name: `tenants.audits/${registry.settings.name}` });
  }

  async run<T>(options: AcrossOptions, work: (tenant: TenantState) => Promise<T>): Promise<AcrossResult<T>[]> {
    const { concurrency = 4, signal } = options;
    if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > 100) {
      throw new NorimakiError('argument.invalid', 'concurrency is a whole number from 1 to 100.', {
        argument: 'concurrency',
      });
    }
    const audit = await this.#begin(options);
    const { id, reason, actor } = audit;
    if (events.hasSubscribers) events.publish({ id, reason, actor } satisfies AcrossEvent);
    const results: AcrossResult<T>[] = [];
    const tenants = this.#registry.all({ signal });
    let failure: { readonly error: unknown } | undefined;
    const worker = async (): Promise<void> => {
      while (failure === undefined) {
        const next = await tenants.next();
        if (next.done) return;
        const { id: tenant } = next.value;
        const result = await work(next.value).then(
          (value) => ({ tenant, ok: true as const, value }),
          (error: unknown) => ({ tenant, ok: false as const, error }),
        );
        results.push(result);
      }
    };
    const guarded = (): Promise<void> =>
      worker().catch((error: unknown) => {
        failure ??= { error };
      });
    await Promise.all(Array.from({ length: concurrency }, guarded));
    const done = results.filter(({ ok }) => ok).length;
    if (failure === undefined) await this.#complete(id, done, results.length - done);
    else throw failure.error;
    return results.sort((a, b) => (a.tenant < b.tenant ? -1 : 1));
  }

  /** All that was recorded, the oldest first. */
  async *audits({
    after,
    signal,
  }: {
    after?: string | undefined;
    signal?: AbortSignal | undefined;
  }): AsyncGenerator<Audit> {
    for await (const ids of this.#ids.pages({ after, signal })) {
      for (const found of await this.#audits.getMany(ids, { signal })) {
        if (found === undefined) continue;
        const { registry: _, ...audit } = found;
        yield audit;
      }
    }
  }

  async #begin({ reason, actor, signal }: AcrossOptions): Promise<AuditState> {
    for (const [argument, text] of Object.entries({ reason, actor })) {
      if (typeof text === 'string' && text.trim() !== '') continue;
      throw new NorimakiError('argument.invalid', `Work across tenants has a ${argument}: a text, which is stored.`, {
        argument,
      });
    }
    const { clock, random } = this.#registry.environment;
    const startedAt = new Date(clock.now());
    const id = `${startedAt.toISOString()}/${randomId(random, 9)}`;
    const { name: registry } = this.#registry.settings;
    await this.#ids.add(id, { signal });
    return this.#audits.create({ id, registry, reason, actor, startedAt, done: 0, failed: 0 }, { signal });
  }

  async #complete(id: string, done: number, failed: number): Promise<void> {
    const completedAt = new Date(this.#registry.environment.clock.now());
    await this.#audits.mutate(id, (draft) => {
      Object.assign(draft, { completedAt, done, failed });
    });
  }
}
