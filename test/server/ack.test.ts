/** ACK, NACK and the queues, in frames as they are on the wire. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { refused } from '../helpers/refused.ts';
import { type Got, type Talk, talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

describeWithRedis('acknowledgements', () => {
  let redis: TestRedis;
  let serve: Serve;
  /** With small limits. */
  let tight: Serve;
  let queues = 0;

  beforeAll(async () => {
    redis = await startRedis();
    [serve, tight] = await Promise.all([
      startServe(redis.url, ['--node', 'ack-a']),
      startServe(redis.url, [
        ...['--node', 'ack-b', '--max-unacked', '3', '--max-queue', '8k', '--max-queues', '16k'],
        ...['--queue-ttl', '300ms', '--max-buffer', '64k'],
      ]),
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([serve?.stop(), tight?.stop()]);
    await redis?.stop();
  });

  const client = (version = '1.2', where = serve) => talk(where.ws, 'cust01', { 'accept-version': version });
  const newQueue = () => `/queue/q${++queues}`;
  const consumer = async (destination: string, ack = 'client-individual', version = '1.2', where = serve) => {
    const one = await client(version, where);
    await one.sure('SUBSCRIBE', { id: 's', destination, ack });
    return one;
  };
  const send = async (one: Talk, destination: string, ...bodies: string[]) => {
    for (const body of bodies) await one.sure('SEND', { destination }, body);
  };
  const bodies = (one: Talk) => one.frames('MESSAGE').map(({ body }) => body.toString());
  /** The headers that name a message in ACK and NACK. */
  const naming = (version: string, got: Got): Record<string, string> =>
    version === '1.2'
      ? { id: got.header('ack')! }
      : { 'message-id': got.header('message-id')!, ...(version === '1.1' && { subscription: 's' }) };

  describe.each(['1.2', '1.1'])('%s', (version) => {
    it(`${version} "ACK", client-individual: each message by itself, what was not acknowledged goes to another`, async () => {
      const queue = newQueue();
      const one = await consumer(queue, 'client-individual', version);
      await send(one, queue, '1', '2', '3');
      await one.wait('MESSAGE', 3);
      await one.sure('ACK', naming(version, one.frames('MESSAGE')[1]!));
      const other = await consumer(queue, 'client-individual', version);
      one.socket.terminate();
      await other.wait('MESSAGE', 2);
      await send(other, queue, '4');
      await other.wait('MESSAGE', 3);
      expect(bodies(other)).toEqual(['1', '3', '4']);
    });

    it(`${version} "ACK", client: it is cumulative, for its own subscription`, async () => {
      const [queue, second] = [newQueue(), newQueue()];
      const one = await consumer(queue, 'client', version);
      await one.sure('SUBSCRIBE', { id: 'second', destination: second, ack: 'client' });
      await send(one, second, 'x');
      await send(one, queue, '1', '2', '3');
      await one.wait('MESSAGE', 4);
      await one.sure('ACK', naming(version, one.frames('MESSAGE')[2]!));
      one.say('DISCONNECT');
      await one.closed;
      const other = await consumer(queue, 'auto');
      await other.sure('SUBSCRIBE', { id: 'second', destination: second });
      await other.wait('MESSAGE', 2);
      expect(bodies(other)).toEqual(['3', 'x']);
    });

    it(`${version} "NACK": a message goes to another subscriber, not to the same at once`, async () => {
      const queue = newQueue();
      const [one, two] = [
        await consumer(queue, 'client-individual', version),
        await consumer(queue, 'client', version),
      ];
      await send(one, queue, 'a', 'b');
      const got = await one.wait('MESSAGE');
      await two.wait('MESSAGE');
      await one.sure('NACK', naming(version, got));
      await two.wait('MESSAGE', 2);
      expect([bodies(one), bodies(two)]).toEqual([['a'], ['b', 'a']]);
    });

    it(`${version} "NACK", client: it means all messages before it, too`, async () => {
      const queue = newQueue();
      const one = await consumer(queue, 'client', version);
      await send(one, queue, '1', '2', '3');
      await one.wait('MESSAGE', 3);
      await one.sure('NACK', naming(version, one.frames('MESSAGE')[1]!));
      await one.wait('MESSAGE', 5);
      expect(bodies(one)).toEqual(['1', '2', '3', '1', '2']);
    });

    it(`${version} "NACK": what nobody accepts is dropped after ten times`, async () => {
      const queue = newQueue();
      const one = await consumer(queue, 'client-individual', version);
      await send(one, queue, 'bad');
      for (let time = 1; time <= 10; time++) {
        await one.sure('NACK', naming(version, await one.wait('MESSAGE', time)));
      }
      await send(one, queue, 'good');
      await one.wait('MESSAGE', 11);
      expect(bodies(one)).toEqual([...Array(10).fill('bad'), 'good']);
      await until(() => serve.stderr().includes('refused 10 times'));
    });

    it.each(['ACK', 'NACK'])(
      `${version} "%s": twice, of nothing, or without its headers is an ERROR`,
      async (command) => {
        const queue = newQueue();
        const one = await consumer(queue, 'client', version);
        await send(one, queue, '1', '2');
        await one.wait('MESSAGE', 2);
        const [first, second] = one.frames('MESSAGE').map((got) => naming(version, got));
        await one.sure('ACK', second);
        one.say(command, { ...first, receipt: 'late' });
        expect((await refused(one, /no message/, 1002)).header('receipt-id')).toBe('late');
        const absent = { id: '1', 'message-id': '1', subscription: 's' };
        for (const left of version === '1.2' ? ['id'] : ['message-id', 'subscription']) {
          const other = await client(version);
          other.say(command, { ...absent, [left]: '' });
          await refused(other, /./, 1002);
          const third = await client(version);
          third.say(command, Object.fromEntries(Object.entries(absent).filter(([name]) => name !== left)));
          await refused(third, /without/, 1002);
        }
      },
    );
  });

  it('1.2 "MESSAGE": ack is there when the message must be acknowledged, and only then; it is unique', async () => {
    const one = await client();
    for (const ack of ['auto', 'client', 'client-individual']) {
      await one.sure('SUBSCRIBE', { id: ack, destination: '/topic/a', ack });
    }
    await send(one, '/topic/a', 'x');
    await one.wait('MESSAGE', 3);
    const acks = new Map(one.frames('MESSAGE').map(({ header }) => [header('subscription'), header('ack')]));
    expect(acks.get('auto')).toBeUndefined();
    expect(acks.get('client')).toBeTruthy();
    expect(acks.get('client-individual')).toBeTruthy();
    expect(acks.get('client')).not.toBe(acks.get('client-individual'));
  });

  it.each(['1.0', '1.1', '1.2'])(
    '%s "MESSAGE" of a queue is in the receiver’s version, and what is the server’s is not forged',
    async (version) => {
      const queue = newQueue();
      const one = await consumer(queue, 'client', version);
      const sender = await client();
      const head = `SEND\ndestination:${queue}\nevil:x\\nforged:1\nplain:a\\\\b\nack:forged\nmessage-id:forged\nsubscription:forged\n`;
      sender.send(Buffer.concat([Buffer.from(`${head}content-length:3\n\n`), Buffer.from([0xff, 0, 0xfe, 0])]));
      const { header, headers, body, binary } = await one.wait('MESSAGE');
      expect([header('forged'), header('subscription'), body.toString('hex'), binary]).toEqual([
        undefined,
        's',
        'ff00fe',
        true,
      ]);
      expect(header('evil')).toBe(version === '1.0' ? undefined : 'x\\nforged\\c1');
      expect(header('plain')).toBe(version === '1.0' ? 'a\\b' : 'a\\\\b');
      expect(headers.filter(([, value]) => value === 'forged')).toEqual([]);
      expect(headers.filter(([name]) => name === 'ack')).toHaveLength(version === '1.2' ? 1 : 0);
    },
  );

  it('1.2 "SUBSCRIBE": without the header ack it is auto: nothing comes again', async () => {
    const queue = newQueue();
    const one = await client();
    await one.sure('SUBSCRIBE', { id: 's', destination: queue });
    await send(one, queue, 'once');
    await one.sure('UNSUBSCRIBE', { id: 's' });
    await one.sure('SUBSCRIBE', { id: 's', destination: queue });
    await send(one, queue, 'end');
    await one.wait('MESSAGE', 2);
    expect(bodies(one)).toEqual(['once', 'end']);
  });

  it('1.0 "ACK": message-id names the message, one alone; with a subscription it is the one of that', async () => {
    const queue = newQueue();
    const one = await client('1.0');
    one.send(`SUBSCRIBE\ndestination: ${queue}\nack: client\nreceipt: r\n\n\0`);
    await one.wait('RECEIPT');
    await send(one, queue, '1', '2');
    await one.wait('MESSAGE', 2);
    const second = one.frames('MESSAGE')[1]!;
    expect(second.header('ack')).toBeUndefined();
    one.send(`ACK\nmessage-id: ${second.header('message-id')}\nreceipt: r2\n\n\0`);
    await one.wait('RECEIPT', 4);
    await one.sure('UNSUBSCRIBE', { destination: queue });
    await one.sure('SUBSCRIBE', { destination: queue, id: 's', ack: 'client' });
    const again = await one.wait('MESSAGE', 3);
    expect(bodies(one)).toEqual(['1', '2', '1']);
    await one.sure('ACK', { 'message-id': again.header('message-id')!, subscription: 's' });
    one.say('ACK', { 'message-id': again.header('message-id')! });
    await refused(one, /no message/, 1002);
  });

  it('1.0: NACK is no frame of it', async () => {
    const one = await client('1.0');
    one.say('NACK', { 'message-id': '1' });
    await refused(one, /NACK/, 1002);
  });

  it('1.2 "ACK" of a topic: every subscriber has its own copy, so nothing comes again', async () => {
    const [one, other] = [await consumer('/topic/t', 'client'), await consumer('/topic/t', 'client-individual')];
    await send(one, '/topic/t', 'a', 'b');
    await Promise.all([one.wait('MESSAGE', 2), other.wait('MESSAGE', 2)]);
    await one.sure('NACK', { id: one.frames('MESSAGE')[1]!.header('ack')! });
    await other.sure('ACK', { id: other.frames('MESSAGE')[0]!.header('ack')! });
    one.socket.terminate();
    await other.sure('UNSUBSCRIBE', { id: 's' });
    await other.sure('SUBSCRIBE', { id: 's', destination: '/topic/t', ack: 'client' });
    await send(other, '/topic/t', 'c');
    await other.wait('MESSAGE', 3);
    expect(bodies(other)).toEqual(['a', 'b', 'c']);
  });

  it('1.2 "UNSUBSCRIBE", "DISCONNECT": what was not acknowledged goes to another, in its order', async () => {
    for (const leave of ['UNSUBSCRIBE', 'DISCONNECT']) {
      const queue = newQueue();
      const one = await consumer(queue, 'client');
      await send(one, queue, '1', '2');
      await one.wait('MESSAGE', 2);
      await one.sure(leave, { id: 's' });
      const other = await consumer(queue, 'auto');
      await other.wait('MESSAGE', 2);
      expect(bodies(other)).toEqual(['1', '2']);
    }
  });

  it('/queue: one subscriber gets a message, in turns', async () => {
    const queue = newQueue();
    const all = [await consumer(queue, 'auto'), await consumer(queue, 'client'), await consumer(queue, 'auto')];
    await send(all[0]!, queue, '1', '2', '3', '4');
    await until(() => all.flatMap(bodies).length === 4);
    expect(all.map(bodies)).toEqual([['1', '4'], ['2'], ['3']]);
  });

  it('/queue: what nobody takes waits', async () => {
    const queue = newQueue();
    await send(await client(), queue, '1', '2');
    const one = await consumer(queue, 'auto');
    await one.wait('MESSAGE', 2);
    expect(bodies(one)).toEqual(['1', '2']);
  });

  it('--queue-ttl: and not for ever', async () => {
    const queue = newQueue();
    const one = await client('1.2', tight);
    const old = performance.now();
    await send(one, queue, 'old');
    await until(() => performance.now() > old + 400);
    await one.sure('SUBSCRIBE', { id: 's', destination: queue });
    await send(one, queue, 'new');
    await one.wait('MESSAGE');
    expect(bodies(one)).toEqual(['new']);
  });

  it('--max-queue, --max-queues: one message too many is an ERROR to its sender', async () => {
    const one = await consumer('/queue/full', 'client', '1.2', tight);
    await send(one, '/queue/full', 'x'.repeat(6000));
    await send(one, '/queue/other', 'x'.repeat(6000));
    for (const [destination, message] of [
      ['/queue/full', /"\/queue\/full" is full/],
      ['/queue/third', /node are full/],
    ] as const) {
      const sender = await client('1.2', tight);
      sender.say('SEND', { destination }, 'x'.repeat(6000));
      await refused(sender, message, 1008);
    }
    await one.sure('ACK', { id: (await one.wait('MESSAGE')).header('ack')! });
    await send(one, '/queue/full', 'x'.repeat(6000));
    await one.sure('ACK', { id: (await one.wait('MESSAGE', 2)).header('ack')! });
    await one.sure('SUBSCRIBE', { id: 'rest', destination: '/queue/other' });
  });

  it('--max-unacked: a queue waits for ACK', async () => {
    const queue = newQueue();
    const one = await consumer(queue, 'client', '1.2', tight);
    await send(one, queue, '1', '2', '3', '4', '5');
    expect(bodies(one)).toEqual(['1', '2', '3']);
    await one.sure('ACK', { id: one.frames('MESSAGE')[1]!.header('ack')! });
    await one.wait('MESSAGE', 5);
    await one.sure('ACK', { id: one.frames('MESSAGE')[4]!.header('ack')! });
    expect(bodies(one)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('--max-unacked: a topic can’t wait: ERROR, cause slow_consumer; its neighbours get everything', async () => {
    const behind = await consumer('/topic/t', 'client', '1.2', tight);
    const neighbour = await consumer('/topic/t', 'auto', '1.2', tight);
    await send(neighbour, '/topic/t', '1', '2', '3', '4');
    await refused(behind, /more than 3 messages without ACK/, 1008, 'slow_consumer');
    await neighbour.wait('MESSAGE', 4);
    expect([bodies(behind), bodies(neighbour)]).toEqual([
      ['1', '2', '3'],
      ['1', '2', '3', '4'],
    ]);
  });

  it('a backlog larger than --max-buffer reaches one auto subscriber that reads', async () => {
    const queue = newQueue();
    const sender = await client();
    for (let i = 0; i < 70; i++) sender.say('SEND', { destination: queue }, `${i} ${'x'.repeat(100_000)}`);
    await sender.sure('SEND', { destination: queue }, 'last');
    const one = await consumer(queue, 'auto');
    await one.wait('MESSAGE', 71);
    expect(bodies(one).map((body) => body.split(' ')[0])).toEqual([...Array(70).keys(), 'last'].map(String));
  });
});
