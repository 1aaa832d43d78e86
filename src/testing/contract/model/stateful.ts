import type { Arbitrary } from 'fast-check';
import type { Key } from '../../../core/store.ts';
import { type ContractInput, hasNeed, type PromisedGroup } from '../contract-case.ts';
import type { StoreCommand } from './command.ts';
import { MODEL_KEYS, StoreModel } from './model.ts';
import { advanceCommand, assertAll, getCommand, getManyCommand, reopenCommand, scanCommand } from './read-commands.ts';
import { COMMANDS, checkModel, type FastCheck } from './run.ts';
import { type Condition, commitCommand, type PlannedWrite, writeCommand } from './write-commands.ts';

/** Every command that the store can be given; frequent ones stand several times. */
function commandsFor(fc: FastCheck, input: ContractInput): Arbitrary<StoreCommand>[] {
  const key = fc.constantFrom(...MODEL_KEYS);
  const small = fc.uint8Array({ maxLength: 3 });
  const ttl = fc.option(fc.integer({ min: -1, max: 30 }), { nil: undefined, freq: 2 });
  const conditions = (...extra: Condition[]): Arbitrary<Condition> =>
    fc.constantFrom('none', 'fresh', 'fresh', 'stale', 'missing', ...extra);

  const whenPut = hasNeed(input, 'ifAbsent') ? conditions('ifAbsent', 'ifAbsent') : conditions();
  const whenDeleted = hasNeed(input, 'deleteIfMatch') ? conditions() : fc.constant<Condition>('none');
  const put = fc.record({ type: fc.constant('put'), key, value: small, ttl, condition: whenPut });
  const remove = fc.record({ type: fc.constant('delete'), key, value: small, ttl, condition: whenDeleted });
  const check = fc.record({ type: fc.constant('check'), key, value: small, ttl, condition: whenPut });
  const written: Arbitrary<PlannedWrite> = fc.oneof(put, put, remove, check);
  const several = fc.uniqueArray(written, { minLength: 1, maxLength: 4, selector: (write) => write.key });
  const bound: Arbitrary<Key> = fc.oneof(key, fc.uint8Array({ minLength: 1, maxLength: 3 }));
  const range = fc
    .tuple(bound, bound)
    .map(([a, b]) => (Buffer.compare(a, b) <= 0 ? { start: a, end: b } : { start: b, end: a }));

  return [
    ...[put, put, put, remove].map((write) => write.map(writeCommand)),
    key.map(getCommand),
    fc.array(key, { maxLength: 6 }).map(getManyCommand),
    fc.integer({ min: 1, max: 20 }).map(advanceCommand),
    ...(hasNeed(input, 'scan') ? [fc.tuple(range, fc.integer({ min: 1, max: 4 }), fc.boolean())] : []).map((scan) =>
      scan.map(([within, limit, reverse]) => scanCommand(within, limit, reverse)),
    ),
    ...(hasNeed(input, 'commit') ? [several.map(commitCommand)] : []),
    ...(hasNeed(input, 'reopen') ? [fc.constant(reopenCommand())] : []),
  ];
}

/** Any sequence of calls, against the plain model. */
export const statefulGroup: PromisedGroup = {
  name: 'any sequence of calls',
  needs: ['atomicCas'],
  promises: [
    {
      name: `up to ${COMMANDS} commands on ${MODEL_KEYS.length} keys do what the model does`,
      check: (world) =>
        checkModel(world, {
          commands: commandsFor,
          model: ({ clock }) => new StoreModel(clock.now()),
          assertAll: (model, reached) => assertAll(model, reached, MODEL_KEYS),
        }),
    },
  ],
};
