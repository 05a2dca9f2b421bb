/** What a connection gives its socket, and what waits. The socket takes what the test lets it take. */
import { expect, it } from 'vitest';
import { BackPressure } from '../../../src/server/connection/back-pressure.ts';
import { Outflow } from '../../../src/server/connection/outflow.ts';
import { Message } from '../../../src/server/transport/message.ts';
import type { Transport } from '../../../src/server/transport/transport.ts';

const KB = 1024;
const MAX_BUFFER = 1024 * KB;
const MARK = 256 * KB;

type Frame = Buffer | Message;
/** The same ones, not their octets. */
const same = (some: Frame[], others: Frame[]) =>
  some.length === others.length && some.every((one, i) => one === others[i]);

/** A socket that holds everything until it is drained. */
const setUp = () => {
  const sent: Frame[] = [];
  let drained: (() => void)[] = [];
  const transport = {
    buffered: 0,
    taken: 0,
    send(frame: Frame) {
      sent.push(frame);
      transport.buffered += frame.length;
    },
    flush() {},
    onDrained(done: () => void): void {
      drained.push(done);
    },
  };
  let cuts = 0;
  const pressure = new BackPressure(MAX_BUFFER);
  const outflow = new Outflow(transport as unknown as Transport, pressure, MAX_BUFFER, () => void cuts++);
  return {
    sent,
    transport,
    pressure,
    outflow,
    cuts: () => cuts,
    drain() {
      transport.taken += transport.buffered;
      transport.buffered = 0;
      const all = drained;
      drained = [];
      for (const done of all) done();
    },
  };
};
const copiesOf = (tail: Buffer, count: number) =>
  Array.from({ length: count }, (_, i) => new Message(Buffer.from(`${i} `), tail, true));

it('a socket is given no more than it should hold; the rest waits in its order, and goes as there is room', () => {
  const { outflow, sent, transport, drain, cuts } = setUp();
  const frames = Array.from({ length: 20 }, (_, i) => Buffer.alloc(50 * KB, i));
  for (const frame of frames) outflow.send(frame);
  expect(transport.buffered).toBeLessThanOrEqual(MARK + 50 * KB);
  let drains = 0;
  while (sent.length < frames.length) {
    drain();
    drains++;
    expect(transport.buffered).toBeLessThanOrEqual(MARK + 50 * KB);
  }
  expect(drains).toBe(3);
  expect(same(sent, frames)).toBe(true);
  expect(cuts()).toBe(0);
});

it('copies of one message hold what they share once, however many there are', () => {
  const { outflow, sent, drain, cuts } = setUp();
  const copies = [...copiesOf(Buffer.alloc(64 * KB), 1000), ...copiesOf(Buffer.alloc(64 * KB, 1), 1000)];
  for (const copy of copies) outflow.send(copy);
  expect(cuts()).toBe(0);
  for (let drains = 0; drains < 1000; drains++) drain();
  expect(same(sent, copies)).toBe(true);
  expect(outflow.clogged).toBe(false);
  // Nothing of them is counted any more.
  outflow.send(Buffer.alloc(MARK + 1));
  outflow.send(Buffer.alloc(MAX_BUFFER - KB));
  expect(cuts()).toBe(0);
});

it.each([
  ['frames of their own', () => Array.from({ length: 30 }, () => Buffer.alloc(50 * KB))],
  ['copies with much of their own', () => copiesOf(Buffer.alloc(10), 20_000)],
  ['copies of many messages', () => Array.from({ length: 30 }, () => copiesOf(Buffer.alloc(50 * KB), 2)).flat()],
])('a client for which too much waits is cut: %s', (_, make) => {
  const { outflow, transport, cuts } = setUp();
  transport.buffered = MARK;
  for (const frame of make()) {
    outflow.send(frame);
    if (cuts() > 0) break;
  }
  expect(cuts()).toBe(1);
});

it('a frame of any size reaches a client for whom nothing waits, and what comes behind it waits', () => {
  const { outflow, sent, drain, cuts } = setUp();
  const frames = [Buffer.alloc(2 * MAX_BUFFER), Buffer.from('behind')];
  for (const frame of frames) outflow.send(frame);
  drain();
  expect(same(sent, frames)).toBe(true);
  expect(cuts()).toBe(0);
});

it('its senders wait until the last of it is taken', async () => {
  const { outflow, pressure, drain, sent } = setUp();
  const copies = copiesOf(Buffer.alloc(64 * KB), 10);
  const { room } = pressure.watch(() => copies.forEach((copy) => void outflow.send(copy)));
  let waits = true;
  void room!.then(() => (waits = false));
  while (sent.length < copies.length) {
    expect(outflow.waitedFor).toBeDefined();
    drain();
  }
  await Promise.resolve();
  expect(waits).toBe(true);
  drain();
  await room;
  expect(outflow.waitedFor).toBeUndefined();
  // And it is no more behind.
  outflow.send(Buffer.from('x'));
  expect(sent.length).toBe(copies.length + 1);
});

it('at its end not all that waits goes before the last frame', () => {
  const { outflow, sent, transport } = setUp();
  const copies = copiesOf(Buffer.alloc(64 * KB), 1000);
  for (const copy of copies) outflow.send(copy);
  outflow.finish();
  outflow.send(Buffer.from('ERROR'));
  expect(sent.at(-1)!.toString()).toBe('ERROR');
  expect(same(sent.slice(0, -1), copies.slice(0, sent.length - 1))).toBe(true);
  expect(transport.buffered).toBeLessThanOrEqual(MAX_BUFFER / 2 + 65 * KB);
});

it('a socket that is gone ends the waiting', () => {
  const { outflow, transport, sent } = setUp();
  // It says so at once, each time.
  transport.onDrained = (done) => done();
  for (const copy of copiesOf(Buffer.alloc(64 * KB), 100)) outflow.send(copy);
  expect(sent.length).toBe(100);
});

it('a client that takes everything at once gets it in many turns of the event loop', async () => {
  const { outflow, transport, sent, drain } = setUp();
  const copies = copiesOf(Buffer.alloc(64 * KB), 100);
  for (const copy of copies) outflow.send(copy);
  // From now on it takes whatever comes.
  Object.defineProperty(transport, 'buffered', { get: () => 0, set() {} });
  transport.onDrained = (done) => queueMicrotask(done);
  let before = sent.length;
  drain();
  let turns = 0;
  while (sent.length < copies.length) {
    expect(sent.length - before).toBeLessThanOrEqual(MARK / (64 * KB));
    before = sent.length;
    turns++;
    await new Promise((next) => setImmediate(next));
  }
  expect(turns).toBeGreaterThan(20);
  expect(same(sent, copies)).toBe(true);
});
