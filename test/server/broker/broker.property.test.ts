/** The broker with clients that are no sockets: whatever they do and whenever they die, no message of a queue is lost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Broker } from '../../../src/server/broker/broker.ts';
import type { Client } from '../../../src/server/broker/client.ts';
import { MAX_NACKS } from '../../../src/server/broker/queues.ts';
import { Refusal } from '../../../src/server/refusal.ts';
import { Headers } from '../../../src/server/stomp/frame.ts';
import { Message } from '../../../src/server/transport/message.ts';
import { ALONE, UNHURRIED } from '../../helpers/alone.ts';

const LIMITS = { maxQueue: 1e9, maxQueues: 1e9, queueTtl: 1e9, maxTransactions: 2, maxTransactionBytes: 1e9 };
const AROUND = { incarnation: 'n', others: ALONE, pace: UNHURRIED, dropped() {} };

/** A client that may die of what it is sent. */
class Fake implements Client {
  readonly version = '1.2';
  readonly user = 'kim';
  readonly role = null;
  readonly clogged = false;
  readonly waitedFor = undefined;
  readonly id: string;
  readonly #broker: Broker;
  /** Messages until it dies. */
  #lives: number;
  dead = false;
  /** What it has to acknowledge. */
  readonly has: { ack: string; body: string }[] = [];

  constructor(broker: Broker, id: string, lives: number) {
    this.#broker = broker;
    this.id = id;
    this.#lives = lives;
  }

