import {
  type Deadline,
  deadlineOf,
  FREE,
  type Instant,
  isAhead,
  isHeldBy,
  type LeaseState,
  type Observed,
  observe,
  patienceLeft,
  released,
  renewed,
  taken,
} from '../../../src/patterns/shared/lease/index.ts';

/**
 * Two processes that want one lease, as a machine whose every state can be visited. What a process decides is decided by
 * the very functions that it runs; here are only the clocks, the messages and the store, and all that can happen to them:
 *
 * - time passes, each clock at its own rate, the slowest or the fastest that is allowed;
 * - a machine sleeps, and its monotonic clock stands still;
 * - a wall clock jumps, forward and back; offsets are the jumps of before;
 * - a request is under way for any time, and so is its answer; or the process gave up waiting, and it arrives all the same;
 * - a process does nothing for any time, or never again.
 */
export const TTL = 6;
export const DRIFT = 0.5;
/** Two units of time, on a clock that is as slow, and as fast, as is allowed. */
const SLOW = 1;
const FAST = 3;
/** Enough to undo what passed on a wall clock while its machine slept. */
const JUMP = 9;

/** How fast the clocks of both run. */
export type Rates = readonly [number, number];
/** The extremes; two processes that change places are the same two. */
export const RATES: readonly Rates[] = [
  [SLOW, FAST],
  [SLOW, SLOW],
  [FAST, FAST],
];

/** The decisions of a process. A mutant replaces some of them. */
export interface Rules {
  deadlineOf(sent: Instant, answered: Instant): Deadline;
  isAhead(deadline: Deadline, at: Instant): boolean;
  observe(before: Observed | undefined, now: LeaseState, asked: number, answered: number): Observed;
  /** `stamp`: what the holder's wall clock said when it last wrote; only a mutant looks at it. */
  patience(observed: Observed, now: LeaseState, at: Instant, stamp: number): number;
  /** Whether a holder stops before it sends its release. */
  readonly stopsFirst: boolean;
  /** Whether a take-over is conditional. */
  readonly comparesAndSwaps: boolean;
}

export const RULES: Rules = {
  deadlineOf: (sent) => deadlineOf(sent, TTL, DRIFT),
  isAhead,
  observe: (before, now, _asked, answered) => observe(before, now, answered),
  patience: (observed, now, at) => patienceLeft(observed, now, at.mono, DRIFT),
  stopsFirst: true,
  comparesAndSwaps: true,
};

interface Seen {
  readonly observed: Observed;
  readonly state: LeaseState;
  readonly stamp: number;
}

interface Request {
  readonly kind: 'read' | 'take' | 'renew' | 'release';
  readonly sent: Instant;
  /** What the sender went by. */
  readonly basis: LeaseState;
  /** `undefined`: on its way. */
  readonly answer?: { readonly state: LeaseState; readonly stamp: number; readonly isDone: boolean };
}

interface Process {
  readonly clock: Instant;
  readonly seen?: Seen | undefined;
  readonly lease?: { readonly token: bigint; readonly deadline: Deadline } | undefined;
  readonly request?: Request | undefined;
  /** A request that the process has given up, and that is still on its way. */
  readonly zombie?: Request | undefined;
  readonly hasJumped: boolean;
}

export interface World {
  readonly store: { readonly state: LeaseState; readonly stamp: number };
  readonly processes: readonly [Process, Process];
}

const ORIGIN: Instant = { mono: 0, wall: 0 };

/** One of them has just sent a request to take the lease, which nobody has held yet. */
export const START: World = {
  store: { state: FREE, stamp: 0 },
  processes: [
    { clock: ORIGIN, hasJumped: false, request: { kind: 'take', sent: ORIGIN, basis: FREE } },
    { clock: ORIGIN, hasJumped: false },
  ],
};

const NAMES = ['a', 'b'] as const;

/** Whether a process believes at this instant that it holds the lease. */
export function isValid({ lease, clock }: Process, rules: Rules): boolean {
  return lease !== undefined && rules.isAhead(lease.deadline, clock);
}

function withProcess(world: World, i: number, change: Partial<Process>): World {
  const processes = world.processes.map((process, j) => (i === j ? { ...process, ...change } : process));
  return { ...world, processes: processes as never };
}

