import type { AsyncCommand } from 'fast-check';
import type { World } from '../contract-case.ts';
import type { StoreModel } from './model.ts';

/** One step of the stateful test; prints as what it does. */
export class StoreCommand<M extends object = StoreModel> implements AsyncCommand<M, World> {
  readonly #text: string;
  readonly #run: (model: M, world: World) => Promise<void>;

  constructor(text: string, run: (model: M, world: World) => Promise<void>) {
    this.#text = text;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(model: M, world: World): Promise<void> {
    return this.#run(model, world);
  }

  toString(): string {
    return this.#text;
  }
}
