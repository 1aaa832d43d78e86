import { describe, expect, test } from 'vitest';
import {
  checkDimensions,
  checkIndexOptions,
  checkK,
  checkNamespace,
  checkSameIndex,
  checkVector,
  checkVectorId,
  checkVectorWrites,
  missingIndex,
} from './checks.ts';
import type { VectorIndexOptions, VectorWrite } from './vectors.ts';

const invalid = (argument: string): object => ({ code: 'argument.invalid', details: { argument } });
const OPTIONS: VectorIndexOptions = { dimensions: 2, metric: 'cosine', type: 'exact' };

/** What the call throws; a call that throws nothing fails the test by comparison. */
function thrownBy(call: () => void): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.each([
  ['namespace', 256, checkNamespace],
  ['id', 512, checkVectorId],
] as const)('a %s', (what, limit, check) => {
  test.each([['a'], ['\0'], ['a'.repeat(limit)], ['é'.repeat(limit / 2)], ['\u{1f600}'.repeat(limit / 4)]])(
    'may be as long as the limit (%#)',
    (text) => {
      expect(() => check(text)).not.toThrow();
    },
  );

  test.each([['a'.repeat(limit + 1)], [`${'é'.repeat(limit / 2)}a`], ['é'.repeat(limit)]])(
    'longer than the limit in bytes is refused (%#)',
    (text) => {
      const bytes = Buffer.byteLength(text);
      expect(thrownBy(() => check(text))).toMatchObject({ code: 'size.exceeded', details: { what, bytes, limit } });
    },
  );

  test.each([[''], ['\ud800'], ['a\udc00'], [undefined], [null], [7], [['a']]])('is no %j', (text) => {
    // Programs without types pass anything.
    expect(thrownBy(() => check(text as string))).toMatchObject(invalid(what));
  });
});

test.each([1, 2, 4095, 4096])('%d dimensions are taken', (dimensions) => {
  expect(() => checkDimensions(dimensions)).not.toThrow();
});

test.each([0, -1, 4097, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as unknown as number])(
  '%s dimensions are refused',
  (dimensions) => {
    expect(thrownBy(() => checkIndexOptions({ ...OPTIONS, dimensions }))).toMatchObject(invalid('dimensions'));
  },
);

test.each([1, 2, 999, 1000])('k may be %d', (k) => {
  expect(() => checkK(k)).not.toThrow();
});

test.each([0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '2' as unknown as number])('k is not %s', (k) => {
  expect(thrownBy(() => checkK(k))).toMatchObject(invalid('k'));
});

test('an index is of a known metric and type', () => {
  for (const metric of ['cosine', 'euclidean', 'innerProduct'] as const) {
    for (const type of ['hnsw', 'exact'] as const) {
      expect(() => checkIndexOptions({ ...OPTIONS, metric, type })).not.toThrow();
    }
  }
  const metric = 'dot' as VectorIndexOptions['metric'];
  const type = 'flat' as VectorIndexOptions['type'];
  expect(thrownBy(() => checkIndexOptions({ ...OPTIONS, metric }))).toMatchObject(invalid('metric'));
  expect(thrownBy(() => checkIndexOptions({ ...OPTIONS, type }))).toMatchObject(invalid('type'));
});

describe('a vector', () => {
  test.each([[[0, 0]], [[-0, 1e-45]], [[3.4028234663852886e38, -3.4028234663852886e38]]])('may be %j', (numbers) => {
    expect(() => checkVector(Float32Array.from(numbers), 2)).not.toThrow();
  });

  test.each<[string, unknown]>([
    ['too short', Float32Array.of(1)],
    ['too long', Float32Array.of(1, 2, 3)],
    ['not a number', Float32Array.of(1, Number.NaN)],
    ['infinite', Float32Array.of(Number.NEGATIVE_INFINITY, 1)],
    ['beyond 32 bits', Float32Array.of(1, 1e39)],
    ['a plain array', [1, 2]],
    ['of another kind', Float64Array.of(1, 2)],
    ['nothing', undefined],
  ])('that is %s is refused', (_, vector) => {
    expect(thrownBy(() => checkVector(vector as Float32Array, 2))).toMatchObject(invalid('vector'));
  });

  test('is refused without a word about its numbers', () => {
    const error = thrownBy(() => checkVector(Float32Array.of(1234567, Number.NaN), 2));
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain('1234567');
  });
});

describe('the vector writes of a commit', () => {
  const insert = (namespace: string, id: string): VectorWrite => ({
    type: 'insert',
    namespace,
    id,
    vector: Float32Array.of(1),
  });
  const remove = (namespace: string, id: string): VectorWrite => ({ type: 'delete', namespace, id });

  test('name each vector at most once', () => {
    expect(() => checkVectorWrites([])).not.toThrow();
    expect(() => checkVectorWrites([insert('s', 'a'), insert('s', 'b'), remove('t', 'a')])).not.toThrow();
    expect(thrownBy(() => checkVectorWrites([insert('s', 'a'), insert('s', 'b'), remove('s', 'a')]))).toMatchObject(
      invalid('vectors'),
    );
  });

  test('are told apart by namespace and id, not by the two joined', () => {
    const writes = [insert('s', '","a'), insert('s","', 'a'), insert('sa', 'b'), insert('s', 'ab')];
    expect(() => checkVectorWrites(writes)).not.toThrow();
  });

  test('have names that a namespace and an id may have', () => {
    expect(thrownBy(() => checkVectorWrites([insert('s', 'a'), remove('', 'a')]))).toMatchObject(invalid('namespace'));
    expect(thrownBy(() => checkVectorWrites([insert('s', '\ud800')]))).toMatchObject(invalid('id'));
  });
});

test('an index that exists is made again only with the same options', () => {
  expect(() => checkSameIndex('s', OPTIONS, { ...OPTIONS })).not.toThrow();
  for (const other of [{ dimensions: 3 }, { metric: 'euclidean' }, { type: 'hnsw' }] as const) {
    const [option] = Object.keys(other);
    expect(thrownBy(() => checkSameIndex('s', OPTIONS, { ...OPTIONS, ...other }))).toMatchObject(invalid(option ?? ''));
  }
});

test('a missing index is named, with the cure', () => {
  expect(missingIndex('s')).toMatchObject({ code: 'index.missing', details: { namespace: 's' } });
  expect(missingIndex('s').message).toContain('createIndex');
});
