import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, refuse } from '../shared/options.ts';
import type { TenantEncryption } from './encryption.ts';
import { type Amounts, eachMetric, METRICS } from './usage.ts';

const UNITS = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** A number of bytes: `'500kB'`, `'10MB'`, `'1GiB'`, or the number itself. */
export type ByteSize = number | `${number}${keyof typeof UNITS}`;

/** What a tenant may store; what is left out has no limit. */
export interface PlanLimits {
  /** Records, those of blocks too. */
  readonly keys?: number | undefined;
  /** Of the values of all records. */
  readonly bytes?: ByteSize | undefined;
  readonly vectors?: number | undefined;
}

/** What managed tenants are told when they are made. */
export interface TenantsOptions<Plan extends string = string> extends BlockOptions {
  /** The limits of each plan, by its name. */
  readonly plans: Readonly<Record<Plan, PlanLimits>>;
  /** How long a process may go by what it last read of a tenant: suspending takes so long at most. Default `'1s'`. */
  readonly policyTtl?: Duration | undefined;
  /**
   * The longest that a write can be on its way to the store; default `'30s'`. `purge` and `reconcile` wait so long for
   * writes of processes that have died.
   */
  readonly writeTimeout?: Duration | undefined;
  /** How much faster or slower than another the clock of a machine may run; default 0.01. */
  readonly maxDriftRate?: number | undefined;
  /** After so long without a write a process gives back what it may still store; default `'5s'`. */
  readonly idle?: Duration | undefined;
  /** Keys by which the records of each tenant are encrypted; without it they are plain. */
  readonly encryption?: TenantEncryption | undefined;
}

/** The options, checked. */
export interface TenantsSettings {
  readonly name: string;
  readonly plans: ReadonlyMap<string, Amounts>;
  readonly policyTtl: number;
  readonly writeTimeout: number;
  readonly maxDriftRate: number;
  readonly idle: number;
  readonly encryption: TenantEncryption | undefined;
}

/** No limit, as a number that sums do not overflow. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** Errors: `argument.invalid`. */
export function settingsOf(options: TenantsOptions): TenantsSettings {
  const { maxDriftRate = 0.01, encryption } = options;
  if (!(maxDriftRate >= 0 && maxDriftRate <= 0.5)) refuse('maxDriftRate', 'maxDriftRate is a number from 0 to 0.5.');
  const policyTtl = milliseconds(options.policyTtl ?? '1s', 'policyTtl');
  if (policyTtl === 0) refuse('policyTtl', 'policyTtl is longer than nothing; for one handle there is read: "strong".');
  return {
    name: checkName('Tenants', options.name),
    plans: plansOf(options.plans),
    policyTtl,
    writeTimeout: milliseconds(options.writeTimeout ?? '30s', 'writeTimeout'),
    maxDriftRate,
    idle: milliseconds(options.idle ?? '5s', 'idle'),
    encryption,
  };
}

function plansOf(plans: Readonly<Record<string, PlanLimits>>): Map<string, Amounts> {
  const entries = typeof plans === 'object' && plans !== null ? Object.entries(plans) : [];
  if (entries.length === 0) refuse('plans', 'plans names at least one plan: { free: { keys: 1_000 } }.');
  return new Map(entries.map(([name, limits]) => [name, limitsOf(name, limits)]));
}

function limitsOf(plan: string, limits: PlanLimits): Amounts {
  const stray = Object.keys(limits).find((name) => !METRICS.some((metric) => metric === name));
  if (stray !== undefined) refuse('plans', `The plan '${plan}' limits '${stray}'; a plan has keys, bytes and vectors.`);
  return eachMetric((metric) => {
    const given = limits[metric];
    if (given === undefined) return UNLIMITED;
    const limit = metric === 'bytes' ? bytesOf(given) : given;
    if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0) return limit;
    return refuse('plans', `${metric} of the plan '${plan}' is a whole number from 0; leave it out for no limit.`);
  });
}

function bytesOf(size: ByteSize): number {
  if (typeof size === 'number') return size;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([kMGTKi]{0,2}B)$/.exec(size) ?? [];
  const factor = Object.entries(UNITS).find(([name]) => name === unit)?.[1];
  return factor === undefined ? Number.NaN : Math.floor(Number(amount) * factor);
}

/** Errors: `argument.invalid`. */
export function checkPlan(plans: ReadonlyMap<string, Amounts>, plan: string): void {
  if (plans.has(plan)) return;
  refuse('plan', `There is no such plan. The plans are: ${[...plans.keys()].join(', ')}.`);
}
