/** A COMMIT of much: done in pieces, in its order, all of it. The clock moves with what is delivered alone. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Broker } from '../../../src/server/broker/broker.ts';
import type { Client, Pace } from '../../../src/server/broker/client.ts';
import { Headers } from '../../../src/server/stomp/frame.ts';
import { Message } from '../../../src/server/transport/message.ts';
import { ALONE, UNHURRIED } from '../../helpers/alone.ts';
import { until } from '../../helpers/wait.ts';

const LIMITS = { maxQueue: 1e6, maxQueues: 1e6, queueTtl: 1e9, maxTransactions: 2, maxTransactionBytes: 1e9 };
const AROUND = { incarnation: 'n', others: ALONE, pace: UNHURRIED, dropped() {} };
const OPTIONS = { ...LIMITS, maxUnacked: 1e6, sendRoles: new Set<string>(), maxSubscriptions: 9 };
const STEPS = 500;

let now = 0;
let broker: Broker;
beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  broker = new Broker({
    ...AROUND,
    options: { ...LIMITS, maxUnacked: 1e6, sendRoles: new Set(), maxSubscriptions: 9 },
  });
});
afterEach(() => void vi.restoreAllMocks());

/** Each message that it gets takes 2 ms. */
function client(id: string, log: string[] = []): Client {
  const send = (frame: Buffer | Message) => {
    now += 2;
    const text = (frame instanceof Message ? Buffer.concat([frame.head, frame.tail]) : frame).toString();
    log.push(text.slice(text.indexOf('\n\n') + 2, -1));
  };
  return { id, user: 'kim', role: null, version: '1.2', clogged: false, waitedFor: undefined, send, overrun() {} };
}

const frame = (body: string) => ({ command: 'SEND', headers: new Headers(), body: Buffer.from(body) });
const numbers = Array.from({ length: STEPS }, (_, i) => String(i));

it.each(['/topic/a', '/queue/a'])(
  'to %s: in many turns, others have theirs, the order is kept',
  async (destination) => {
    const log: string[] = [];
    void broker.subscribe(client('reader', log), destination, 's', 'auto');
    const sender = client('sender');
    broker.desk(sender).begin('t');
    for (const body of numbers) void broker.send(sender, destination, frame(body), 't');
    const { done } = broker.desk(sender).commit('t');
    expect(log.length).toBeLessThan(STEPS / 10);
    setImmediate(() => void broker.send(client('other'), '/topic/other', frame('x'), undefined));
    setImmediate(() => log.push('others'));
    await done;
    expect(log.indexOf('others')).toBeLessThan(STEPS / 5);
    expect(log.filter((body) => body !== 'others')).toEqual(numbers);
  },
);

it('whose sender is gone meanwhile is done to its end, also when others have filled the queue', async () => {
  const log: string[] = [];
  const sender = client('sender');
  broker.desk(sender).begin('t');
  void broker.subscribe(client('reader', log), '/topic/a', 's', 'auto');
  for (const body of numbers) void broker.send(sender, body === '400' ? '/queue/q' : '/topic/a', frame(body), 't');
  const { done } = broker.desk(sender).commit('t');
  broker.forget(sender);
  // Nobody reads it: 1 MB is all that fits.
  expect(() => {
    for (;;) void broker.send(client('other'), '/queue/q', frame('x'.repeat(9000)), undefined);
  }).toThrow('is full');
  await done;
  expect(log).toEqual(numbers.filter((body) => body !== '400'));
  const queued: string[] = [];
  void broker.subscribe(client('late', queued), '/queue/q', 's', 'auto');
  await until(() => queued.at(-1) === '400', 5000, 'what was committed to the queue');
});

it('gives one who is behind no more until there is room, whoever else waits for him', async () => {
  const log: string[] = [];
  let free = () => {};
  let waited: Promise<void> | undefined;
  const behind = () => {
    waited ??= new Promise<void>((resolve) => {
      free = () => {
        waited = undefined;
        resolve();
      };
    });
  };
  /** After each message the reader is behind. */
  const pace: Pace = {
    active: true,
    watch(work) {
      const before = log.length;
      const result = work();
      if (log.length > before) behind();
      return { result, room: waited };
    },
  };
  broker = new Broker({ ...AROUND, pace, options: OPTIONS });
  const reader: Client = Object.defineProperty(client('reader', log), 'waitedFor', { get: () => waited });
  void broker.subscribe(reader, '/topic/a', 's', 'auto');
  const sender = client('sender');
  broker.desk(sender).begin('t');
  for (const body of ['0', '1', '2']) void broker.send(sender, '/topic/a', frame(body), 't');
  behind(); // with what another one sent
  let isDone = false;
  void broker
    .desk(sender)
    .commit('t')
    .done!.then(() => (isDone = true));
  const turn = () => new Promise((next) => setImmediate(next));
  for (let count = 0; count <= 3; count++) {
    await turn();
    expect(log).toEqual(['0', '1', '2'].slice(0, count));
    expect(isDone).toBe(false);
    free();
  }
  await turn();
  expect(isDone).toBe(true);
});
