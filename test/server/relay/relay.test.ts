/** What waits for Redis, and what doesn't: a relay on a bus that answers when it is told to. */
import { expect, test } from 'vitest';
import { WssessError } from '../../../src/common/errors.ts';
import type { Surroundings } from '../../../src/server/relay/relay.ts';
import { Relay } from '../../../src/server/relay/relay.ts';
import { Headers } from '../../../src/server/stomp/frame.ts';
import { within } from '../../helpers/wait.ts';

const KB = 1024;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A bus whose every PUBLISH waits for `answer` or `fail`. */
function slowBus() {
  const waiting: { channels: string[]; settle(error?: Error): void }[] = [];
  let ready = () => {};
  const bus = {
    ready: true,
    channelOf: (address: { kind: string; incarnation?: string }) =>
      `${address.kind} ${address.incarnation ?? ''}`.trim(),
    onReady: (listener: () => void) => {
      ready = listener;
    },
    publish: (messages: readonly (readonly [string, Buffer])[]) =>
      new Promise<void>((resolve, reject) => {
        const settle = (error?: Error) => (error ? reject(error) : resolve());
        waiting.push({ channels: messages.map(([channel]) => channel), settle });
      }),
    processOf: async (session: string) => (session === 'none' ? undefined : `process-of-${session}`),
  };
  return {
    bus: bus as unknown as Surroundings['bus'],
    setReady: (is: boolean) => {
      bus.ready = is;
      if (is) ready();
    },
    /** Channels of the batches that wait. */
    waiting: () => waiting.map(({ channels }) => channels),
    answer: () => waiting.shift()!.settle(),
    fail: () => waiting.shift()!.settle(new WssessError('redis_unreachable', 'it did not answer in time')),
  };
}

function relayOn(bus: Surroundings['bus']) {
  const told: string[] = [];
  const limits = { maxHeaders: 10, maxHeaderBytes: 100, maxBody: 1024 * KB };
  const fault = (error: unknown) => {
    throw error;
  };
  const relay = new Relay({
    bus,
    incarnation: 'incarnation-0001',
    limits,
    warn: (_, message) => told.push(message),
    fault,
  });
  let sent = 0;
  const send = (bytes = 100, to: 'topic' | 'session' = 'topic', session = 's') => {
    const frame = { command: 'SEND', headers: new Headers(), body: Buffer.alloc(bytes) };
    const name = to === 'topic' ? '/topic/a' : '/user/queue/x';
    const target = to === 'topic' ? ({ kind: to, name } as const) : ({ kind: to, session, name } as const);
    return relay.publish(target, ++sent, frame);
  };
  return { relay, send, told };
}

const isOver = async (work: Promise<void>) => {
  let over = false;
  void work.then(() => {
    over = true;
  });
  await turn();
  return over;
};

test('what is published in a turn goes in one write, and is over when Redis has answered', async () => {
  const { bus, waiting, answer } = slowBus();
  const { send } = relayOn(bus);
  const [first, second] = [send()!, send()!];
  await turn();
  expect(waiting()).toEqual([['topic', 'topic']]);
  expect(await isOver(first)).toBe(false);
  answer();
  await within(Promise.all([first, second]));
});

test('there is room for 1 MiB; who comes later waits until half of it is gone', async () => {
  const { bus, answer } = slowBus();
  const { relay, send } = relayOn(bus);
  for (let i = 0; i < 10; i++) {
    void send(100 * KB);
    await turn();
  }
  expect(relay.room).toBeUndefined();
  void send(100 * KB);
  await turn();
  const room = relay.room!;
  for (let i = 0; i < 5; i++) answer();
  expect(await isOver(room)).toBe(false);
  answer();
  await within(room);
  expect(relay.room).toBeUndefined();
});

test('Redis away: nobody waits, nothing is kept, one message at a time tries; then all is as before', async () => {
  const { bus, waiting, answer, fail } = slowBus();
  const { relay, send, told } = relayOn(bus);
  const first = send(2048 * KB)!;
  const room = relay.room!;
  await turn();
  fail();
  await within(Promise.all([first, room]));
  expect(told).toEqual([expect.stringMatching(/^messages do not reach other nodes, 1 so far: it did not answer/)]);
  for (let i = 0; i < 100; i++) expect(send(100 * KB)).toBeUndefined();
  await turn();
  expect(waiting()).toEqual([['topic']]);
  expect(relay.room).toBeUndefined();
  fail();
  await turn();
  expect(told.at(-1)).toMatch(/ 101 so far/);
  void send(); // tries again
  await turn();
  answer();
  await turn();
  expect(send()).toBeInstanceOf(Promise);
});

test('while there is no connection nothing is tried; when it is back, everything is published', async () => {
  const { bus, waiting, fail, setReady } = slowBus();
  const { send } = relayOn(bus);
  void send();
  await turn();
  fail();
  await turn();
  setReady(false);
  expect(send()).toBeUndefined();
  await turn();
  expect(waiting()).toEqual([]);
  setReady(true);
  expect([send(), send()]).toEqual([expect.any(Promise), expect.any(Promise)]);
  await turn();
  expect(waiting()).toEqual([['topic', 'topic']]);
});

test('a message to a session goes to its process; to one that nobody has, nowhere', async () => {
  const { bus, waiting, answer } = slowBus();
  const { send } = relayOn(bus);
  const sent = [send(1, 'session', 'a'), send(1, 'session', 'none'), send(1, 'session', 'b')];
  await within(sent[1]!);
  await turn();
  expect(waiting()).toEqual([['process process-of-a', 'process process-of-b']]);
  answer();
  await within(Promise.all(sent));
});
