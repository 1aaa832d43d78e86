import type { Allowed, Decision, Denied, RateLimiter } from '../../patterns/index.ts';

/** What every framework's rate limit takes. */
export interface RateLimitOptions<Incoming> {
  /**
   * Whose requests are counted together: the id of a user, an API key, an address. Behind a proxy the address of the
   * connection is the proxy's: see the framework's `trust proxy`.
   */
  readonly key: (request: Incoming) => string | Promise<string>;
  /** What a request costs; default 1. */
  readonly cost?: number | ((request: Incoming) => number | Promise<number>) | undefined;
  /** Requests that are neither counted nor refused. */
  readonly skip?: ((request: Incoming) => boolean | Promise<boolean>) | undefined;
  /**
   * Gives back what a request was charged, by the status of its response: `(status) => status >= 500` charges no failure
   * of yours, `(status) => status < 400` counts only what failed, as for logins.
   */
  readonly refundIf?: ((status: number) => boolean) | undefined;
  /** Hears of a refund that failed; default `process.emitWarning`. */
  readonly onRefundError?: ((error: unknown) => void) | undefined;
}

/** A request that was counted. */
export interface Counted<D extends Decision = Decision> {
  readonly decision: D;
  /** To be called with the status of the response. Never rejects. */
  readonly settle: (status: number) => Promise<void>;
}

/** Counts a request; `undefined` if it is skipped. Errors: those of `consume`, and what the functions throw. */
export async function count<Incoming>(
  limiter: RateLimiter,
  options: RateLimitOptions<Incoming>,
  request: Incoming,
): Promise<Counted<Allowed> | Counted<Denied> | undefined> {
  const { cost: given = 1, skip, refundIf, onRefundError = warn } = options;
  if (await skip?.(request)) return undefined;
  const key = await options.key(request);
  const cost = typeof given === 'function' ? await given(request) : given;
  const decision = await limiter.consume(key, { cost });
  if (!decision.allowed) return { decision, settle: async () => {} };
  const settle = async (status: number): Promise<void> => {
    try {
      if (cost > 0 && decision.source === 'store' && refundIf?.(status)) await limiter.refund(key, cost);
    } catch (error) {
      onRefundError(error);
    }
  };
  return { decision, settle };
}

function warn(error: unknown): void {
  process.emitWarning(`A rate limit could not give back what a request was charged: ${String(error)}`);
}

/** Headers of which a response may have several: those of other limits are kept. */
const LISTS: ReadonlySet<string> = new Set(['ratelimit', 'ratelimit-policy']);

/** What to set on a response, of which `current` are the headers that it has. */
export function mergedHeaders(decision: Decision, current: (name: string) => unknown): [string, string][] {
  return [...decision.headers()].map(([name, value]) => {
    const there = LISTS.has(name) ? current(name) : undefined;
    return [name, there === undefined || there === null ? value : `${String(there)}, ${value}`];
  });
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The body of a refusal: the problem types of draft-ietf-httpapi-ratelimit-headers-11. */
export function problemOf({ by, limits }: Denied): string {
  const isBlock = by === 'block';
  const violated = limits.filter(({ retryAfter }) => retryAfter > 0).map(({ name }) => name);
  return JSON.stringify({
    type: `https://iana.org/assignments/http-problem-types#${isBlock ? 'abnormal-usage-detected' : 'quota-exceeded'}`,
    title: isBlock ? 'Request refused for a while' : 'Request cannot be satisfied as assigned quota has been exceeded',
    status: 429,
    'violated-policies': violated,
  });
}
