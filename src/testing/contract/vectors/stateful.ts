import type { Arbitrary } from 'fast-check';
import type { VectorWrite } from '../../../core/vectors/index.ts';
import { type ContractInput, hasNeed, type PromisedGroup } from '../contract-case.ts';
import type { StoreCommand } from '../model/command.ts';
import { COMMANDS, checkModel, type FastCheck } from '../model/run.ts';
import {
  assertAll,
  commitVectorsCommand,
  createIndexCommand,
  dropIndexCommand,
  getVectorsCommand,
  listCommand,
  reopenVectorsCommand,
  searchCommand,
  writeVectorCommand,
} from './commands.ts';
import { DIMENSIONS, MODEL_IDS, MODEL_NAMESPACES, VectorModel } from './model.ts';
import { index, METRICS } from './samples.ts';

function commandsFor(fc: FastCheck, input: ContractInput): Arbitrary<StoreCommand<VectorModel>>[] {
  const namespace = fc.constantFrom(...MODEL_NAMESPACES);
  const id = fc.constantFrom(...MODEL_IDS);
  // Numbers whose products and sums are exact: distances that are equal are so in every arithmetic.
  const ofLength = (length: number): Arbitrary<Float32Array> =>
    fc
      .array(fc.constantFrom(-1, 0, 1), { minLength: length, maxLength: length })
      .map((numbers) => Float32Array.from(numbers));
  const vector = fc.oneof(
    { arbitrary: ofLength(DIMENSIONS), weight: 9 },
    { arbitrary: ofLength(DIMENSIONS - 1), weight: 1 },
  );
  const options = fc
    .record({
      dimensions: fc.constantFrom(DIMENSIONS, DIMENSIONS, DIMENSIONS, DIMENSIONS - 1),
      metric: fc.constantFrom(...METRICS),
    })
    .map(({ dimensions, metric }) => index(dimensions, { metric }));
  const insert: Arbitrary<VectorWrite> = fc.record({ type: fc.constant('insert'), namespace, id, vector });
  const remove: Arbitrary<VectorWrite> = fc.record({ type: fc.constant('delete'), namespace, id });
  const several = fc.uniqueArray(fc.oneof(insert, insert, remove), {
    maxLength: 4,
    selector: (write) => JSON.stringify([write.namespace, write.id]),
  });
  const value = fc.option(fc.constantFrom('one', 'two'), { nil: undefined, freq: 2 });
  const ifAbsent = hasNeed(input, 'ifAbsent') ? fc.boolean() : fc.constant(false);
  const commit = fc.tuple(value, ifAbsent, several).map((parts) => commitVectorsCommand(...parts));
  const page = fc.tuple(namespace, fc.option(id, { nil: undefined }), fc.integer({ min: 1, max: 4 }));

  return [
    fc.tuple(namespace, options).map((parts) => createIndexCommand(...parts)),
    fc.tuple(namespace, options).map((parts) => createIndexCommand(...parts)),
    namespace.map(dropIndexCommand),
    ...[insert, insert, insert, remove].map((write) => write.map(writeVectorCommand)),
    fc.tuple(namespace, fc.array(id, { maxLength: 4 })).map((parts) => getVectorsCommand(...parts)),
    fc.tuple(namespace, vector, fc.integer({ min: 1, max: 8 })).map((parts) => searchCommand(...parts)),
    ...(hasNeed(input, 'scan') ? [page.map((parts) => listCommand(...parts))] : []),
    ...(hasNeed(input, 'commit') ? [commit, commit] : []),
    ...(hasNeed(input, 'reopen') ? [fc.constant(reopenVectorsCommand())] : []),
  ];
}

/** Any sequence of calls to vectors, against the plain model. */
export const vectorsStatefulGroup: PromisedGroup = {
  name: 'any sequence of vector calls',
  needs: ['vectors'],
  promises: [
    {
      name: `up to ${COMMANDS} commands on ${MODEL_NAMESPACES.length} namespaces do what the model does`,
      check: (world) => checkModel(world, { commands: commandsFor, model: () => new VectorModel(), assertAll }),
    },
  ],
};
