/** Queues without a connection: who gets what, what is kept, and for how long. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Queue, type Queued } from '../../../src/server/broker/queue.ts';
import { MAX_NACKS, Queues } from '../../../src/server/broker/queues.ts';
import { Refusal } from '../../../src/server/refusal.ts';

interface Consumer {
  name: string;
  /** How many it takes before it acknowledges. */
  room: number;
  has: Queued<Consumer, string>[];
}

const LIMITS = { maxQueue: 100, maxQueues: 150, queueTtl: 1000 };

class World {
  now = 0;
  dropped: [string, number, string][] = [];
  given: string[] = [];
  /** Called when a message was handed out. */
  onGive: (message: Queued<Consumer, string>, consumer: Consumer) => void = () => {};
  queues = new Queues<Consumer, string>({
    limits: LIMITS,
    now: () => this.now,
    takes: ({ has, room }) => has.length < room,
    give: (message, consumer) => {
      this.given.push(`${consumer.name}:${message.content}`);
      const auto = consumer.name.startsWith('auto');
      if (!auto) consumer.has.push(message);
      this.onGive(message, consumer);
      return auto;
    },
    dropped: (...what) => this.dropped.push(what),
  });

  join(name: string, queue = 'q', room = Number.POSITIVE_INFINITY): Consumer {
    const consumer: Consumer = { name, room, has: [] };
    this.queues.join(queue, consumer);
    return consumer;
  }

  push(content: string, queue = 'q', bytes = 10) {
    this.queues.check([{ queue, bytes }]);
    this.queues.push(queue, `id-${content}`, content, bytes);
  }

  ack(consumer: Consumer, queue = 'q') {
    const message = consumer.has.shift()!;
    this.queues.done(queue, message);
    this.queues.wake(queue);
  }

  nack(consumer: Consumer, queue = 'q') {
    this.queues.refused(queue, [consumer.has.shift()!], consumer);
  }

  leave(consumer: Consumer, queue = 'q') {
    this.queues.leave(queue, consumer);
    this.queues.putBack(queue, consumer.has.splice(0));
  }
}

