import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { NorimakiError } from '../errors.ts';
import {
  compileCodec,
  DERIVED_ID_LENGTH,
  type Envelope,
  OPERATION_ID_LENGTH,
  openRecord,
  sealRecord,
  VECTOR_ENTRY_LENGTH,
} from './index.ts';
import { MAX_RECORD_BYTES } from './limits.ts';

const name = (): string => 'Thing 1';
const id = fc.stringMatching(/^[A-Za-z0-9_-]{16}$/);
/** Items of one length, joined; at least one. */
const listOf = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${length}}$`)), { minLength: 1, maxLength: 4 })
    .map((items) => items.join(''));
const envelopes: fc.Arbitrary<Envelope> = fc
  .record(
    {
      schema: fc.nat(),
      born: fc.oneof(id, fc.string({ unit: anyCharacter })),
      ops: fc.array(id, { maxLength: 6 }),
      more: fc.nat(),
      derived: listOf(DERIVED_ID_LENGTH),
      vectors: listOf(VECTOR_ENTRY_LENGTH),
      expiresAt: fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      tenant: fc.string({ unit: anyCharacter }),
      fence: fc.bigInt({ min: 0n, max: 10n ** 39n - 1n }),
      tombstone: fc.constant(true as const),
    },
    { requiredKeys: ['schema', 'born', 'ops', 'more'], noNullPrototype: true },
  )
  .map(({ ops, more, ...rest }) => ({ ...rest, ops: ops.join(''), seq: ops.length + more }));

function open(text: string | Uint8Array) {
  return openRecord(typeof text === 'string' ? Buffer.from(text) : text, name, 'Thing');
}

function failure(text: string | Uint8Array): string {
  try {
    open(text);
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt')) return error.message;
    throw error;
  }
  return 'opened';
}

test('an envelope comes back as it was', () => {
  fc.assert(
    fc.property(envelopes, (envelope) => {
      // -0 is no other instant than 0.
      const { expiresAt } = envelope;
      expect(open(sealRecord('{"json":{}', envelope)).envelope).toEqual(
        expiresAt === 0 ? { ...envelope, expiresAt: 0 } : envelope,
      );
    }),
    { numRuns: 500 },
  );
});

/** The same envelope, spelled as we do not, so that it is not read at one glance. */
function respelled(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString();
  const at = text.lastIndexOf('"format":1');
  return `${text.slice(0, at)}"format": 1${text.slice(at + '"format":1'.length)}`;
}

test('an envelope means the same in our spelling and in another', () => {
  const plain = envelopes.map(({ schema, born, seq, ops, derived, vectors, expiresAt }) => ({
    ...{ schema, seq, ops, derived, vectors },
    born: born.length === 16 ? born : 'AAAAAAAAAAAAAAAA',
    expiresAt: expiresAt === undefined ? undefined : Math.trunc(Math.abs(expiresAt)) % 1e15,
  }));
  fc.assert(
    fc.property(fc.oneof(plain, envelopes), (envelope) => {
      const bytes = sealRecord('{"json":{}', envelope);
      expect(open(respelled(bytes)).envelope).toEqual(open(bytes).envelope);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['seq and ops', { ops: 'A'.repeat(OPERATION_ID_LENGTH) }],
  ['derived', { derived: 'A'.repeat(DERIVED_ID_LENGTH) }],
  ['vectors', { vectors: 'A'.repeat(VECTOR_ENTRY_LENGTH) }],
])('%s of another length are refused, in whichever spelling', (part, lists) => {
  const bytes = sealRecord('{"json":{}', { schema: 1, born: 'x', seq: 1, ops: '', ...lists });
  const [field = '', list = ''] = Object.entries(lists)[0] ?? [];
  expect(failure(bytes)).toBe('opened');
  for (const wrong of [`${list}A`, list.slice(1), ...(field === 'ops' ? [] : [''])]) {
    const replace = (text: string): string => text.replace(`"${field}":"${list}"`, `"${field}":"${wrong}"`);
    for (const text of [Buffer.from(bytes).toString(), respelled(bytes)]) {
      expect(failure(replace(text))).toMatch(new RegExp(`^Thing 1 cannot be read: env: ${part} (is|are) not`));
    }
    expect(() => sealRecord('{"json":{}', { schema: 1, born: 'x', seq: 1, ops: '', [field]: wrong })).toThrow(
      expect.objectContaining({ code: 'argument.invalid' }),
    );
  }
});

test('no data can pass for the envelope', () => {
  const marker = ',"env":{"format":1,"schema":9,"born":"x","seq":9,"ops":""}}';
  const nasty = fc.oneof(
    fc.constantFrom(
      marker,
      `"${marker}`,
      `\\"${marker}`,
      `\\${marker}`,
      `"}${marker}`,
      '{"format":',
      'env',
      ',"env":{"format":',
    ),
    fc.string(),
  );
  const tree = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      nasty,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.record(
        { env: fc.record({ format: fc.oneof(fc.constant(1), tie('value')) }, { noNullPrototype: true }) },
        { noNullPrototype: true },
      ),
      fc.record(
        { meta: fc.record({ values: tie('value') }, { noNullPrototype: true }), a: tie('value') },
        { noNullPrototype: true },
      ),
      fc.dictionary(
        nasty.filter((it) => !['__proto__', 'constructor', 'prototype'].includes(it)),
        tie('value'),
        { maxKeys: 3, noNullPrototype: true },
      ),
      fc.date({ noInvalidDate: true }),
    ),
  })).value;
  const fields = ['a', 'env', 'meta', marker].map((field) => ({ name: field, schema: z.any() }));
  const codec = compileCodec({ entity: 'Thing', schema: 1, fields });
  fc.assert(
    fc.property(tree, nasty, envelopes, (value, tenant, rest) => {
      const values = { a: value, env: { format: value }, meta: { values: value }, [marker]: value };
      const envelope = { ...rest, tenant };
      const body = codec.encodeBody(values);
      const opened = open(sealRecord(body, envelope));
      expect(opened.body).toBe(body);
      expect(opened.envelope.tenant).toBe(tenant);
      expect(codec.decode(opened, name).values).toStrictEqual(values);
    }),
    { numRuns: 1000 },
  );
});

