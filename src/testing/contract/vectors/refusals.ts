import assert from 'node:assert/strict';
import type { ErrorCode } from '../../../core/errors.ts';
import type { VectorIndexOptions } from '../../../core/vectors/index.ts';
import { assertFails, assertMissing, bytes, committable, searchable } from '../assertions.ts';
import type { PromisedGroup, World } from '../contract-case.ts';
import { assertVector, fill, index, SPACE, vector } from './samples.ts';

/** What a namespace of two dimensions must refuse. The casts stand for programs without types. */
const BAD_VECTORS: readonly (readonly [string, Float32Array])[] = [
  ['NaN', vector(1, Number.NaN)],
  ['an infinity', vector(Number.POSITIVE_INFINITY, 1)],
  ['the other infinity', vector(1, Number.NEGATIVE_INFINITY)],
  ['a number beyond 32 bits', vector(1, 1e39)],
  ['one number too few', vector(1)],
  ['one number too many', vector(1, 2, 3)],
  ['no numbers', vector()],
  ['a plain array', [1, 2] as unknown as Float32Array],
  ['a Float64Array', Float64Array.of(1, 2) as unknown as Float32Array],
  ['nothing', undefined as unknown as Float32Array],
];

/** Names at the limit, and beyond it. A two-byte letter tells bytes from characters. */
function namesAround(limit: number): { good: readonly string[]; bad: readonly (readonly [string, ErrorCode])[] } {
  return {
    good: ['a', 'a'.repeat(limit), 'é'.repeat(limit / 2), `${'a'.repeat(limit - 4)}\u{10000}`],
    bad: [
      ['', 'argument.invalid'],
      ['\ud800', 'argument.invalid'],
      ['a\udc00b', 'argument.invalid'],
      [undefined as unknown as string, 'argument.invalid'],
      ['a'.repeat(limit + 1), 'size.exceeded'],
      [`${'é'.repeat(limit / 2)}a`, 'size.exceeded'],
      ['é'.repeat(limit), 'size.exceeded'],
    ],
  };
}

/** The commit of a record with vectors is refused, and leaves no record. */
async function assertCommitRefused(
  { store }: World,
  write: { readonly namespace: string; readonly id: string; readonly vector?: Float32Array },
  code: ErrorCode,
): Promise<void> {
  if (!store.capabilities.commit) return;
  const record = { type: 'put', key: bytes('record'), value: bytes('one') } as const;
  const good = { type: 'insert', namespace: SPACE, id: 'good', vector: vector(1, 2) } as const;
  const bad =
    write.vector === undefined
      ? ({ ...write, type: 'delete' } as const)
      : { ...write, type: 'insert' as const, vector: write.vector };
  for (const vectors of [
    [good, bad],
    [bad, good],
  ]) {
    await assertFails(committable(store).commit([record], { vectors }), code);
    assertMissing(await store.get(record.key), 'a refused commit wrote its record');
    assert.equal(await searchable(store).vectors.get(SPACE, 'good'), undefined, 'a refused commit wrote a vector');
  }
}

