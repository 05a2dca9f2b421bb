/** SEND to a user, a session, everyone; and who may. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { refused } from '../helpers/refused.ts';
import { type Talk, talk } from '../helpers/talk.ts';

describeWithRedis('messages to users, sessions and everyone', () => {
  let redis: TestRedis;
  let serve: Serve;
  /** Without --send-roles. */
  let closed: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    [serve, closed] = await Promise.all([
      startServe(redis.url, ['--node', 'addressed-a', '--send-roles', 'AGENT, ADMIN', '--max-unacked', '2']),
      startServe(redis.url, ['--node', 'addressed-b']),
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([serve?.stop(), closed?.stop()]);
    await redis?.stop();
  });

  const agent = (role = 'AGENT') => talk(serve.ws, 'agent', { userRole: role });
  const user = async (name: string, destination = '/user/queue/messages', ack = 'auto') => {
    const one = await talk(serve.ws, name);
    await one.sure('SUBSCRIBE', { id: 's', destination, ack });
    return one;
  };
  const bodies = (one: Talk) => one.frames('MESSAGE').map(({ body }) => body.toString());

  it('/user/{userId}/queue/x reaches all sessions of the user that subscribe to /user/queue/x, and nobody else', async () => {
    const name = '김/a b%';
    const [desk, phone, other, deaf] = [
      await user(name),
      await user(name),
      await user('b'),
      await user(name, '/user/queue/y'),
    ];
    const sender = await agent();
    await sender.sure('SEND', { destination: `/user/${encodeURIComponent(name)}/queue/messages` }, 'hello');
    await sender.sure('SEND', { destination: '/user/nobody/queue/messages' }, 'into the void');
    await sender.sure('SEND', { destination: '/all/queue/messages' }, 'end');
    await sender.sure('SEND', { destination: '/all/queue/y' }, 'end y');
    await Promise.all([desk.wait('MESSAGE', 2), phone.wait('MESSAGE', 2), other.wait('MESSAGE'), deaf.wait('MESSAGE')]);
    expect([desk, phone, other, deaf].map(bodies)).toEqual([['hello', 'end'], ['hello', 'end'], ['end'], ['end y']]);
    const { header } = desk.frames('MESSAGE')[0]!;
    expect([header('destination'), header('subscription')]).toEqual(['/user/queue/messages', 's']);
  });

  it('/session/{sessionId}/queue/x reaches that session alone', async () => {
    const [desk, phone] = [await user('a'), await user('a')];
    const sender = await agent('ADMIN');
    await sender.sure('SEND', { destination: `/session/${phone.session}/queue/messages` }, 'hello');
    await sender.sure('SEND', { destination: '/session/gone/queue/messages' }, 'into the void');
    await sender.sure('SEND', { destination: '/all/queue/messages' }, 'end');
    await Promise.all([desk.wait('MESSAGE'), phone.wait('MESSAGE', 2)]);
    expect([desk, phone].map(bodies)).toEqual([['end'], ['hello', 'end']]);
  });

  it('who has unsubscribed or left gets nothing, and comes back', async () => {
    const [one, gone] = [await user('a'), await user('a')];
    await one.sure('UNSUBSCRIBE', { id: 's' });
    await gone.sure('DISCONNECT');
    const sender = await agent();
    await sender.sure('SEND', { destination: '/user/a/queue/messages' }, 'unheard');
    await one.sure('SUBSCRIBE', { id: '2', destination: '/user/queue/messages' });
    await sender.sure('SEND', { destination: '/user/a/queue/messages' }, 'heard');
    await one.wait('MESSAGE');
    expect(bodies(one)).toEqual(['heard']);
  });

  it('it can be acknowledged, in a transaction too, and who is behind is ended', async () => {
    const [one, sender] = [await user('a', '/user/queue/messages', 'client'), await agent()];
    await sender.sure('BEGIN', { transaction: 't' });
    for (const body of ['1', '2']) {
      await sender.sure('SEND', { destination: '/user/a/queue/messages', transaction: 't' }, body);
    }
    await sender.sure('COMMIT', { transaction: 't' });
    await one.wait('MESSAGE', 2);
    await one.sure('ACK', { id: one.frames('MESSAGE')[0]!.header('ack')! });
    for (const body of ['3', '4'])
      await sender.sure('SEND', { destination: `/session/${one.session}/queue/messages` }, body);
    await refused(one, /without ACK/, 1008, 'slow_consumer');
    expect(bodies(one)).toEqual(['1', '2', '3']);
  });

  it.each(['/user/a/queue/x', '/session/abc/queue/x', '/all/queue/x'])(
    'SEND to %s needs a role of --send-roles',
    async (destination) => {
      const senders = await Promise.all([
        talk(serve.ws, 'a'),
        talk(serve.ws, 'a', { userRole: 'CUSTOMER' }),
        talk(serve.ws, 'a', { userRole: 'agent' }),
        talk(serve.ws, 'a', { userRole: 'AGENT, ADMIN' }),
        talk(closed.ws, 'a', { userRole: 'AGENT' }),
      ]);
      for (const one of senders) {
        one.say('SEND', { destination, receipt: 'r' });
        expect((await refused(one, /may not send/, 1008)).header('receipt-id')).toBe('r');
      }
      const inside = await talk(serve.ws, 'a');
      await inside.sure('BEGIN', { transaction: 't' });
      inside.say('SEND', { destination, transaction: 't' });
      await refused(inside, /may not send/, 1008);
    },
  );

  it.each(['/user/b/queue/x', '/user/a/queue/x', '/user/%62/queue/x', '/session/abc/queue/x', '/all/queue/x'])(
    'SUBSCRIBE to %s is refused, whoever asks',
    async (destination) => {
      const one = await talk(serve.ws, 'a', { userRole: 'AGENT' });
      one.say('SUBSCRIBE', { id: '1', destination });
      const error = await refused(one, /can't be subscribed to/, 1008);
      expect(error.body.toString()).toContain('/user/queue/');
    },
  );
});
