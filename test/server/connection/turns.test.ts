/** Who has much to do does it in pieces; the others have their turn in between. The clock moves with the pieces alone. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Turns, type Worker } from '../../../src/server/connection/turns.ts';
import { until } from '../../helpers/wait.ts';

let now = 0;
beforeEach(() => void vi.spyOn(performance, 'now').mockImplementation(() => now));
afterEach(() => void vi.restoreAllMocks());

/** Does so many pieces of 2 ms, and writes its name for each turn it has. */
const worker = (name: string, pieces: number, log: string[]): Worker & { left: number } => ({
  left: pieces,
  work(end) {
    log.push(name);
    while (this.left > 0) {
      now += 2;
      this.left--;
      if (performance.now() >= end) break;
    }
    return this.left > 0;
  },
});

it('a little work is done at once', () => {
  const log: string[] = [];
  const turns = new Turns();
  expect(turns.begin(worker('a', 1, log))).toBe(true);
  expect(log).toEqual(['a']);
});

it('much work is done in many turns, and whatever else there is comes in between', async () => {
  const log: string[] = [];
  const turns = new Turns();
  const big = worker('big', 200, log);
  expect(turns.begin(big)).toBe(false);
  setImmediate(() => log.push('others'));
  const small = worker('small', 1, log);
  expect(turns.begin(small)).toBe(false);
  await until(() => big.left === 0);
  expect(log.indexOf('small')).toBeLessThan(4);
  expect(log.indexOf('others')).toBeGreaterThan(0);
  expect(log.lastIndexOf('big')).toBeGreaterThan(log.indexOf('others') + 5);
  expect(log.filter((name) => name === 'big').length).toBeGreaterThan(5);
});

it('many that have much to do have their turns one after the other', async () => {
  const log: string[] = [];
  const turns = new Turns();
  const all = Array.from({ length: 100 }, (_, i) => worker(String(i), 3, log));
  turns.begin(worker('big', 500, log));
  for (const one of all) turns.begin(one);
  await until(() => all.every(({ left }) => left === 0));
  const names = all.map((_, i) => String(i));
  expect(log.filter((name) => name !== 'big')).toEqual([...names, ...names, ...names]);
});

it('one that ends while it waits is not given more', async () => {
  const log: string[] = [];
  const turns = new Turns();
  const one = worker('one', 100, log);
  turns.begin(one);
  one.left = 0;
  await until(() => log.length === 2);
  await new Promise((wake) => setTimeout(wake, 50));
  expect(log).toEqual(['one', 'one']);
});
