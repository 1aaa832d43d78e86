import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { progressOn } from './progress.ts';

/** What is written to a stream, which may claim to be a terminal. */
function stream(isTTY: boolean) {
  const through = Object.assign(new PassThrough(), { isTTY, columns: 100 });
  return {
    // A bar asks no more of a terminal than these.
    progress: progressOn(through as unknown as NodeJS.WriteStream),
    written: (): string => String(through.read() ?? ''),
  };
}

test('not on a terminal: a line for each quarter, and a step that begins anew is told anew', () => {
  const { progress, written } = stream(false);
  for (let done = 1; done <= 2000; done++) progress.show('fill', done, 2000, `${done} embedded`);
  for (const done of [10, 20]) progress.show('fill', done, 20, 'again');
  progress.show('settle', 0, 0, 'nothing to do');
  progress.stop();
  expect(written().split('\n')).toEqual([
    '  fill   25%  500 of 2,000  500 embedded',
    '  fill   50%  1,000 of 2,000  1000 embedded',
    '  fill   75%  1,500 of 2,000  1500 embedded',
    '  fill  100%  2,000 of 2,000  2000 embedded',
    '  fill   50%  10 of 20  again',
    '  fill  100%  20 of 20  again',
    '  settle  100%  0 of 0  nothing to do',
    '',
  ]);
});

test('on a terminal: a bar for each step, which ends with the last that was shown', () => {
  const { progress, written } = stream(true);
  progress.show('fill', 10, 20, '3 embedded');
  progress.show('fill', 30, 40, '4 embedded');
  progress.show('settle', 1, 2, '5 embedded');
  progress.stop();
  const shown = written();
  expect(shown).toMatch(/fill +█+░* +75% {2}30 of 40 {2}4 embedded/);
  expect(shown).toMatch(/settle +█{15}░{15} +50% {2}1 of 2 {2}5 embedded/);
  expect(shown.split('\n').length).toBe(3);
});
