import { expect, test } from 'vitest';
import { copied } from './copied.ts';

test('what can be changed in place is made anew, at every depth', () => {
  const value = {
    list: [[1], { a: [2] }],
    map: new Map([['k', [3]]]),
    set: new Set([4]),
    date: new Date(5),
    bytes: Uint8Array.of(6),
    nothing: null,
    text: 'x',
    big: 7n,
  };
  const copy = copied(value) as typeof value;
  expect(copy).toEqual(value);
  (copy.list[0] as number[]).push(8);
  copy.map.get('k')?.push(8);
  copy.set.add(8);
  copy.date.setTime(8);
  copy.bytes[0] = 8;
  expect(value).toEqual({
    list: [[1], { a: [2] }],
    map: new Map([['k', [3]]]),
    set: new Set([4]),
    date: new Date(5),
    bytes: Uint8Array.of(6),
    nothing: null,
    text: 'x',
    big: 7n,
  });
});

test('an instance of a class stays the same, and a key named __proto__ is data', () => {
  class Money {}
  const money = new Money();
  const copy = copied({ money, hostile: JSON.parse('{"__proto__":{"polluted":true}}') }) as Record<string, object>;
  expect(copy.money).toBe(money);
  expect(Object.hasOwn(copy.hostile as object, '__proto__')).toBe(true);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
