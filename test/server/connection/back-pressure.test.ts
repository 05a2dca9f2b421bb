/** Who waits for whom, and for how long; times are those of a clock that the test moves. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BackPressure } from '../../../src/server/connection/back-pressure.ts';
import type { Transport } from '../../../src/server/transport/transport.ts';

const MB = 1024 * 1024;
/** What docs/protocol.md says: waited for, for so long, if it takes nothing; half a MiB a second is steady. */
const PATIENCE = 2000;
const MARK = 256 * 1024;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

/** A receiver that takes what it is told to. */
const receiver = () => {
  let drained: (() => void) | undefined;
  const state = { taken: 10 * MB, onDrained: (done: () => void) => (drained = done) };
  return {
    transport: state as unknown as Transport,
    take: (bytes: number) => (state.taken += bytes),
    drain() {
      drained?.();
      drained = undefined;
    },
  };
};

/** A sender whose work meets these; tells whether it still waits. */
const sender = (pressure: BackPressure, ...met: { transport: Transport }[]) => {
  const { room } = pressure.watch(() => {
    for (const { transport } of met) pressure.meet(transport);
  });
  let waits = room !== undefined;
  void room?.then(() => (waits = false));
  return async () => {
    await Promise.resolve();
    for (let i = 0; i < 5; i++) await Promise.resolve();
    return waits;
  };
};

it('who sends to one that is behind waits until that one has taken everything', async () => {
  const pressure = new BackPressure(4 * MB);
  const slow = receiver();
  const waits = sender(pressure, slow);
  expect(await waits()).toBe(true);
  slow.drain();
  expect(await waits()).toBe(false);
});

it('who sends to others does not wait, and what is sent without a sender holds up nobody', async () => {
  const pressure = new BackPressure(4 * MB);
  const stuck = receiver();
  pressure.meet(stuck.transport);
  const first = sender(pressure, stuck);
  expect(pressure.watch(() => 'work')).toEqual({ result: 'work', room: undefined });
  expect(await first()).toBe(true);
});

it('what others send to one that is waited for has to wait as long, and not once nobody waits for it', async () => {
  const pressure = new BackPressure(4 * MB);
  const [slow, quick] = [receiver(), receiver()];
  expect(pressure.active).toBe(false);
  expect(pressure.waitFor(slow.transport)).toBeUndefined();
  const waits = sender(pressure, slow);
  expect(pressure.active).toBe(true);
  expect(pressure.waitFor(quick.transport)).toBeUndefined();
  const room = pressure.waitFor(slow.transport);
  slow.drain();
  await room;
  expect(await waits()).toBe(false);
  expect(pressure.waitFor(slow.transport)).toBeUndefined();
  sender(pressure, slow);
  vi.advanceTimersByTime(PATIENCE + 1000);
  expect(pressure.waitFor(slow.transport)).toBeUndefined();
});

it('one that takes nothing is waited for, but not for ever; what it takes then buys it patience again', async () => {
  const pressure = new BackPressure(4 * MB);
  const stuck = receiver();
  const waits = sender(pressure, stuck);
  vi.advanceTimersByTime(PATIENCE - 200);
  expect(await waits()).toBe(true);
  vi.advanceTimersByTime(300);
  expect([await waits(), await sender(pressure, stuck)()]).toEqual([false, false]);
  stuck.take(MARK);
  stuck.drain();
  const again = sender(pressure, stuck);
  vi.advanceTimersByTime(400);
  expect(await again()).toBe(true);
  vi.advanceTimersByTime(300);
  expect(await again()).toBe(false);
});

it('one that is slow but steady is waited for as long as it takes', async () => {
  const pressure = new BackPressure(4 * MB);
  const steady = receiver();
  const waits = sender(pressure, steady);
  for (let i = 0; i < 200; i++) {
    steady.take(MARK / 4);
    vi.advanceTimersByTime(100);
  }
  expect(await waits()).toBe(true);
  // Also when it stops for a while.
  vi.advanceTimersByTime(PATIENCE - 300);
  expect(await waits()).toBe(true);
});

it('one that takes a little now and then, to hold up the others, is not', async () => {
  const pressure = new BackPressure(4 * MB);
  const trickle = receiver();
  const waits = sender(pressure, trickle);
  for (let i = 0; i < 100; i++) {
    trickle.take(1000);
    vi.advanceTimersByTime(100);
  }
  expect(await waits()).toBe(false);
});

it('a sender waits for all that it met', async () => {
  const pressure = new BackPressure(4 * MB);
  const [one, other] = [receiver(), receiver()];
  const waits = sender(pressure, one, other);
  one.drain();
  expect(await waits()).toBe(true);
  other.drain();
  expect(await waits()).toBe(false);
});

it('looks at nobody when nobody is behind', () => {
  const pressure = new BackPressure(4 * MB);
  const slow = receiver();
  sender(pressure, slow);
  expect(vi.getTimerCount()).toBe(1);
  slow.drain();
  vi.advanceTimersByTime(1000);
  expect(vi.getTimerCount()).toBe(0);
});

it('what is thrown comes through, and ends the watch', () => {
  const pressure = new BackPressure(4 * MB);
  const boom = () => {
    throw new Error('boom');
  };
  expect(() => pressure.watch(boom)).toThrow('boom');
  pressure.meet(receiver().transport);
  expect(pressure.watch(() => {}).room).toBeUndefined();
});