  send(frame: Buffer | Message): void {
    expect(this.dead).toBe(false);
    const text = (frame instanceof Message ? Buffer.concat([frame.head, frame.tail]) : frame).toString();
    const ack = /^ack:(.*)$/m.exec(text)?.[1] ?? '';
    this.has.push({ ack, body: text.slice(text.indexOf('\n\n') + 2, -1) });
    if (--this.#lives === 0) this.die();
  }

  overrun(): void {
    this.die();
  }

  die(): void {
    this.dead = true;
    this.#broker.forget(this);
  }
}

const acts = fc.array(
  fc.record({
    what: fc.constantFrom(
      ...['send', 'send', 'send in', 'subscribe', 'subscribe', 'ack', 'ack', 'nack', 'ack in'],
      ...['begin', 'commit', 'abort', 'unsubscribe', 'die', 'come'],
    ),
    who: fc.nat({ max: 3 }),
    at: fc.nat({ max: 5 }),
  }),
  { maxLength: 80 },
);

test('every message that was sent or committed is acknowledged, dropped after its NACKs, or comes to the next one', () => {
  fc.assert(
    fc.property(acts, fc.integer({ min: 1, max: 30 }), (all, lives) => {
      let dropped = 0;
      const broker = new Broker({
        ...AROUND,
        options: { ...LIMITS, maxUnacked: 4, sendRoles: new Set(), maxSubscriptions: 2 },
        dropped: (_, count) => {
          dropped += count;
        },
      });
      let names = 0;
      const newClient = () => new Fake(broker, `s${++names}`, lives);
      const clients = Array.from({ length: 4 }, newClient);
      const sent: string[] = [];
      /** Per client and transaction: what COMMIT does. */
      const open = new Map<Fake, { sends: string[]; acks: string[] }>();
      const over: string[] = [];
      let sends = 0;
      const frameOf = (body: string) => ({ command: 'SEND', headers: new Headers(), body: Buffer.from(body) });
      for (const { what, who, at } of all) {
        const client = clients[who]!;
        if (client.dead) {
          open.delete(client);
          if (what === 'come') clients[who] = newClient();
          continue;
        }
        const transaction = open.get(client);
        const got = client.has[at % Math.max(1, client.has.length)];
        try {
          if (what === 'send' || (what === 'send in' && transaction)) {
            const body = `m${++sends}`;
            if (what === 'send') sent.push(body);
            else transaction!.sends.push(body);
            void broker.send(client, '/queue/q', frameOf(body), what === 'send' ? undefined : 't');
          } else if (what === 'subscribe') void broker.subscribe(client, '/queue/q', `${at % 2}`, 'client-individual');
          else if (what === 'unsubscribe') broker.unsubscribe(client, `${at % 2}`, undefined);
          else if (what === 'begin' && !transaction) {
            broker.desk(client).begin('t');
            open.set(client, { sends: [], acks: [] });
          } else if (transaction && (what === 'commit' || what === 'abort')) {
            open.delete(client);
            if (what === 'commit') {
              sent.push(...transaction.sends);
              over.push(...transaction.acks);
            }
            broker.desk(client)[what]('t');
          } else if (what === 'die') client.die();
          else if (got && ['ack', 'nack', 'ack in'].includes(what) && (what !== 'ack in' || transaction)) {
            broker
              .desk(client)
              .acknowledge({ ack: got.ack }, what !== 'nack', true, what === 'ack in' ? 't' : undefined);
            if (what === 'ack') over.push(got.body);
            else if (what === 'ack in') transaction!.acks.push(got.body);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal); // acknowledged already, subscribed already, …
        }
      }
      for (const client of clients) if (!client.dead) client.die();
      const last = new Fake(broker, 'last', Number.POSITIVE_INFINITY);
      void broker.subscribe(last, '/queue/q', '1', 'auto');
      const rest = last.has.map(({ body }) => body);
      expect(new Set(over).size).toBe(over.length);
      expect(rest).toEqual(sent.filter((body) => rest.includes(body))); // in their order, each once
      expect(rest.filter((body) => over.includes(body))).toEqual([]);
      expect(sent.length - over.length - rest.length).toBe(dropped);
      if (all.filter(({ what }) => what === 'nack').length < MAX_NACKS) expect(dropped).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test.each(['ack', 'nack', 'commit', 'abort', 'unsubscribe', 'auto'])('what is over takes no room: %s', (how) => {
  // Room for few: whatever leaked would refuse a SEND, or stop the deliveries.
  const limits = { ...LIMITS, maxQueue: 4000, maxQueues: 4000, maxTransactionBytes: 4000, maxUnacked: 4 };
  const broker = new Broker({ ...AROUND, options: { ...limits, sendRoles: new Set(), maxSubscriptions: 2 } });
  const client = new Fake(broker, 's1', Number.POSITIVE_INFINITY);
  const frame = { command: 'SEND', headers: new Headers(), body: Buffer.from('x') };
  const subscribe = (id: string) => broker.subscribe(client, '/queue/q', id, how === 'auto' ? 'auto' : 'client');
  const acknowledge = (accepted: boolean, transaction?: string) =>
    broker.desk(client).acknowledge({ ack: client.has.at(-1)!.ack }, accepted, true, transaction);
  void subscribe('0');
  for (let time = 1; time <= 100; time++) {
    const before = client.has.length;
    void broker.send(client, '/queue/q', frame, undefined);
    expect(client.has.length).toBe(before + 1);
    if (how === 'ack') acknowledge(true);
    if (how === 'nack') for (let nacks = 0; nacks < MAX_NACKS; nacks++) acknowledge(false);
    if (how === 'commit' || how === 'abort') {
      broker.desk(client).begin('t');
      void broker.send(client, '/queue/other', frame, 't');
      acknowledge(true, 't');
      broker.desk(client)[how]('t');
      if (how === 'abort') acknowledge(true);
      else {
        // Empty the other queue.
        void broker.subscribe(client, '/queue/other', 'other', 'auto');
        broker.unsubscribe(client, 'other', undefined);
      }
    }
    if (how === 'unsubscribe') {
      broker.unsubscribe(client, '0', undefined);
      void subscribe('0');
      acknowledge(true);
    }
  }
});

test('in a transaction what is acknowledged makes room for what is sent, in a queue and in all of them', () => {
  const dropped: string[] = [];
  const limits = { ...LIMITS, maxQueue: 1100, maxQueues: 1700, maxUnacked: 4, maxSubscriptions: 2 };
  const options = { ...limits, sendRoles: new Set<string>() };
  const broker = new Broker({ ...AROUND, options, dropped: (queue) => dropped.push(queue) });
  const client = new Fake(broker, 's1', Number.POSITIVE_INFINITY);
  const send = (queue: string, transaction?: string) => {
    const frame = { command: 'SEND', headers: new Headers(), body: Buffer.from('x') };
    return broker.send(client, queue, frame, transaction);
  };
  void broker.subscribe(client, '/queue/q', '0', 'client-individual');
  // Two of 513 bytes in each queue at most, three in all.
  for (const queue of ['/queue/q', '/queue/q', '/queue/p']) void send(queue);
  /** Acknowledges its oldest message, sends to these, and commits. */
  const inTransaction = (accepted: boolean, ...queues: string[]) => {
    broker.desk(client).begin('t');
    broker.desk(client).acknowledge({ ack: client.has[0]!.ack }, accepted, true, 't');
    for (const queue of queues) void send(queue, 't');
    return () => {
      broker.desk(client).commit('t');
      client.has.shift();
    };
  };
  for (let time = 0; time < 10; time++) inTransaction(true, '/queue/q')();
  inTransaction(true, '/queue/p')();
  expect(inTransaction(true, '/queue/p')).toThrow(/"\/queue\/p" is full/);
  broker.desk(client).abort('t');
  expect(inTransaction(true, '/queue/q', '/queue/q')).toThrow(/queues of this node are full/);
  broker.desk(client).abort('t');
  expect(inTransaction(false, '/queue/q')).toThrow(/queues of this node are full/);
  expect(dropped).toEqual([]);
});
