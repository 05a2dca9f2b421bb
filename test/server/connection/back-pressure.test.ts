/** Who waits for whom, and for how long; times are those of a clock that the test moves. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BackPressure } from '../../../src/server/connection/back-pressure.ts';
import { Connection } from '../../../src/server/connection/connection.ts';
import { Debts } from '../../../src/server/connection/debts.ts';
import type { Services } from '../../../src/server/connection/handlers.ts';
import { Turns } from '../../../src/server/connection/turns.ts';
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

describe('who comes again', () => {
  let now = 0;
  const pressure = () => new BackPressure(4 * MB, () => now);
  /** Milliseconds for which a new session that takes nothing holds its senders up, before it goes. */
  const hold = async (waiting: BackPressure, owner: string): Promise<number> => {
    const stuck = receiver();
    waiting.come(stuck.transport, owner);
    const waits = sender(waiting, stuck);
    let held = 0;
    for (; (await waits()) && held < 10_000; held += 100) {
      now += 100;
      vi.advanceTimersByTime(100);
    }
    waiting.leave(stuck.transport, owner);
    return held;
  };
  beforeEach(() => {
    now = 0;
  });

  it('and takes nothing again, is not waited for again, until time has made it good', async () => {
    const one = pressure();
    expect(await hold(one, 'kim')).toBe(PATIENCE);
    for (let i = 0; i < 5; i++) expect(await hold(one, 'kim')).toBeLessThanOrEqual(100);
    expect(await hold(one, 'lee')).toBe(PATIENCE);
    now += 30_000;
    expect(await hold(one, 'kim')).toBeLessThan(PATIENCE / 1.5);
    now += 60_000;
    expect(await hold(one, 'kim')).toBe(PATIENCE);
  });

  it('who was open before, or owes nothing, has all its patience; who goes is not waited for', async () => {
    const one = pressure();
    const [good, stuck] = [receiver(), receiver()];
    for (const { transport } of [good, stuck]) one.come(transport, 'kim');
    const waits = sender(one, stuck);
    now += 1900;
    vi.advanceTimersByTime(1900);
    expect(await waits()).toBe(true);
    one.leave(stuck.transport, 'kim');
    expect(await waits()).toBe(false);
    const others = sender(one, good);
    vi.advanceTimersByTime(PATIENCE - 100);
    expect(await others()).toBe(true);
  });

  it('who owes and takes makes it good, as ever', async () => {
    const one = pressure();
    await hold(one, 'kim');
    const steady = receiver();
    one.come(steady.transport, 'kim');
    steady.take(4 * MARK);
    const waits = sender(one, steady);
    vi.advanceTimersByTime(PATIENCE - 100);
    expect(await waits()).toBe(true);
  });

  it('as a user who connects again: another is waited for', async () => {
    const one = new BackPressure(4 * MB);
    const connect = (user: string) => {
      const stuck = { buffered: 0, taken: 0, flush() {}, onDrained() {}, close() {}, pause() {}, resume() {} };
      const send = (frame: Buffer) => {
        stuck.buffered += frame.length;
      };
      const connection = new Connection(
        'id',
        {
          ...stuck,
          send,
          get buffered() {
            return stuck.buffered;
          },
        } as unknown as Transport,
        {
          ...{
            limits: { maxHeaders: 9, maxHeaderBytes: 99, maxBody: 99 },
            maxBuffer: 4 * MB,
            backPressure: one,
            turns: new Turns(),
          },
          ...{ connectTimeout: 9000, services: {} as Services, forget: async () => {}, fault() {} },
        },
      );
      connection.connecting();
      connection.user = user;
      connection.opened();
      one.watch(() => connection.send(Buffer.alloc(MB)));
      return connection;
    };
    const end = (connection: Connection) => connection.end('closed', { code: 1000, reason: '' });
    const first = connect('kim');
    vi.advanceTimersByTime(PATIENCE - 200);
    expect(first.waitedFor).toBeDefined();
    await end(first);
    expect(first.waitedFor).toBeUndefined();
    const [again, other] = [connect('kim'), connect('lee')];
    vi.advanceTimersByTime(700);
    expect([again.waitedFor, other.waitedFor]).toEqual([undefined, expect.any(Promise)]);
    await Promise.all([again, other].map(end));
  });

  it('no more than 10,000 are remembered, and those no longer than their debt lasts', () => {
    const debts = new Debts(PATIENCE);
    for (let i = 0; i <= 10_000; i++) debts.leave(`user${i}`, PATIENCE, now, now);
    expect([debts.of('user0', now), debts.of('user1', now), debts.of('user10000', now)]).toEqual([0, 2000, 2000]);
    debts.leave('user1', 500, now, now); // of two that went the one that owed more
    expect(debts.of('user1', now + 30_000)).toBe(1000);
    expect(debts.of('user1', now + 60_000)).toBe(0);
  });
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
