/** What a visit of all states found. */
export interface Visit {
  readonly states: number;
  /** Steps from the start that were all taken. */
  readonly depth: number;
  /** Whether there was no state left to visit. */
  readonly isComplete: boolean;
  /** The shortest way to a state that must not be. */
  readonly way: readonly string[] | undefined;
}

interface Node<State> {
  readonly state: State;
  readonly label: string;
  readonly from: Node<State> | undefined;
}

/** Visits every state that can be reached, nearest first, until one is bad. `key` is equal for states with the same future. */
export function visitAll<State>(
  start: State,
  options: {
    readonly next: (state: State) => Iterable<readonly [label: string, state: State]>;
    readonly key: (state: State) => string;
    readonly isBad: (state: State) => boolean;
    readonly maxStates: number;
  },
): Visit {
  const { next, key, isBad, maxStates } = options;
  const known = new Set([key(start)]);
  let frontier: Node<State>[] = [{ state: start, label: 'start', from: undefined }];
  let depth = 0;
  for (; frontier.length > 0; depth++) {
    const following: Node<State>[] = [];
    for (const node of frontier) {
      for (const [label, state] of next(node.state)) {
        const name = key(state);
        if (known.has(name)) continue;
        known.add(name);
        const reached = { state, label, from: node };
        if (isBad(state)) return { states: known.size, depth, isComplete: false, way: wayTo(reached) };
        following.push(reached);
      }
      if (known.size >= maxStates) return { states: known.size, depth, isComplete: false, way: undefined };
    }
    frontier = following;
  }
  return { states: known.size, depth, isComplete: true, way: undefined };
}

function wayTo<State>(node: Node<State>): string[] {
  const way: string[] = [];
  for (let at: Node<State> | undefined = node; at !== undefined; at = at.from) way.unshift(at.label);
  return way;
}
