import { describe, expect, test } from 'vitest';
import { manualClock } from './manual-clock.ts';

describe('a manual clock', () => {
  test('stands still until it is told to move', async () => {
    const clock = manualClock(1000);
    expect([clock.now(), clock.mono()]).toEqual([1000, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.mono()]).toEqual([1250, 250]);
  });

  test('moves at once when nobody sleeps', () => {
    const clock = manualClock(0);
    void clock.advance(5);
    expect(clock.now()).toBe(5);
  });

  test('wakes sleeps in the order in which they fall due, at their instants', async () => {
    const clock = manualClock(0);
    const woken: [string, number][] = [];
    const sleeper = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push([name, clock.now()]);
    };
    void sleeper('late', 30);
    void sleeper('first of 20', 20);
    void sleeper('second of 20', 20);
    void sleeper('early', 10);
    await clock.advance(29);
    expect(woken).toEqual([
      ['early', 10],
      ['first of 20', 20],
      ['second of 20', 20],
    ]);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1);
    expect(woken.at(-1)).toEqual(['late', 30]);
  });

  test('lets a woken loop sleep again before time goes on', async () => {
    const clock = manualClock(0);
    const ticks: number[] = [];
    const loop = async (): Promise<void> => {
      while (ticks.length < 5) {
        await clock.sleep(10);
        ticks.push(clock.now());
      }
    };
    void loop();
    await clock.advance(35);
    expect(ticks).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(35);
  });

  test('lets the wall clock jump back and forth; mono and sleeps do not notice', async () => {
    const clock = manualClock(1000);
    let woken = false;
    void clock.sleep(50).then(() => {
      woken = true;
    });
    clock.set(5);
    expect([clock.now(), clock.mono()]).toEqual([5, 0]);
    clock.set(9999);
    await clock.advance(49);
    expect(woken).toBe(false);
    await clock.advance(1);
    expect(woken).toBe(true);
    expect([clock.now(), clock.mono()]).toEqual([10_049, 50]);
  });

  test('refuses to advance backwards', async () => {
    await expect(manualClock().advance(-1)).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(manualClock().advance(Number.NaN)).rejects.toMatchObject({ code: 'argument.invalid' });
  });

  test('gives up a sleep as soon as its signal fires', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    const sleep = clock.sleep(10, { signal: controller.signal });
    const other = clock.sleep(10);
    controller.abort();
    await expect(sleep).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.sleeping).toBe(1);
    await clock.advance(10);
    await other;
    await expect(clock.sleep(10, { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.sleeping).toBe(0);
  });
});

describe('virtual time', () => {
  test('jumps to the next sleep when everybody waits', async () => {
    const clock = manualClock(0, { autoAdvance: true });
    const log: string[] = [];
    const retry = async (name: string, pause: number): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await clock.sleep(pause);
        log.push(`${name} ${clock.now()}`);
      }
    };
    await Promise.all([retry('a', 1000), retry('b', 700)]);
    expect(log).toEqual(['b 700', 'a 1000', 'b 1400', 'a 2000', 'b 2100', 'a 3000']);
  });

  test('is not moved by sleeps in the background, but takes them along', async () => {
    const clock = manualClock(0, { autoAdvance: true });
    let beats = 0;
    const heartbeat = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(10, { background: true });
        beats++;
      }
    };
    void heartbeat();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect([beats, clock.now()]).toEqual([0, 0]);
    await clock.sleep(35);
    expect([beats, clock.now()]).toEqual([3, 35]);
  });
});