/** What may happen beside delays and drift. */
export interface Events {
  readonly rates: Rates;
  /** Machines sleep. */
  readonly sleeps?: boolean | undefined;
  /** Wall clocks jump, each once. */
  readonly jumps?: 'forward' | 'back' | undefined;
  /** A read takes its time on the way, not its answer alone. */
  readonly slowReads?: boolean | undefined;
  /** Requests arrive although their process gave them up. */
  readonly zombies?: boolean | undefined;
}

/** Everything that can happen next, with its name. */
export function* next(world: World, rules: Rules, events: Events): Generator<[string, World]> {
  yield* passing(world, events);
  for (const i of [0, 1]) {
    const process = world.processes[i] as Process;
    if (events.jumps !== undefined && !process.hasJumped) yield jumping(world, i, process, events.jumps);
    yield* delivering(world, i, process, rules, events);
    yield* acting(world, i, process, rules, events);
  }
}

function* passing(world: World, { rates, sleeps }: Events): Generator<[string, World]> {
  for (const sleeper of sleeps ? [undefined, 0, 1] : [undefined]) {
    const processes = world.processes.map((process, i) => {
      const { mono, wall } = process.clock;
      const passed = rates[i] as number;
      const clock = { mono: i === sleeper ? mono : mono + passed, wall: wall + passed };
      return { ...process, clock };
    });
    const asleep = sleeper === undefined ? '' : `, ${NAMES[sleeper]} asleep`;
    yield [`time${asleep}`, { ...world, processes: processes as never }];
  }
}

function jumping(world: World, i: number, { clock }: Process, jumps: 'forward' | 'back'): [string, World] {
  const wall = clock.wall + (jumps === 'forward' ? JUMP : -JUMP);
  const jumped = withProcess(world, i, { clock: { mono: clock.mono, wall }, hasJumped: true });
  return [`${NAMES[i]}'s wall clock jumps ${jumps}`, jumped];
}

function* delivering(
  world: World,
  i: number,
  process: Process,
  rules: Rules,
  events: Events,
): Generator<[string, World]> {
  const { request, zombie } = process;
  const name = NAMES[i] as string;
  if (request !== undefined && request.answer === undefined) {
    yield [`${name} ${request.kind} arrives`, arrived(world, i, rules)];
    if (events.zombies && request.kind !== 'read' && zombie === undefined) {
      yield [`${name} gives up its ${request.kind}`, withProcess(world, i, { request: undefined, zombie: request })];
    }
  }
  if (zombie !== undefined) {
    const [store] = applied(world.store, zombie, name, rules);
    yield [`${name} old ${zombie.kind} arrives`, { ...withProcess(world, i, { zombie: undefined }), store }];
  }
  if (request?.answer !== undefined) {
    yield [
      `${name} hears of its ${request.kind}`,
      withProcess(world, i, heard(process, request, request.answer, rules)),
    ];
  }
}

function arrived(world: World, i: number, rules: Rules): World {
  const request = world.processes[i]?.request;
  if (request === undefined) return world;
  const [store, isDone] = applied(world.store, request, NAMES[i] as string, rules);
  const answered = { ...request, answer: { ...store, isDone } };
  return { ...withProcess(world, i, { request: answered }), store };
}

function applied(
  store: World['store'],
  { kind, sent, basis }: Request,
  name: string,
  rules: Rules,
): [store: World['store'], isDone: boolean] {
  const { state } = store;
  const isSame = state.token === basis.token && state.beat === basis.beat;
  const write = (next: LeaseState): [World['store'], boolean] => [{ state: next, stamp: sent.wall }, true];
  const isOurs = isHeldBy(state, name, basis.token);
  if (kind === 'take' && (isSame || !rules.comparesAndSwaps))
    return write(taken(rules.comparesAndSwaps ? state : basis, name, TTL));
  if (kind === 'renew' && isOurs) return write(renewed(state));
  if (kind === 'release' && isOurs) return write(released(state));
  return [store, kind === 'read'];
}

