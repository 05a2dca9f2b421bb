/** Redis and the process brought to agree again: pages, one pass at a time, nothing while Redis is away. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Reconciler, type Restorable } from '../../../src/server/membership/reconciler.ts';

const MINUTE = 60_000;

let ready = true;
let takes: (one: Session) => boolean = () => true;
let atOnce = 0;
let most = 0;
let looks: (() => boolean)[] = [];
let looked = 0;

const order: Session[] = [];

class Session implements Restorable {
  written = 0;
  async restore(): Promise<boolean> {
    atOnce++;
    most = Math.max(most, atOnce);
    await new Promise((wake) => setTimeout(wake, 1));
    atOnce--;
    const taken = takes(this);
    order.push(this);
    if (taken) this.written++;
    return taken;
  }
}

const many = (count: number) => Array.from({ length: count }, () => new Session());
const make = () =>
  new Reconciler({
    ready: () => ready,
    async removeGhosts() {
      looked++;
      return looks.shift()?.() ?? true;
    },
  });

beforeEach(() => {
  vi.useFakeTimers();
  [ready, takes, atOnce, most, looks, looked] = [true, () => true, 0, 0, [], 0];
});
afterEach(() => {
  vi.useRealTimers();
});

test('everything: each once, at most a page at a time, then ghosts; and ghosts once more later', async () => {
  const reconciler = make();
  const sessions = many(1050);
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(100);
  expect(sessions.every(({ written }) => written === 1)).toBe(true);
  expect(most).toBe(100);
  expect(looked).toBe(1);
  expect(reconciler.agrees).toBe(true);
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(looked).toBe(2);
  expect(sessions.every(({ written }) => written === 1)).toBe(true);
});

test('asked for again meanwhile: what had been written is written again, still a page at a time', async () => {
  const reconciler = make();
  const sessions = many(1000);
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(5);
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(100);
  const twice = sessions.filter(({ written }) => written === 2).length;
  expect(twice).toBeGreaterThanOrEqual(400);
  expect(twice).toBeLessThanOrEqual(600);
  expect(sessions.every(({ written }) => written > 0)).toBe(true);
  expect(most).toBe(100);
});

test('what Redis does not take is tried again, and holds the rest up only until then', async () => {
  const reconciler = make();
  const sessions = many(300);
  let refusals = 3;
  takes = (one) => one !== sessions[0] || --refusals < 0;
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(50);
  expect(sessions.filter(({ written }) => written === 1).length).toBe(99);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sessions.map(({ written }) => written)).toEqual(Array(300).fill(1));
  expect(reconciler.agrees).toBe(true);
});

test('while Redis is away nothing is tried; when everything is asked for, what was behind is written once', async () => {
  ready = false;
  const reconciler = make();
  const sessions = many(10);
  for (const one of sessions) reconciler.behind(one);
  reconciler.ghosts();
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect([vi.getTimerCount(), looked]).toEqual([0, 0]);
  expect(reconciler.agrees).toBe(false);
  ready = true;
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(100);
  expect(sessions.every(({ written }) => written === 1)).toBe(true);
  expect(looked).toBe(1);
});

test('of everything, who came first is written first, also when others were behind before', async () => {
  ready = false;
  const reconciler = make();
  const sessions = many(300);
  reconciler.behind(sessions[250]!);
  ready = true;
  order.length = 0;
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(100);
  expect(order.map((one) => sessions.indexOf(one))).toEqual(sessions.map((_, i) => i));
});

test('ghosts are looked for again so long after the last loss, not after the first', async () => {
  const reconciler = make();
  reconciler.everything([]);
  await vi.advanceTimersByTimeAsync(4000);
  reconciler.everything([]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(looked).toBe(2);
  await vi.advanceTimersByTimeAsync(4000);
  expect(looked).toBe(3);
});

test('one that is behind is written by itself, soon; one that has ended is not', async () => {
  const reconciler = make();
  const [one, other] = many(2) as [Session, Session];
  reconciler.behind(one);
  reconciler.behind(other);
  reconciler.forget(other);
  await vi.advanceTimersByTimeAsync(1000);
  expect([one.written, other.written, looked]).toEqual([1, 0, 0]);
});

test('ghosts that stay are looked for again', async () => {
  looks = [() => false, () => false];
  const reconciler = make();
  reconciler.ghosts();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(looked).toBe(3);
  expect(reconciler.agrees).toBe(true);
});

test('the end: what is being written is waited for, ghosts are looked for a last time, and told when they stay', async () => {
  const reconciler = make();
  const sessions = many(500);
  reconciler.everything(sessions);
  const ended = reconciler.end();
  await vi.advanceTimersByTimeAsync(100);
  expect(await ended).toBe(true);
  expect(sessions.filter(({ written }) => written > 0).length).toBe(100);
  expect(looked).toBe(1);
  reconciler.everything(sessions);
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect(sessions.filter(({ written }) => written > 0).length).toBe(100);

  looks = [() => false];
  const other = make();
  other.ghosts();
  expect(await other.end()).toBe(false);
  ready = false;
  const third = make();
  third.ghosts();
  expect(await third.end()).toBe(false);
});