test('a record reads as it is spelled', () => {
  const envelope: Envelope = {
    schema: 3,
    born: 'AAAAAAAAAAAAAAAA',
    seq: 2,
    ops: 'AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB',
    expiresAt: 1_800_000_000_000,
    tenant: 'acme',
    fence: 7n,
  };
  expect(Buffer.from(sealRecord('{"json":{"name":"nori"}', envelope)).toString()).toMatchInlineSnapshot(
    `"{"json":{"name":"nori"},"env":{"format":1,"schema":3,"born":"AAAAAAAAAAAAAAAA","seq":2,"ops":"AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB","expiresAt":1800000000000,"tenant":"acme","fence":"7"}}"`,
  );
});

describe('refused', () => {
  const head = '{"json":{}';
  const plain = '"schema":1,"born":"x","seq":1,"ops":"AAAAAAAAAAAAAAAA"';
  const of = (fields: string): string => `${head},"env":{"format":1,${fields}}}`;

  test.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['no envelope', `${head}}`],
    ['an envelope that is not last', `${head},"env":{"format":1,${plain}},"more":1}`],
    ['an envelope inside the data', `{"json":{"a":1,"env":{"format":1,${plain}}}}`],
    [
      'an envelope inside the data of a record with another before it',
      `{"env":{"format":1,${plain}},"json":{"a":1,"env":{"format":1,${plain}}}}`,
    ],
    ['text after the end', `${of(plain)} `],
    ['another letter for the last brace', `${of(plain).slice(0, -1)}x`],
    ['no fields', `{"a":1,"env":{"format":1,${plain}}}`],
    ['an array', `[1,"env":{"format":1,${plain}}}`],
    ['a broken body', `{"json":{,"env":{"format":1,${plain}}}`],
    ['another format', `${head},"env":{"format":2,${plain}}}`],
    ['a field that this format does not have', of(`${plain},"owner":"x"`)],
    ['a prototype', of(`${plain},"__proto__":{}`)],
    ['a schema that is text', of('"schema":"1","born":"x","seq":1,"ops":""')],
    ['a schema that is not whole', of('"schema":1.5,"born":"x","seq":1,"ops":""')],
    ['a leading zero', of('"schema":01,"born":"x","seq":1,"ops":""')],
    ['no born', of('"schema":1,"seq":1,"ops":""')],
    ['a negative seq', of('"schema":1,"born":"x","seq":-1,"ops":""')],
    ['a seq beyond safety', of('"schema":1,"born":"x","seq":9007199254740993,"ops":""')],
    ['a seq below its ring', of('"schema":1,"born":"x","seq":0,"ops":"AAAAAAAAAAAAAAAA"')],
    ['half an operation id', of('"schema":1,"born":"x","seq":1,"ops":"AAAAAAAA"')],
    ['a deadline that is text', of(`${plain},"expiresAt":"soon"`)],
    ['a deadline that is no number of ours', of(`${plain},"expiresAt":1e999`)],
    ['vectors that are a number', of(`${plain},"vectors":63`)],
    ['a tenant that is a number', of(`${plain},"tenant":1`)],
    ['a fence that is a number', of(`${plain},"fence":1`)],
    ['a negative fence', of(`${plain},"fence":"-1"`)],
    ['an endless fence', of(`${plain},"fence":"${'9'.repeat(40)}"`)],
    ['a tombstone that is false', of(`${plain},"tombstone":false`)],
  ])('%s', (_name, text) => {
    expect(failure(text)).toMatch(/^Thing 1 cannot be read: /);
  });

  test('bytes that are not UTF-8', () => {
    const bytes = Buffer.from(of(plain).replace('{}', '{"a":"é"}'), 'latin1');
    expect(failure(bytes)).toMatchInlineSnapshot(`"Thing 1 cannot be read: it is not UTF-8"`);
  });

  test('more than any store holds, before it is parsed', () => {
    expect(failure(new Uint8Array(MAX_RECORD_BYTES + 1))).toMatchInlineSnapshot(
      `"Thing 1 cannot be read: it has 16777217 bytes; the limit is 16777216"`,
    );
    expect(() =>
      sealRecord(`{"json":"${'x'.repeat(MAX_RECORD_BYTES)}"`, { schema: 1, born: '', seq: 0, ops: '' }),
    ).toThrow(expect.objectContaining({ code: 'size.exceeded' }));
  });

  test('what could not be opened again, when it is sealed', () => {
    for (const change of [{ seq: -1 }, { ops: 'x' }, { expiresAt: Number.NaN }, { fence: -1n }, { schema: 0.5 }]) {
      const envelope = { schema: 1, born: '', seq: 1, ops: '', ...change };
      expect(() => sealRecord('{"json":{}', envelope)).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
    }
  });

  test('without quoting the text', () => {
    const text = of(plain).replace('{}', '{"a":secret}');
    expect(failure(text)).toMatchInlineSnapshot(`"Thing 1 cannot be read: it is not JSON"`);
  });
});

test('a record without fields opens, for it may be a tombstone', () => {
  const bytes = sealRecord('{"json":null', { schema: 1, born: 'x', seq: 0, ops: '', tombstone: true });
  expect(open(bytes)).toMatchObject({ json: null, envelope: { tombstone: true } });
});

test('bytes are read from a view into a larger buffer, and sealed bytes can be copied', () => {
  const bytes = sealRecord('{"json":{"a":1}', { schema: 1, born: 'x', seq: 0, ops: '' });
  const copy = bytes.slice();
  copy[0] = 0;
  expect(open(bytes).json).toStrictEqual({ a: 1 });
});
