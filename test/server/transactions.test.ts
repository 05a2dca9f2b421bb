/** BEGIN, COMMIT and ABORT, in frames as they are on the wire. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { refused } from '../helpers/refused.ts';
import { type Talk, talk } from '../helpers/talk.ts';

describeWithRedis('transactions', () => {
  let redis: TestRedis;
  let serve: Serve;
  let queues = 0;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, [
      ...['--node', 'transactions', '--max-transactions', '2', '--max-transaction-bytes', '4k', '--max-queue', '8k'],
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const client = (version = '1.2') => talk(serve.ws, 'cust01', { 'accept-version': version });
  const newQueue = () => `/queue/t${++queues}`;
  const subscriber = async (destination: string, ack = 'auto', version = '1.2') => {
    const one = await client(version);
    await one.sure('SUBSCRIBE', { id: 's', destination, ack });
    return one;
  };
  const bodies = (one: Talk) => one.frames('MESSAGE').map(({ body }) => body.toString());
  /** Everything sent before has arrived when this has. */
  const settled = async (one: Talk, destination: string) => {
    const before = one.frames('MESSAGE').length;
    await one.sure('SEND', { destination }, 'end');
    await one.wait('MESSAGE', before + 1);
  };

  it.each(['1.0', '1.1', '1.2'])(
    '%s "COMMIT": what was sent in the transaction is delivered now, in order',
    async (version) => {
      const one = await subscriber('/topic/a');
      const sender = await client(version);
      await sender.sure('BEGIN', { transaction: 't' });
      await sender.sure('SEND', { destination: '/topic/a', transaction: 't' }, '1');
      await sender.sure('SEND', { destination: '/topic/a' }, 'outside');
      await sender.sure('SEND', { destination: '/topic/a', transaction: 't' }, '2');
      await one.wait('MESSAGE');
      expect(bodies(one)).toEqual(['outside']);
      await sender.sure('COMMIT', { transaction: 't' });
      await one.wait('MESSAGE', 3);
      expect(bodies(one)).toEqual(['outside', '1', '2']);
      expect(one.frames('MESSAGE').every(({ header }) => header('transaction') === undefined)).toBe(true);
    },
  );

  it.each(['1.0', '1.1', '1.2'])(
    '%s "ABORT": nothing of the transaction is delivered, and its name is free',
    async (version) => {
      const one = await subscriber('/topic/a');
      const sender = await client(version);
      for (let time = 0; time < 3; time++) {
        await sender.sure('BEGIN', { transaction: 't' });
        await sender.sure('SEND', { destination: '/topic/a', transaction: 't' }, 'never');
        await sender.sure('ABORT', { transaction: 't' });
      }
      await settled(one, '/topic/a');
      expect(bodies(one)).toEqual(['end']);
    },
  );

  it.each(['DISCONNECT', 'a lost socket', 'an ERROR'])('1.2 "BEGIN": %s aborts the transaction', async (how) => {
    const [one, queue] = [await subscriber('/topic/a'), newQueue()];
    const sender = await subscriber(queue, 'client');
    await sender.sure('SEND', { destination: queue }, 'job');
    const { header } = await sender.wait('MESSAGE');
    await sender.sure('BEGIN', { transaction: 't' });
    await sender.sure('SEND', { destination: '/topic/a', transaction: 't' }, 'never');
    await sender.sure('ACK', { id: header('ack')!, transaction: 't' });
    if (how === 'DISCONNECT') await sender.sure('DISCONNECT');
    else if (how === 'a lost socket') sender.socket.terminate();
    else sender.say('SEND', { destination: '/nowhere' });
    await sender.closed;
    await one.sure('SUBSCRIBE', { id: 'q', destination: queue });
    await one.wait('MESSAGE');
    await settled(one, '/topic/a');
    expect(bodies(one)).toEqual(['job', 'end']);
  });

  it('1.2 "ACK" in a transaction: it counts at COMMIT', async () => {
    const queue = newQueue();
    const one = await subscriber(queue, 'client');
    for (const body of ['1', '2', '3']) await one.sure('SEND', { destination: queue }, body);
    await one.wait('MESSAGE', 3);
    await one.sure('BEGIN', { transaction: 't' });
    await one.sure('ACK', { id: one.frames('MESSAGE')[1]!.header('ack')!, transaction: 't' });
    await one.sure('UNSUBSCRIBE', { id: 's' }); // the transaction still decides over what it holds
    const other = await subscriber(queue);
    await other.wait('MESSAGE');
    await one.sure('COMMIT', { transaction: 't' });
    await settled(other, queue);
    expect(bodies(other)).toEqual(['3', 'end']);
  });

  it('1.2 "ACK" in a transaction: after ABORT the message can be acknowledged again', async () => {
    const queue = newQueue();
    const one = await subscriber(queue, 'client-individual');
    await one.sure('SEND', { destination: queue }, '1');
    const id = (await one.wait('MESSAGE')).header('ack')!;
    for (const command of ['ACK', 'NACK']) {
      await one.sure('BEGIN', { transaction: 't' });
      await one.sure(command, { id, transaction: 't' });
      await one.sure('ABORT', { transaction: 't' });
    }
    await one.sure('ACK', { id });
    await one.sure('UNSUBSCRIBE', { id: 's' });
    const other = await subscriber(queue);
    await settled(other, queue);
    expect(bodies(other)).toEqual(['end']);
  });

  it('1.2 "NACK" in a transaction: the message goes to another at COMMIT; twice is an ERROR', async () => {
    const queue = newQueue();
    const [one, other] = [await subscriber(queue, 'client'), await subscriber(queue)];
    await one.sure('SEND', { destination: queue }, '1');
    const id = (await one.wait('MESSAGE')).header('ack')!;
    await one.sure('BEGIN', { transaction: 't' });
    await one.sure('NACK', { id, transaction: 't' });
    expect(bodies(other)).toEqual([]);
    await one.sure('COMMIT', { transaction: 't' });
    await other.wait('MESSAGE');
    one.say('ACK', { id });
    await refused(one, /no message/, 1002);
  });

  it('1.2 "COMMIT": a queue that can’t take all of it takes nothing: ERROR', async () => {
    const [queue, sender] = [newQueue(), await client()];
    const one = await subscriber('/topic/a');
    await sender.sure('SEND', { destination: queue }, 'x'.repeat(6000));
    await sender.sure('BEGIN', { transaction: 't' });
    await sender.sure('SEND', { destination: '/topic/a', transaction: 't' }, 'never');
    await sender.sure('SEND', { destination: queue, transaction: 't' }, 'x'.repeat(1500));
    sender.say('COMMIT', { transaction: 't', receipt: 'r' });
    await refused(sender, /is full/, 1008);
    await settled(one, '/topic/a');
    expect(bodies(one)).toEqual(['end']);
    await one.sure('SUBSCRIBE', { id: 'q', destination: queue });
    expect((await one.wait('MESSAGE', 2)).body.length).toBe(6000);
  });

  it.each([
    ['BEGIN', {}],
    ['BEGIN', { transaction: '' }],
    ['BEGIN', { transaction: 'open' }],
    ['COMMIT', {}],
    ['COMMIT', { transaction: 'never' }],
    ['ABORT', {}],
    ['ABORT', { transaction: 'never' }],
    ['SEND', { destination: '/topic/a', transaction: 'never' }],
    ['SEND', { destination: '/topic/a', transaction: '' }],
    ['ACK', { id: '1', transaction: 'never' }],
    ['NACK', { id: '1', transaction: 'open' }],
  ] as [string, Record<string, string>][])('1.2: %s with %j is an ERROR and close 1002', async (command, headers) => {
    const other = await client();
    await other.sure('BEGIN', { transaction: 'never' }); // names are the connection's own
    const one = await client();
    await one.sure('BEGIN', { transaction: 'open' });
    one.say(command, { ...headers, receipt: 'r' });
    expect((await refused(one, /transaction|message/, 1002)).header('receipt-id')).toBe('r');
  });

  it('--max-transactions: one more is an ERROR', async () => {
    const one = await client();
    for (const transaction of ['a', 'b']) await one.sure('BEGIN', { transaction });
    await one.sure('ABORT', { transaction: 'a' });
    await one.sure('BEGIN', { transaction: 'c' });
    one.say('BEGIN', { transaction: 'd' });
    await refused(one, /more than 2 open transactions/, 1008);
  });

  it('--max-transaction-bytes: all open ones of a session together hold no more', async () => {
    const one = await client();
    for (const transaction of ['a', 'b']) {
      await one.sure('BEGIN', { transaction });
      await one.sure('SEND', { destination: '/topic/a', transaction }, 'x'.repeat(1000));
    }
    await one.sure('COMMIT', { transaction: 'a' });
    await one.sure('SEND', { destination: '/topic/a', transaction: 'b' }, 'x'.repeat(1000));
    one.say('SEND', { destination: '/topic/a', transaction: 'b' }, 'x'.repeat(1000));
    await refused(one, /hold more than 4096 bytes/, 1009);
  });
});
