/** Back-pressure: a flood is read no faster than its receivers take it, and memory stays bounded. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients, frame } from '../helpers/clients.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

const KB = 1024;
const MB = KB * KB;

describeWithRedis('a flood', () => {
  let redis: TestRedis;
  let serve: Serve;
  /** As it is when nothing is set. */
  let plain: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    // More than the whole flood: a reader that this machine starves for a while is late, and not cut for it.
    [serve, plain] = await Promise.all([
      startServe(redis.url, ['--node', 'roomy', '--max-buffer', '256m', '--heart-beat', '0,0']),
      startServe(redis.url, ['--node', 'plain', '--heart-beat', '0,100ms']),
    ]);
  });
  afterEach(() => dropClients());
  afterAll(async () => {
    await Promise.all([serve?.stop(), plain?.stop()]);
    await redis?.stop();
  });

  const resident = () =>
    Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${serve.process.pid}/status`, 'utf8'))![1]) * KB;

  it('of SEND is read more slowly, not buffered: all comes in order, memory stays bounded', {
    timeout: 120_000,
  }, async () => {
    const [sender, receiver] = await Promise.all([talk(serve.ws, 'sender'), talk(serve.ws, 'receiver')]);
    await receiver.sure('SUBSCRIBE', { id: 's', destination: '/topic/flood' });
    const [count, size] = [12_000, 16 * KB];
    let [heard, ordered] = [0, true];
    receiver.socket.on('message', (data: Buffer) => {
      ordered &&= data.includes(`\n\n${heard} `);
      receiver.messages.length = 0;
      // A reader that stops again and again, far longer altogether than the sender takes to send.
      if (++heard % 300 !== 0) return;
      receiver.socket.pause();
      setTimeout(() => receiver.socket.resume(), 50);
    });
    const before = resident();
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, resident())), 20);
    try {
      const filler = 'x'.repeat(size);
      for (let i = 0; i < count; i++) sender.send(frame('SEND', { destination: '/topic/flood' }, `${i} ${filler}`));
      await until(() => heard === count, 100_000, 'the receiver to have heard all');
    } finally {
      clearInterval(watching);
    }
    expect(ordered).toBe(true);
    // 190 MB came through; without back-pressure what the reader left waiting would be the server's to hold.
    expect(most - before).toBeLessThan(120 * MB);
    await sender.sure('SEND', { destination: '/topic/flood' }, `${heard} after`);
  });

  it('RFC 6455, 5.5.3: of pings from a client that does not read is answered by the last one, not held', {
    timeout: 60_000,
  }, async () => {
    const [one, other] = await Promise.all([talk(serve.ws, 'one'), talk(serve.ws, 'other')]);
    const pongs: string[] = [];
    one.socket.on('pong', (data: Buffer) => pongs.push(data.toString().trimEnd()));
    one.socket.pause();
    const before = resident();
    const count = 200_000;
    for (let i = 0; i < count; i++) one.socket.ping(String(i).padEnd(120));
    await until(() => one.socket.bufferedAmount === 0, 30_000, 'the pings to be read');
    await other.sure('SEND', { destination: '/topic/alive' });
    expect(resident() - before).toBeLessThan(60 * MB);
    one.socket.resume();
    await until(() => pongs.at(-1) === String(count - 1), 10_000, 'the last pong');
    expect(pongs.length).toBeLessThan(count);
  });

  const flood = (sender: Talk, count: number, size: number) => {
    const filler = 'x'.repeat(size);
    for (let i = 0; i < count; i++) sender.send(frame('SEND', { destination: '/topic/flood' }, `${i} ${filler}`));
  };
  /** Counts what a subscriber hears, and whether it is in order. */
  const listen = async (receiver: Talk, heard: (count: number) => void = () => {}) => {
    await receiver.sure('SUBSCRIBE', { id: 's', destination: '/topic/flood' });
    const state = { heard: 0, ordered: true };
    receiver.socket.on('message', (data: Buffer) => {
      if (data.includes('\n\n')) state.ordered &&= data.includes(`\n\n${state.heard} `);
      receiver.messages.length = 0;
      heard(++state.heard);
    });
    return state;
  };

  it('holds up its senders for a reader that stops for a second now and then, and does not cut it', {
    timeout: 120_000,
  }, async () => {
    const [sender, receiver] = await Promise.all([
      // It beats; while it is not read for longer than it may be silent, it is not lost.
      talk(plain.ws, 'sender', { 'heart-beat': '100,0' }),
      talk(plain.ws, 'receiver'),
    ]);
    const beats = setInterval(() => sender.socket.send('\n'), 50);
    const [count, size] = [3000, 16 * KB];
    const state = await listen(receiver, (heard) => {
      if (heard % 600 !== 300) return;
      receiver.socket.pause();
      setTimeout(() => receiver.socket.resume(), 1500);
    });
    flood(sender, count, size);
    await until(() => state.heard === count, 100_000, 'the receiver to have heard all');
    clearInterval(beats);
    expect(state.ordered).toBe(true);
    await sender.sure('SEND', { destination: '/topic/other' });
  });

  it('cuts a reader that takes nothing; its neighbours hear everything', { timeout: 120_000 }, async () => {
    const [sender, reader, stuck] = await Promise.all(
      ['sender', 'reader', 'stuck'].map((user) => talk(plain.ws, user)),
    );
    const state = await listen(reader!);
    await listen(stuck!);
    stuck!.socket.pause();
    const count = 2000;
    flood(sender!, count, 16 * KB);
    await until(() => state.heard === count, 60_000, 'the neighbour to have heard all');
    expect(state.ordered).toBe(true);
    await until(
      async () => !(await plain.rest('/api/session/user/stuck')).body.online,
      10_000,
      'the stuck one to be cut',
    );
    stuck!.socket.resume();
    expect((await within(stuck!.closed)).code).toBe(1006);
  });

  it.each([
    ['a message each', (one: Talk, filler: string) => one.say('SEND', { destination: '/topic/flood' }, filler)],
    [
      'a message each before they go',
      (one: Talk, filler: string) => {
        one.say('SEND', { destination: '/topic/flood' }, filler);
        one.socket.close();
      },
    ],
    [
      'a transaction each',
      (one: Talk, filler: string) => {
        one.say('BEGIN', { transaction: 't' });
        one.say('SEND', { destination: '/topic/flood', transaction: 't' }, filler);
        one.say('COMMIT', { transaction: 't' });
      },
    ],
  ])(
    'of many senders at once, %s, does not cut a reader that stops for a moment',
    {
      timeout: 120_000,
    },
    async (_, say) => {
      const receiver = await talk(plain.ws, 'receiver');
      await receiver.sure('SUBSCRIBE', { id: 's', destination: '/topic/flood' });
      const senders = await Promise.all(Array.from({ length: 100 }, (_, i) => talk(plain.ws, `sender${i}`)));
      let heard = 0;
      receiver.socket.on('message', (data: Buffer) => {
        if (data.includes('\n\n')) heard++;
        receiver.messages.length = 0;
      });
      receiver.socket.pause();
      // All together more than --max-buffer and what the sockets hold: it is the others that have to wait.
      const filler = 'x'.repeat(256 * KB);
      for (const one of senders) say(one, filler);
      setTimeout(() => receiver.socket.resume(), 1000);
      await until(() => heard === senders.length || receiver.socket.readyState !== 1, 60_000, 'the messages');
      expect(heard).toBe(senders.length);
    },
  );

  it('of tiny frames in one message, for many subscribers, is done in turns with the others', {
    timeout: 120_000,
  }, async () => {
    const [bad, good] = await Promise.all([talk(serve.ws, 'bad'), talk(serve.ws, 'good')]);
    const subscribers = await Promise.all(Array.from({ length: 200 }, (_, i) => talk(serve.ws, `many${i}`)));
    await Promise.all(subscribers.map((one) => one.sure('SUBSCRIBE', { id: 's', destination: '/topic/many' })));
    const octets = subscribers.map(() => 0);
    subscribers.forEach(({ socket }, i) => {
      // Not read as WebSocket: this process must not be the one that is busy.
      const tcp = (socket as unknown as { _socket: Socket })._socket;
      tcp.removeAllListeners('data').on('data', (data: Buffer) => (octets[i]! += data.length));
    });
    const count = 10_000;
    const last = frame('SEND', { destination: '/topic/many', receipt: 'last' });
    bad.send(frame('SEND', { destination: '/topic/many' }).repeat(count) + last);
    await until(() => octets[0]! > 0, 20_000, 'the first message');
    let served = 0;
    while (bad.frames('RECEIPT').length === 0) {
      await good.sure('SEND', { destination: '/topic/good' });
      served++;
    }
    // Done in one turn, all of it comes before the second.
    expect(served).toBeGreaterThan(1);
    await until(() => octets.every((each) => each === octets[0] && each > count * 50), 60_000, 'all to have heard all');
  });
});