function heard(
  process: Process,
  request: Request,
  answer: NonNullable<Request['answer']>,
  rules: Rules,
): Partial<Process> {
  const { clock, lease, seen } = process;
  const done = { request: undefined };
  if (request.kind === 'read') {
    const observed = rules.observe(seen?.observed, answer.state, request.sent.mono, clock.mono);
    return { ...done, seen: { observed, state: answer.state, stamp: answer.stamp } };
  }
  if (request.kind === 'release') return { ...done, lease: undefined };
  const deadline = rules.deadlineOf(request.sent, clock);
  if (request.kind === 'take') {
    return answer.isDone ? { ...done, seen: undefined, lease: { token: answer.state.token, deadline } } : done;
  }
  const holdsOn = answer.isDone && lease !== undefined && rules.isAhead(lease.deadline, clock);
  return { ...done, lease: holdsOn ? { token: lease.token, deadline } : undefined };
}

function* acting(
  world: World,
  i: number,
  process: Process,
  rules: Rules,
  { slowReads }: Events,
): Generator<[string, World]> {
  const { clock, lease, request, seen } = process;
  const name = NAMES[i] as string;
  if (request !== undefined) return;
  const send = (kind: Request['kind'], basis: LeaseState, change: Partial<Process> = {}): [string, World] => [
    `${name} sends ${kind}`,
    withProcess(world, i, { request: { kind, sent: clock, basis }, ...change }),
  ];
  if (lease !== undefined && isValid(process, rules)) {
    const basis = { ...FREE, holder: name, token: lease.token };
    yield send('renew', basis);
    yield send('release', basis, rules.stopsFirst ? { lease: undefined } : {});
    return;
  }
  const [label, asked] = send('read', FREE, { lease: undefined });
  yield [label, slowReads ? asked : arrived(asked, i, rules)];
  if (seen === undefined) return;
  const isOwn = seen.state.holder === name;
  if (isOwn || rules.patience(seen.observed, seen.state, clock, seen.stamp) <= 0) {
    yield send('take', seen.state, { lease: undefined });
  }
}

/** Equal for worlds with the same future: only differences of times and the order of tokens count, and nothing long past. */
export function keyOf({ store, processes }: World, { slowReads }: Events): string {
  // The order of tokens and of beats never decides anything; whether they are the same does.
  const ranker = (): ((value: string) => number) => {
    const known: string[] = [];
    return (value) => {
      const at = known.indexOf(value);
      return at === -1 ? known.push(value) - 1 : at;
    };
  };
  const tokens = ranker();
  const beats = ranker();
  const rank = (token: bigint): number => tokens(`${token}`);
  const stateKey = ({ holder, token, beat }: LeaseState): string =>
    `${holder ?? ''}${rank(token)}.${beats(`${token}/${beat}`)}`;
  let key = stateKey(store.state);
  for (const { clock, seen, lease, request, zombie, hasJumped } of processes) {
    key += `|${hasJumped ? 'j' : ''}`;
    const mono = (time: number): number => Math.max(OVER, time - clock.mono);
    const wall = (time: number): number => Math.max(PAST, time - clock.wall);
    if (seen !== undefined) key += `;${stateKey(seen.state)},${mono(seen.observed.since)}`;
    // A lease that is over on a clock that never goes back is none.
    if (lease !== undefined && lease.deadline.mono > clock.mono) {
      const { deadline } = lease;
      key += `;L${rank(lease.token)},${mono(deadline.mono)},${wall(deadline.wall.from)},${wall(deadline.wall.until)}`;
    }
    for (const one of [request, zombie]) {
      if (one === undefined) {
        key += ';';
        continue;
      }
      const { kind, sent, basis, answer } = one;
      key += `;${kind}`;
      if (kind === 'take' || kind === 'renew' || (slowReads && kind === 'read'))
        key += `${mono(sent.mono)},${wall(sent.wall)}`;
      if (kind === 'take') key += stateKey(basis);
      else if (kind !== 'read') key += rank(basis.token);
      if (answer !== undefined) key += `!${answer.isDone ? 'd' : ''}${kind === 'read' ? stateKey(answer.state) : ''}`;
    }
  }
  return key;
}

/** On a monotonic clock: nobody waits for longer, whatever is mutated. */
const OVER = -TTL * (1 + DRIFT);
/** On a wall clock, which may be turned back. */
const PAST = OVER - JUMP;
