import type { Arbitrary } from 'fast-check';
import type { ContractInput, World } from '../contract-case.ts';
import { withWorld } from '../world.ts';
import type { StoreCommand } from './command.ts';

export type FastCheck = typeof import('fast-check');

export const COMMANDS = 60;
const DEFAULT_RUNS = 300;

/** How a model and the commands on it are made. */
interface Modelled<M extends object> {
  /** Every command that the store can be given; frequent ones stand several times. */
  commands(fc: FastCheck, input: ContractInput): Arbitrary<StoreCommand<M>>[];
  model(world: World): M;
  /** That the store is in the state of the model. */
  assertAll(model: M, world: World): Promise<void>;
}

/** Loaded when it is needed: it is an optional peer of the library. */
async function loadFastCheck(): Promise<FastCheck> {
  return import('fast-check');
}

function numberOfRuns({ runs = DEFAULT_RUNS }: ContractInput): number {
  const scale = Number(process.env.NORIMAKI_RUNS ?? 1);
  return Math.max(1, Math.round(runs * (Number.isFinite(scale) ? scale : 1)));
}

/** Gives stores any sequence of commands. A failure prints the seed and the shortest sequence. */
export async function checkModel<M extends object>(
  { input }: World,
  { commands, model, assertAll }: Modelled<M>,
): Promise<void> {
  const fc = await loadFastCheck();
  const sequences = fc.commands(commands(fc, input), { maxCommands: COMMANDS, size: 'max' });
  const property = fc.asyncProperty(sequences, (steps) =>
    withWorld(input, async (world) => {
      const expected = model(world);
      await fc.asyncModelRun(() => ({ model: expected, real: world }), steps);
      await assertAll(expected, world);
    }),
  );
  await fc.assert(property, { numRuns: numberOfRuns(input), ...(input.seed !== undefined && { seed: input.seed }) });
}
