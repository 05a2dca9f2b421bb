/** Back-pressure: a flood is read no faster than its receivers take it, and memory stays bounded. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BackPressure } from '../../src/server/connection/back-pressure.ts';
import type { Transport } from '../../src/server/transport/transport.ts';
import { dropClients, frame } from '../helpers/clients.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { sleep, until, within } from '../helpers/wait.ts';

const KB = 1024;
const MB = KB * KB;

describe('back-pressure', () => {
  /** A receiver that takes nothing until it is told to. */
  const stuck = () => {
    let drained = () => {};
    const transport = { onDrained: (done: () => void) => (drained = done) } as unknown as Transport;
    return { transport, drain: () => drained() };
  };

  it('who sends to one that is behind waits until that one has taken everything', async () => {
    const pressure = new BackPressure(4 * MB);
    const { transport, drain } = stuck();
    const { result, room } = pressure.watch(() => {
      pressure.meet(transport);
      return 'sent';
    });
    let waited = false;
    void room!.then(() => (waited = true));
    await sleep(50);
    expect([result, waited]).toEqual(['sent', false]);
    drain();
    await within(room!);
  });

  it('who sends to others does not wait', () => {
    const pressure = new BackPressure(4 * MB);
    pressure.watch(() => pressure.meet(stuck().transport));
    expect(pressure.watch(() => {}).room).toBeUndefined();
  });

  it('one that stays behind is waited for once; after it has caught up, again', async () => {
    const pressure = new BackPressure(4 * MB);
    const { transport, drain } = stuck();
    const send = () => pressure.watch(() => pressure.meet(transport)).room;
    await within(send()!);
    expect(send()).toBeUndefined();
    drain();
    expect(send()).toBeInstanceOf(Promise);
    drain();
  });

  it('what is thrown comes through', () => {
    const pressure = new BackPressure(4 * MB);
    const boom = () => {
      throw new Error('boom');
    };
    expect(() => pressure.watch(boom)).toThrow('boom');
  });
});

describeWithRedis('a flood', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    // More than the whole flood: a reader that this machine starves for a while is late, and not cut for it.
    serve = await startServe(redis.url, ['--max-buffer', '256m', '--heart-beat', '0,0']);
  });
  afterEach(() => dropClients());
  afterAll(async () => {
    await serve?.stop();
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
});
