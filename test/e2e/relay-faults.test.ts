/** Messages between nodes while Redis is gone, stopped, or out of reach for one of them. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Keys } from '../../src/sessions/keys.ts';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { sleep, until } from '../helpers/wait.ts';
import { startWire, type Wire } from '../helpers/wire.ts';

const keys = new Keys('ws');
const TIMEOUT = 1000;
/** Milliseconds for a node to notice that the connection it listens on is dead: what docs/decisions/0007 says. */
const DEAD = 4 * TIMEOUT;

describeWithRedis('two nodes, one of them by a wire that can be broken', () => {
  let redis: TestRedis;
  let wire: Wire;
  let a: Serve;
  let b: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    wire = await startWire(redis.url);
    const args = ['--redis-timeout', `${TIMEOUT}ms`, '--heart-beat', '0,0', '--send-roles', 'AGENT'];
    a = await startServe(redis.url, ['--node', 'wire-a', ...args]);
    b = await startServe(wire.url, ['--node', 'wire-b', ...args]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis, 30_000);
  });
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    await wire?.close();
    await redis?.stop();
  });

  const listener = async (node: Serve, destination: string, user = 'kim') => {
    const one = await talk(node.ws, user);
    await one.sure('SUBSCRIBE', { id: 's', destination });
    return one;
  };
  const bodies = (one: Talk) => one.frames('MESSAGE').map(({ body }) => body.toString());
  const listening = async (channel: string) => ((await redis.client.pubsub('NUMSUB', channel)) as [string, number])[1];
  const ready = (node: Serve, status = 200) =>
    until(async () => (await node.rest('/readyz')).status === status, 60_000, `readyz ${status}`);

  it('a node without a subscriber is sent nothing of a message', async () => {
    const near = await listener(a, '/topic/a');
    const far = await listener(b, '/topic/b');
    const sender = await talk(a.ws, 'sender');
    const received = () => [...wire.ways].filter(({ listens }) => listens).reduce((sum, way) => sum + way.received, 0);
    const before = received();
    const body = 'x'.repeat(10_000);
    for (let i = 0; i < 50; i++) await sender.sure('SEND', { destination: '/topic/a' }, body);
    await near.wait('MESSAGE', 50);
    // What follows comes behind whatever was sent before it.
    await sender.sure('SEND', { destination: '/topic/b' }, 'end');
    await far.wait('MESSAGE');
    expect(received() - before).toBeLessThan(2000); // the message of topic b, answers to PING
  });

  it('the RECEIPT of a SEND, and of a SUBSCRIBE, waits for Redis, a receiver on this node does not; without one nobody waits', {
    timeout: 60_000,
  }, async () => {
    const c = await startServe(redis.url, ['--node', 'wire-c', '--redis-timeout', '10s']);
    const near = await listener(c, '/topic/a');
    const far = await listener(b, '/topic/a');
    const sender = await talk(c.ws, 'sender');
    const [other, late] = await Promise.all([talk(c.ws, 'other'), talk(c.ws, 'late')]);
    redis.pause();
    try {
      other.say('SEND', { destination: '/topic/a' }, '1');
      other.say('SEND', { destination: '/topic/a' }, '2');
      await near.wait('MESSAGE', 2);
      sender.say('SEND', { destination: '/topic/a', receipt: 'r' }, '3');
      await near.wait('MESSAGE', 3);
      late.say('SUBSCRIBE', { id: 's', destination: '/topic/late', receipt: 'r' });
      // Asked later and answered now: what the server had to say at once, it has said.
      other.say('BEGIN', { transaction: 't', receipt: 'now' });
      await other.wait('RECEIPT');
      await sleep(50); // what must not come has no sign
      expect([sender, late].map((one) => one.frames('RECEIPT'))).toEqual([[], []]);
    } finally {
      redis.resume();
    }
    await Promise.all([sender.wait('RECEIPT'), late.wait('RECEIPT')]);
    expect(await listening(keys.toTopic('/topic/late'))).toBe(1);
    await far.wait('MESSAGE', 3);
    expect(bodies(far)).toEqual(['1', '2', '3']);
    await c.stop();
    await Promise.all([ready(a), ready(b)]);
  });

  it('Redis stopped: messages on one node flow, a flood of them too, and nothing piles up', {
    timeout: 90_000,
  }, async () => {
    const near = await listener(a, '/topic/a');
    let heard = 0;
    near.socket.on('message', (data: Buffer) => {
      for (let at = data.indexOf('\n\n'); at >= 0; at = data.indexOf('\n\n', at + 2)) heard++;
      near.messages.length = 0;
    });
    const sender = await talk(a.ws, 'sender');
    const body = 'x'.repeat(16 * 1024);
    redis.pause();
    try {
      for (let sent = 0; sent < 1500; ) {
        for (let i = 0; i < 50; i++, sent++) sender.say('SEND', { destination: '/topic/a' }, body);
        await until(() => heard === sent, 5 * TIMEOUT * 2, `message ${sent}; came ${heard}`);
      }
      // Known to be away: a receipt doesn't wait for it.
      for (let i = 0; i < 10; i++) await sender.sure('SEND', { destination: '/topic/a' }, 'x');
    } finally {
      redis.resume();
    }
    expect(a.stderr()).toMatch(/warn messages do not reach other nodes, \d+ so far: Redis at /);
    expect(a.stderr().match(/do not reach other nodes/g)!.length).toBeLessThan(20);
    await Promise.all([ready(a), ready(b)]);
    const far = await listener(b, '/topic/back');
    const again = async () => {
      await sender.sure('SEND', { destination: '/topic/back' }, 'again');
      return far.frames('MESSAGE').length > 0;
    };
    await until(again, 5 * DEAD, 'messages to arrive again');
  });

  it('Redis killed and back: SUBSCRIBE is answered meanwhile, afterwards all is listened to again', {
    timeout: 90_000,
  }, async () => {
    const before = await listener(b, '/topic/before');
    const own = await listener(b, '/user/queue/x', 'kim');
    const gone = await listener(b, '/topic/gone');
    const sender = await talk(a.ws, 'sender', { userRole: 'AGENT' });
    await redis.kill();
    await Promise.all([ready(a, 503), ready(b, 503)]);
    await before.sure('SUBSCRIBE', { id: 't', destination: '/topic/during' });
    await gone.sure('UNSUBSCRIBE', { id: 's' });
    await sender.sure('SEND', { destination: '/topic/before' }, 'lost');
    await redis.restart();
    for (const channel of [
      keys.toTopic('/topic/before'),
      keys.toTopic('/topic/during'),
      keys.toUser('kim'),
      keys.toAll,
    ])
      await until(async () => (await listening(channel)) === 1, 25_000, `${channel} to be listened to`);
    expect(await listening(keys.toTopic('/topic/gone'))).toBe(0);
    await Promise.all([ready(a), ready(b)]);
    for (const destination of ['/topic/before', '/topic/during', '/user/kim/queue/x', '/all/queue/x'])
      await sender.sure('SEND', { destination }, destination);
    await before.wait('MESSAGE', 2);
    await own.wait('MESSAGE', 2);
    expect([bodies(before), bodies(own)]).toEqual([
      ['/topic/before', '/topic/during'],
      ['/user/kim/queue/x', '/all/queue/x'],
    ]);
    expect(b.stderr()).toMatch(/warn messages of other nodes do not arrive: /);
    expect(b.stderr()).toMatch(/warn messages of other nodes arrive again; those in between are lost/);
    // Sessions registered again: a message to one finds its node.
    await until(async () => (await redis.client.exists(keys.details(own.session))) === 1, 25_000, 'the session');
    await sender.sure('SEND', { destination: `/session/${own.session}/queue/x` }, 'to one');
    await own.wait('MESSAGE', 3);
    expect(b.stderr()).not.toMatch(/\n\s+at /);
  });

  it('a dead connection says nothing: the node notices, and hears messages and requests again', {
    timeout: 90_000,
  }, async () => {
    const one = await listener(b, '/topic/a');
    const sender = await talk(a.ws, 'sender');
    const dead = [...wire.ways].filter(({ listens }) => listens);
    expect(dead).toHaveLength(2); // for messages, and for requests
    for (const way of dead) way.silence();
    await until(() => dead.every((way) => !wire.ways.has(way)), 5 * DEAD, 'the node to give them up');
    await until(async () => (await listening(keys.toTopic('/topic/a'))) === 1, 5 * DEAD, 'the node to listen again');
    await sender.sure('SEND', { destination: '/topic/a' }, 'again');
    await one.wait('MESSAGE');
    expect(bodies(one)).toEqual(['again']);
    expect((await a.rest(`/api/session/${one.session}`, 'DELETE')).body.outcome).toBe('kicked');
  });
});
