import { projectionNewer } from './errors.ts';
import type { Build, Generations, ProjectionRecords } from './records.ts';

/** The generations of one projection, and the steps from one to the next: each one compare-and-swap. */
export class GenerationLog {
  readonly name: string;
  readonly #records: ProjectionRecords;
  readonly #id: { readonly store: string; readonly name: string };

  constructor(records: ProjectionRecords, store: string, name: string) {
    this.name = name;
    this.#records = records;
    this.#id = { store, name };
  }

  /** `undefined`: nothing was projected yet. */
  read(signal: AbortSignal | undefined): Promise<Generations | undefined> {
    return this.#records.get(this.#id, { signal });
  }

  /** What there is for a program that knows this version: the first generation if there is none, a new one to build if it is older. */
  begin(version: number, signal: AbortSignal): Promise<Generations> {
    return this.#change(
      version,
      (draft) => {
        const newest = Math.max(draft.live.version, draft.building?.version ?? 0);
        if (newest < version) startBuild(draft, version);
      },
      signal,
    );
  }

  /** A new generation beside the live one, unless one of this version is being built. Errors: `events.projectionNewer`. */
  async build(version: number, signal: AbortSignal): Promise<Build> {
    const { building } = await this.#change(
      version,
      (draft) => {
        const newest = Math.max(draft.live.version, draft.building?.version ?? 0);
        if (newest > version) throw projectionNewer(this.name, newest, version);
        if (draft.building?.version !== version) startBuild(draft, version);
      },
      signal,
    );
    // It was there, or has just been made.
    return building as Build;
  }

  /** Shows readers the generation that was built. `false`: somebody has done so before, or it was given up. */
  async switchTo(generation: number, signal: AbortSignal): Promise<boolean> {
    let isDone = false;
    await this.#records.mutate(
      this.#id,
      (draft) => {
        isDone = draft.building?.generation === generation;
        if (draft.building === undefined || !isDone) return;
        draft.retired.push(draft.live.generation);
        draft.live = draft.building;
        draft.building = undefined;
      },
      { signal },
    );
    return isDone;
  }

  /** The records of a retired generation are gone. */
  async forget(generation: number, signal: AbortSignal): Promise<void> {
    await this.#records.mutate(
      this.#id,
      (draft) => {
        draft.retired = draft.retired.filter((retired) => retired !== generation);
      },
      { signal },
    );
  }

  #change(version: number, fn: (draft: Generations) => void, signal: AbortSignal): Promise<Generations> {
    const first = { last: 1, live: { generation: 1, version }, retired: [] };
    return this.#records.mutate(this.#id, fn, { ifAbsent: first, signal });
  }
}

function startBuild(draft: Generations, version: number): void {
  if (draft.building !== undefined) draft.retired.push(draft.building.generation);
  draft.last++;
  draft.building = { generation: draft.last, version };
}