/** What is refused before anything happens. */
export const vectorLimitsGroup: PromisedGroup = {
  name: 'vector limits',
  needs: ['vectors'],
  promises: [
    ...BAD_VECTORS.map(([name, bad]) => ({
      name: `a vector is refused, and nothing written, if it is or has ${name}`,
      async check(world: World) {
        const { vectors } = searchable(world.store);
        for (const metric of ['cosine', 'euclidean'] as const) {
          await fill(world.store, SPACE, index(2, { metric }), new Map([['a', vector(1, 2)]]));
          await assertFails(vectors.insert(SPACE, 'a', bad), 'argument.invalid');
          await assertFails(vectors.insert(SPACE, 'b', bad), 'argument.invalid');
          await assertFails(vectors.search(SPACE, bad, 1), 'argument.invalid');
          if (bad !== undefined)
            await assertCommitRefused(world, { namespace: SPACE, id: 'b', vector: bad }, 'argument.invalid');
          assertVector(await vectors.get(SPACE, 'a'), vector(1, 2));
          assert.equal(await vectors.get(SPACE, 'b'), undefined);
          assert.deepEqual(
            (await vectors.search(SPACE, vector(1, 2), 5)).map(({ id }) => id),
            ['a'],
          );
          await vectors.dropIndex(SPACE);
        }
      },
    })),
    {
      name: 'k is a whole number from 1 to 1,000',
      async check({ store }) {
        const { vectors } = searchable(store);
        await fill(store, SPACE, index(2), new Map([['a', vector(1, 2)]]));
        for (const k of [1, 2, 999, 1000]) assert.equal((await vectors.search(SPACE, vector(1, 2), k)).length, 1);
        for (const k of [0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3' as unknown as number]) {
          await assertFails(vectors.search(SPACE, vector(1, 2), k), 'argument.invalid');
        }
      },
    },
    {
      name: 'an index has 1 to 4,096 dimensions',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const dimensions of [1, 2, 4095, 4096]) {
          const [one, name] = [new Float32Array(dimensions).fill(0.5), `${dimensions} dimensions`];
          await fill(store, name, index(dimensions), new Map([['a', one]]));
          assertVector(await vectors.get(name, 'a'), one);
          assert.deepEqual(await vectors.search(name, one, 1), [{ id: 'a', distance: 0 }]);
        }
        for (const dimensions of [0, -1, 4097, 1.5, Number.NaN, '2' as unknown as number]) {
          await assertFails(vectors.createIndex(SPACE, index(dimensions)), 'argument.invalid');
          assert.equal(await vectors.dropIndex(SPACE), false, 'a refused index was made');
        }
      },
    },
    {
      name: 'an index is of a metric and a type that there is',
      async check({ store }) {
        const { vectors } = searchable(store);
        for (const wrong of [{ metric: 'dot' }, { metric: undefined }, { type: 'flat' }, { type: undefined }]) {
          // A program without types may ask for anything.
          const options = { ...index(2), ...wrong } as VectorIndexOptions;
          await assertFails(vectors.createIndex(SPACE, options), 'argument.invalid');
          assert.equal(await vectors.dropIndex(SPACE), false, 'a refused index was made');
        }
      },
    },
    {
      name: 'a namespace is 1 to 256 bytes of well-formed Unicode',
      async check(world) {
        const { vectors } = searchable(world.store);
        const { good, bad } = namesAround(256);
        await vectors.createIndex(SPACE, index(2));
        for (const [i, name] of good.entries()) await fill(world.store, name, index(1), new Map([['a', vector(i)]]));
        for (const [i, name] of good.entries()) assertVector(await vectors.get(name, 'a'), vector(i));
        for (const [name, code] of bad) {
          for (const call of [
            () => vectors.createIndex(name, index(2)),
            () => vectors.dropIndex(name),
            () => vectors.insert(name, 'a', vector(1, 2)),
            () => vectors.delete(name, 'a'),
            () => vectors.get(name, 'a'),
            () => vectors.getMany(name, ['a']),
            () => vectors.search(name, vector(1, 2), 1),
            ...(world.store.capabilities.scan ? [() => vectors.list(name)] : []),
          ]) {
            await assertFails(call(), code);
          }
          await assertCommitRefused(world, { namespace: name, id: 'a', vector: vector(1, 2) }, code);
        }
      },
    },
    {
      name: 'an id is 1 to 512 bytes of well-formed Unicode',
      async check(world) {
        const { vectors } = searchable(world.store);
        const { good, bad } = namesAround(512);
        await vectors.createIndex(SPACE, index(2));
        for (const [i, id] of good.entries()) await vectors.insert(SPACE, id, vector(i, 1));
        for (const [i, id] of good.entries()) {
          assertVector(await vectors.get(SPACE, id), vector(i, 1));
          assert.deepEqual(await vectors.search(SPACE, vector(i, 1), 1), [{ id, distance: 0 }]);
        }
        for (const [id, code] of bad) {
          for (const call of [
            () => vectors.insert(SPACE, id, vector(1, 2)),
            () => vectors.delete(SPACE, id),
            () => vectors.get(SPACE, id),
            () => vectors.getMany(SPACE, ['a', id]),
            ...(world.store.capabilities.scan && id !== undefined ? [() => vectors.list(SPACE, { after: id })] : []),
          ]) {
            await assertFails(call(), code);
          }
          await assertCommitRefused(world, { namespace: SPACE, id, vector: vector(1, 2) }, code);
          await assertCommitRefused(world, { namespace: SPACE, id }, code);
        }
        assert.equal((await vectors.search(SPACE, vector(0, 0), 1000)).length, good.length);
      },
    },
  ],
};