describe('a queue', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });

  test('consumers take turns', () => {
    for (const name of ['a', 'b', 'c']) world.join(name);
    for (const content of ['1', '2', '3', '4']) world.push(content);
    expect(world.given).toEqual(['a:1', 'b:2', 'c:3', 'a:4']);
  });

  test('what nobody takes waits, in its order, for the first who comes', () => {
    for (const content of ['1', '2', '3']) world.push(content);
    world.join('auto');
    expect(world.given).toEqual(['auto:1', 'auto:2', 'auto:3']);
    expect(world.queues.bytes).toBe(0);
  });

  test('one who is full is left out, and gets more when it has acknowledged', () => {
    const [a, b] = [world.join('a', 'q', 1), world.join('b', 'q', 2)];
    for (const content of ['1', '2', '3', '4']) world.push(content);
    expect(world.given).toEqual(['a:1', 'b:2', 'b:3']);
    world.ack(a);
    world.ack(b);
    expect(world.given.slice(3)).toEqual(['a:4']);
    expect(world.queues.bytes).toBe(20);
  });

  test('what one had who leaves goes to another, before what came later', () => {
    const a = world.join('a');
    for (const content of ['1', '2']) world.push(content);
    const b = world.join('b', 'q', 3);
    b.room = 0;
    world.leave(a);
    world.push('3');
    b.room = 9;
    world.queues.wake('q');
    expect(world.given).toEqual(['a:1', 'a:2', 'b:1', 'b:2', 'b:3']);
  });

  test('a refused message goes to another, whoever is next', () => {
    const [a, b] = [world.join('a'), world.join('b')];
    world.push('1'); // a
    world.push('2'); // b; the next turn is a's
    world.nack(a);
    expect(world.given).toEqual(['a:1', 'b:2', 'b:1']);
    world.nack(b);
    expect(world.given.at(-1)).toBe('a:2');
  });

  test('a refused message goes to the same one when no other takes it, and is dropped in the end', () => {
    const a = world.join('a');
    world.join('full', 'q', 0);
    world.push('bad');
    while (a.has.length > 0) world.nack(a);
    expect(world.given).toEqual(Array(MAX_NACKS).fill('a:bad'));
    expect(world.dropped).toEqual([['q', 1, `refused ${MAX_NACKS} times`]]);
    expect(world.queues.bytes).toBe(0);
  });

  test('a message waits so long and no longer', () => {
    world.push('old');
    world.now = LIMITS.queueTtl - 1;
    world.push('new');
    world.now = LIMITS.queueTtl;
    world.join('auto');
    expect(world.given).toEqual(['auto:new']);
    expect(world.dropped).toEqual([['q', 1, 'nobody took them in time']]);
  });

  test.each(['nack', 'leave'] as const)(
    'only waiting counts: what was held for long is handed out again after %s',
    (how) => {
      const a = world.join('a', 'q', 1);
      world.push('held');
      world.now = 10 * LIMITS.queueTtl;
      if (how === 'nack') world.join('auto');
      world[how](a);
      world.join('auto');
      expect(world.given).toEqual(['a:held', 'auto:held']);
      expect([world.dropped, world.queues.bytes]).toEqual([[], 0]);
    },
  );

  test('what came back waits so long again; what waits behind it is dropped in its own time, and makes room', () => {
    const a = world.join('a', 'q', 1);
    world.push('held', 'q', 50);
    world.push('behind', 'q', 50);
    world.now = LIMITS.queueTtl - 1;
    world.leave(a);
    world.now = LIMITS.queueTtl;
    world.push('new', 'q', 50); // in the place of the one behind
    expect(world.dropped).toEqual([['q', 1, 'nobody took them in time']]);
    world.now = 2 * LIMITS.queueTtl - 2;
    world.join('auto');
    expect(world.given).toEqual(['a:held', 'auto:held', 'auto:new']);
    expect(world.queues.bytes).toBe(0);
  });

  test('a full queue refuses, and what is too old makes room', () => {
    world.push('big', 'q', 100);
    expect(() => world.push('more')).toThrow(/"q" is full/);
    world.push('other', 'p', 50);
    expect(() => world.push('other', 'p2')).toThrow(/queues of this node are full/);
    world.now = LIMITS.queueTtl;
    world.push('more');
    expect(world.queues.bytes).toBe(60); // that of the other queue was not in the way
    world.push('all', 'p2', 95);
    expect(world.queues.bytes).toBe(105);
  });

  test('while nothing is too old a refusal looks at no queue, however many there are', () => {
    const names = Array.from({ length: 15 }, (_, i) => `q${i}`);
    for (const name of names) world.push('x', name);
    const expire = vi.spyOn(Queue.prototype, 'expire');
    try {
      const refused = () => expect(() => world.queues.check([{ queue: 'other', bytes: 1 }])).toThrow(/of this node/);
      refused();
      for (let i = 0; i < 9; i++) refused();
      expect(expire.mock.calls.length).toBeLessThanOrEqual(names.length);
      // What comes back has all its time again.
      const a = world.join('a', 'q0');
      world.now = LIMITS.queueTtl - 1;
      for (const name of names.slice(1)) world.join('auto', name);
      for (let i = 0; i < 14; i++) world.push('y', `p${i}`);
      refused();
      world.leave(a, 'q0');
      world.now = LIMITS.queueTtl;
      refused();
      world.now = 2 * LIMITS.queueTtl - 1;
      world.queues.check([{ queue: 'other', bytes: 10 }]);
    } finally {
      expire.mockRestore();
    }
  });

  test('several at once have room together, or none is taken', () => {
    expect(() => world.queues.check(Array(11).fill({ queue: 'q', bytes: 10 }))).toThrow(Refusal);
    world.queues.check(Array(10).fill({ queue: 'q', bytes: 10 }));
    expect(world.queues.bytes).toBe(0);
  });

  test('one who goes while it is handed a message loses nothing and stops nothing', () => {
    const a = world.join('a');
    world.join('b');
    world.onGive = (_, consumer) => {
      if (consumer === a) world.leave(a);
    };
    for (const content of ['1', '2']) world.push(content);
    expect(world.given).toEqual(['a:1', 'b:1', 'b:2']);
  });

  test('what comes back costs the same, however many wait', () => {
    let looked = 0;
    const messageOf = (order: number): Queued<Consumer, string> => ({
      ...{ id: `${order}`, content: '', bytes: 10, endsAt: 1, nacks: 0, refusedBy: undefined },
      get order() {
        looked++;
        return order;
      },
    });
    const queue = new Queue<Consumer, string>();
    const consumer: Consumer = { name: 'a', room: 0, has: [] };
    queue.join(consumer);
    const count = 20_000;
    for (let order = 0; order < count; order++) queue.push(messageOf(order));
    const next = () => queue.next(() => true)![0];
    const held = Array.from({ length: 1000 }, next);
    looked = 0;
    // Refused one after the other, and then all given back.
    for (const message of held) {
      queue.push(message);
      expect(next()).toBe(message);
    }
    for (const message of held.reverse()) queue.push(message);
    expect(looked).toBeLessThan(3 * held.length * 50);
    expect(Array.from({ length: count }, () => next().id)).toEqual(Array.from({ length: count }, (_, i) => `${i}`));
  });

  test('any acts: no message is lost or with two, bytes are counted, order is kept but for what came back', () => {
    const act = fc.record({
      what: fc.constantFrom('push', 'push', 'join', 'ack', 'nack', 'leave', 'later'),
      at: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const any = new World();
        let consumers: Consumer[] = [];
        let [pushed, over] = [0, 0];
        for (const { what, at } of acts) {
          const consumer = consumers[at % Math.max(1, consumers.length)];
          if (what === 'push') {
            try {
              any.push(String(pushed));
              pushed++;
            } catch (error) {
              expect(error).toBeInstanceOf(Refusal);
            }
          } else if (what === 'join') {
            const joined: Consumer = { name: `c${at}`, room: 1 + (at % 4), has: [] };
            consumers.push(joined);
            any.queues.join('q', joined);
          } else if (what === 'later') any.now += 50 * at;
          else if (consumer && what === 'leave') {
            consumers = consumers.filter((other) => other !== consumer);
            any.leave(consumer);
          } else if (consumer && consumer.has.length > 0) {
            if (what === 'ack') {
              over++;
              any.ack(consumer);
            } else any.nack(consumer);
          }
          const held = consumers.flatMap(({ has }) => has.map(({ id }) => id));
          expect(new Set(held).size).toBe(held.length);
          const dropped = any.dropped.reduce((sum, [, count]) => sum + count, 0);
          const waiting = pushed - over - dropped - held.length;
          expect(waiting).toBeGreaterThanOrEqual(0);
          expect(any.queues.bytes).toBe(10 * (waiting + held.length));
          expect(any.queues.bytes).toBeLessThanOrEqual(LIMITS.maxQueue);
          // Nothing waits that somebody would take.
          if (waiting > 0) expect(consumers.every(({ has, room }) => has.length >= room)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
