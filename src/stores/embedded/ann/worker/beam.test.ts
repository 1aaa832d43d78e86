import { expect, test } from 'vitest';
import { Beam } from './beam.ts';
import { Turns } from './turns.ts';

const query = Float32Array.of(1);

/** A graph that finds all ten from a width on, and one less for each step below. */
const needs = (width: number) => (_: Float32Array, asked: number) =>
  Float64Array.from({ length: asked >= width ? 10 : 9 }, (_, i) => i);

function observe(beam: Beam, times: number): void {
  for (let i = 0; i < times; i++) beam.observe(query);
}

test.each([
  [1, 16],
  [40, 48],
  [100, 128],
  [1500, 1536],
  [2000, 2048],
])('a graph that must be searched %d wide is searched %d wide once that was seen', async (needed, width) => {
  const beam = new Beam();
  const look = needs(needed);
  expect(beam.widthFor(10)).toBe(2048);
  observe(beam, 31);
  expect(beam.isDue(10_000)).toBe(false);
  observe(beam, 1);
  expect(beam.isDue(10_000)).toBe(true);
  const measured = beam.measure(10_000, look, new Turns());
  expect(beam.isDue(10_000)).toBe(false);
  await measured;
  expect(beam.widthFor(10)).toBe(width);
});

test.each([
  [1, 16],
  [2, 24],
])('of 320 of the nearest, %d that 16 do not find: searched %d wide', async (missing, width) => {
  const beam = new Beam();
  let left = missing;
  const look = (_: Float32Array, asked: number, k: number) =>
    Float64Array.from({ length: k }, (_, i) => (i === 0 && asked === 16 && left-- > 0 ? -1 : i));
  observe(beam, 32);
  await beam.measure(10_000, look, new Turns());
  expect(beam.widthFor(10)).toBe(width);
});

test('more that are asked for are looked for wider, fewer are not looked for narrower', async () => {
  const beam = new Beam();
  observe(beam, 32);
  await beam.measure(10_000, needs(40), new Turns());
  expect([1, 10, 11, 100].map((k) => beam.widthFor(k))).toEqual([48, 48, 51, 318]);
});

test('a graph that grew by half is measured again, by the latest searches', async () => {
  const beam = new Beam();
  observe(beam, 32);
  await beam.measure(10_000, needs(1), new Turns());
  expect(beam.isDue(15_000)).toBe(false);
  expect(beam.isDue(15_001)).toBe(true);
  observe(beam, 32);
  await beam.measure(15_001, needs(300), new Turns());
  expect(beam.widthFor(10)).toBe(384);
});
