import { expect, test } from 'vitest';
import { diversified } from './diversified.ts';

test('each that is chosen is the most relevant that is least like those before', () => {
  const candidates = ['a', 'a2', 'b', 'c'];
  const likeness = (i: number, j: number): number => (candidates[i]?.[0] === candidates[j]?.[0] ? 1 : 0);
  const choice = { candidates, relevance: [1, 0.98, 0.8, 0], likeness };
  expect(diversified(choice, 4, 0)).toEqual(['a', 'a2', 'b', 'c']);
  expect(diversified(choice, 4, 0.3)).toEqual(['a', 'b', 'a2', 'c']);
  expect(diversified(choice, 4, 0.7)).toEqual(['a', 'b', 'c', 'a2']);
  expect(diversified(choice, 2, 0.7)).toEqual(['a', 'b']);
  expect(diversified({ candidates: [], relevance: [], likeness }, 3, 0.5)).toEqual([]);
});
