/** Messages between nodes, on a real Redis and on the embedded store: each session gets each once, in order, as it was sent. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Keys } from '../../src/sessions/keys.ts';
import { dropClients } from '../helpers/clients.ts';
import { startAsRedis } from '../helpers/embedded.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { refused } from '../helpers/refused.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

const keys = new Keys('ws');
const MB = 1024 * 1024;

describe.each([
  { name: 'Redis', on: describeWithRedis, start: startRedis },
  { name: 'the embedded store', on: describe, start: startAsRedis },
])('three nodes on $name', ({ on, start }) => {
  on('messages', () => {
    let redis: TestRedis;
    let nodes: Serve[];
    let [a, b, c]: Serve[] = [];

    beforeAll(async () => {
      redis = await start();
      const args = ['--send-roles', 'AGENT', '--max-unacked', '3', '--max-buffer', '2m', '--heart-beat', '0,0'];
      nodes = await Promise.all(
        ['a', 'b', 'c'].map((name) => startServe(redis.url, ['--node', `relay-${name}`, ...args])),
      );
      [a, b, c] = nodes;
    });
    afterEach(async () => {
      dropClients();
      await nothingLeft(redis);
    });
    afterAll(async () => {
      await Promise.all((nodes ?? []).map((node) => node.stop()));
      await redis?.stop();
    });

    const agent = (node: Serve, headers: Record<string, string> = {}) =>
      talk(node.ws, 'agent', { userRole: 'AGENT', ...headers });
    const listener = async (node: Serve, destination: string, user = 'kim', headers: Record<string, string> = {}) => {
      const { ack = 'auto', ...connect } = headers;
      const one = await talk(node.ws, user, connect);
      await one.sure('SUBSCRIBE', { id: 's', destination, ack });
      return one;
    };
    const bodies = (one: Talk) => one.frames('MESSAGE').map(({ body }) => body.toString());
    /** How many PUBLISH the store was sent so far. */
    const published = async () =>
      Number(/cmdstat_publish:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1] ?? 0);
    const listening = async (channel: string) =>
      ((await redis.client.pubsub('NUMSUB', channel)) as [string, number])[1];

    it('a topic: every subscriber on every node gets every message once, those of one sender in their order', {
      timeout: 60_000,
    }, async () => {
      const name = '/topic/방/1';
      const hearers = await Promise.all([
        ...nodes.flatMap((node) => [listener(node, name), listener(node, name, 'lee')]),
        listener(b!, '/topic/other'),
      ]);
      const other = hearers.pop()!;
      const senders = await Promise.all(nodes.map((node) => talk(node.ws, 'sender')));
      const before = await published();
      const count = 300;
      for (let i = 0; i < count; i++) {
        for (const [of, sender] of senders.entries()) sender.say('SEND', { destination: name }, `${of} ${i}`);
      }
      for (const hearer of hearers) await hearer.wait('MESSAGE', 3 * count, 30_000);
      expect(await published()).toBe(before + 3 * count);
      // What comes behind the last would show what came twice.
      for (const sender of senders) await sender.sure('SEND', { destination: name }, 'end');
      for (const hearer of hearers) {
        await hearer.wait('MESSAGE', 3 * count + 3);
        const all = bodies(hearer);
        expect(all).toHaveLength(3 * count + 3);
        for (const of of senders.keys()) {
          const own = all.filter((body) => body.startsWith(`${of} `));
          expect(own).toEqual(Array.from({ length: count }, (_, i) => `${of} ${i}`));
        }
      }
      // A message has one id wherever it arrives.
      const ids = hearers.map((one) => one.frames('MESSAGE').map(({ header }) => header('message-id')!));
      for (const of of ids) expect([...of].sort()).toEqual([...ids[0]!].sort());
      expect(new Set(ids[0]).size).toBe(3 * count + 3);
      expect(bodies(other)).toEqual([]);
    });

    it('a user, a session, everyone: on whatever node they are; one PUBLISH each', async () => {
      const name = '김/a b%';
      const to = encodeURIComponent(name);
      const destination = '/user/queue/messages';
      const [desk, phone, near, lee] = await Promise.all([
        listener(b!, destination, name),
        listener(c!, destination, name),
        listener(a!, destination, name),
        listener(c!, destination, 'lee'),
      ]);
      const deaf = await listener(b!, '/user/queue/y', name);
      const sender = await agent(a!);
      const before = await published();
      await sender.sure('SEND', { destination: `/user/${to}/queue/messages` }, 'to the user');
      await sender.sure('SEND', { destination: `/session/${phone.session}/queue/messages` }, 'to the phone');
      await sender.sure('SEND', { destination: '/all/queue/messages' }, 'to all');
      expect(await published()).toBe(before + 3);
      // Nobody else has to be asked for these.
      await sender.sure('SEND', { destination: `/session/${near.session}/queue/messages` }, 'to the near one');
      await sender.sure('SEND', { destination: `/session/${sender.session}/queue/messages` }, 'to nobody');
      await sender.sure('SEND', { destination: '/session/nobody/queue/messages' }, 'to nobody');
      expect(await published()).toBe(before + 3);
      await sender.sure('SEND', { destination: '/user/nobody/queue/messages' }, 'to nobody');
      const hearers = [desk, phone, near, lee, deaf];
      await sender.sure('SEND', { destination: '/all/queue/messages' }, 'end');
      await sender.sure('SEND', { destination: '/all/queue/y' }, 'end y');
      for (const one of hearers) {
        await until(() => bodies(one).at(-1)?.startsWith('end'), 10_000, `the end; came ${bodies(one)}`);
      }
      expect(hearers.map(bodies)).toEqual([
        ['to the user', 'to all', 'end'],
        ['to the user', 'to the phone', 'to all', 'end'],
        ['to the user', 'to all', 'to the near one', 'end'],
        ['to all', 'end'],
        ['end y'],
      ]);
      const { header } = phone.frames('MESSAGE')[1]!;
      expect([header('destination'), header('subscription')]).toEqual([destination, 's']);
    });

    it('a queue stays on its node', async () => {
      const far = await listener(b!, '/queue/q');
      const sender = await talk(a!.ws, 'sender');
      const before = await published();
      await sender.sure('SEND', { destination: '/queue/q' }, 'near');
      expect(await published()).toBe(before);
      const near = await listener(a!, '/queue/q');
      expect((await near.wait('MESSAGE')).body.toString()).toBe('near');
      expect(bodies(far)).toEqual([]);
    });

    it('one that subscribes twice to a topic gets each message for both, once', async () => {
      const one = await listener(b!, '/topic/a');
      await one.sure('SUBSCRIBE', { id: 't', destination: '/topic/a', ack: 'client' });
      await (await talk(a!.ws, 'sender')).sure('SEND', { destination: '/topic/a' }, 'x');
      await one.wait('MESSAGE', 2);
      await (await talk(b!.ws, 'sender')).sure('SEND', { destination: '/topic/a' }, 'y');
      await one.wait('MESSAGE', 4);
      const got = one.frames('MESSAGE').map(({ header, body }) => `${header('subscription')} ${body}`);
      expect(got.sort()).toEqual(['s x', 's y', 't x', 't y']);
    });

    it('what a receiver’s version can’t be given is left out; the rest is escaped for each', async () => {
      const versions = ['1.0', '1.1', '1.2'];
      const hearers = await Promise.all(
        versions.map((version) => listener(b!, '/topic/v', 'kim', { 'accept-version': version })),
      );
      const [old, young] = await Promise.all([
        talk(a!.ws, 'old', { 'accept-version': '1.0' }),
        talk(a!.ws, 'young', { 'accept-version': '1.2' }),
      ]);
      await young.sure(
        'SEND',
        { destination: '/topic/v', 'a\\cb': 'x\\n\\c\\\\y', cr: '1\\r', plain: 'p' },
        'from 1.2',
      );
      await old.sure('SEND', { destination: ' /topic/v', back: 'a\\nb', padded: ' p' }, 'from 1.0');
      const seen = [];
      for (const hearer of hearers) {
        await hearer.wait('MESSAGE', 2);
        const known = new Set(['message-id', 'destination', 'subscription', 'content-length']);
        const [first, second] = hearer
          .frames('MESSAGE')
          .map(({ headers }) => headers.filter(([name]) => !known.has(name)));
        seen.push([first, second]);
      }
      expect(seen).toEqual([
        [
          [
            ['cr', '1\r'],
            ['plain', 'p'],
          ],
          [
            ['back', 'a\\nb'],
            ['padded', ' p'],
          ],
        ],
        [
          [
            ['a\\cb', 'x\\n\\c\\\\y'],
            ['cr', '1\r'],
            ['plain', 'p'],
          ],
          [
            ['back', 'a\\\\nb'],
            ['padded', ' p'],
          ],
        ],
        [
          [
            ['a\\cb', 'x\\n\\c\\\\y'],
            ['cr', '1\\r'],
            ['plain', 'p'],
          ],
          [
            ['back', 'a\\\\nb'],
            ['padded', ' p'],
          ],
        ],
      ]);
      expect(hearers.map(bodies)).toEqual(versions.map(() => ['from 1.2', 'from 1.0']));
    });

    it('a body of any bytes arrives as it was sent, large ones too', async () => {
      const one = await listener(b!, '/topic/bytes');
      const sender = await talk(a!.ws, 'sender');
      const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const large = Buffer.concat(Array.from({ length: 4000 }, () => all)); // 1,024,000
      const sent = [all, Buffer.alloc(0), Buffer.from('\n\n한글 \u2028'), Buffer.from([0, 0, 10, 13]), large];
      for (const body of sent) {
        const head = `SEND\ndestination:/topic/bytes\ncontent-length:${body.length}\n\n`;
        sender.socket.send(Buffer.concat([Buffer.from(head), body, Buffer.from([0])]));
      }
      await one.wait('MESSAGE', sent.length);
      const got = one.frames('MESSAGE');
      expect(got.map(({ body }, i) => body.equals(sent[i]!))).toEqual(sent.map(() => true));
      expect(got.map(({ binary }) => binary)).toEqual([true, false, false, false, true]);
    });

    it('a node listens for its first subscriber, to its last one', async () => {
      const [topic, user, everyone] = [keys.toTopic('/topic/a'), keys.toUser('kim'), keys.toAll];
      const first = await listener(a!, '/topic/a');
      const second = await listener(a!, '/topic/a');
      const third = await listener(b!, '/topic/a');
      expect(await listening(topic)).toBe(2);
      await first.sure('UNSUBSCRIBE', { id: 's' });
      expect(await listening(topic)).toBe(2);
      second.socket.terminate();
      await until(async () => (await listening(topic)) === 1, 10_000, 'node a to leave the topic');
      await third.sure('DISCONNECT');
      await until(async () => (await listening(topic)) === 0, 10_000, 'node b to leave the topic');
      const own = await listener(a!, '/user/queue/x');
      await own.sure('SUBSCRIBE', { id: 't', destination: '/user/queue/y' });
      expect([await listening(user), await listening(everyone)]).toEqual([1, 1]);
      await own.sure('UNSUBSCRIBE', { id: 's' });
      await own.sure('SUBSCRIBE', { id: 'u', destination: '/topic/a' }); // goes behind it
      expect([await listening(user), await listening(everyone)]).toEqual([1, 1]);
      await own.sure('UNSUBSCRIBE', { id: 't' });
      await until(async () => (await listening(user)) + (await listening(everyone)) === 0, 10_000, 'node a to leave');
      await own.sure('UNSUBSCRIBE', { id: 'u' });
      const left = async () => ((await redis.client.pubsub('CHANNELS', 'ws:x:to:*')) as string[]).length;
      await until(async () => (await left()) === nodes.length, 10_000, 'the channels of the processes alone');
    });

    it('after the RECEIPT of SUBSCRIBE a message sent on another node arrives', async () => {
      const sender = await talk(a!.ws, 'sender');
      for (let round = 0; round < 50; round++) {
        const one = await listener(b!, `/topic/round/${round}`);
        await sender.sure('SEND', { destination: `/topic/round/${round}` }, 'x');
        await one.wait('MESSAGE');
        one.socket.terminate();
      }
    }, 60_000);

    it('a COMMIT sends all of it, in order; an ABORT nothing', async () => {
      const one = await listener(b!, '/topic/t');
      const sender = await talk(a!.ws, 'sender');
      for (const end of ['ABORT', 'COMMIT']) {
        await sender.sure('BEGIN', { transaction: 't' });
        for (let i = 0; i < 50; i++) sender.say('SEND', { destination: '/topic/t', transaction: 't' }, `${end} ${i}`);
        await sender.sure(end, { transaction: 't' });
      }
      await one.wait('MESSAGE', 50);
      expect(bodies(one)).toEqual(Array.from({ length: 50 }, (_, i) => `COMMIT ${i}`));
    });

    it('a message of another node can be acknowledged; who doesn’t is ended', async () => {
      const one = await listener(b!, '/topic/ack', 'kim', { ack: 'client-individual' });
      const sender = await talk(a!.ws, 'sender');
      for (let i = 0; i < 5; i++) {
        await sender.sure('SEND', { destination: '/topic/ack' }, `${i}`);
        await one.sure('ACK', { id: (await one.wait('MESSAGE', i + 1)).header('ack')! });
      }
      for (let i = 0; i < 4; i++) sender.say('SEND', { destination: '/topic/ack' }, 'x');
      await refused(one, /without ACK/, 1008, 'slow_consumer');
    });

    it('the counters: a message is in where it was sent, out wherever it was delivered', async () => {
      const counters = async (node: string) => {
        const lease = (await redis.client.get(keys.lease(node))) ?? '';
        const { messages_in, messages_out } = JSON.parse(lease.slice(16)) as Record<string, number>;
        return [messages_in!, messages_out!];
      };
      const renewed = async () => {
        const at = await redis.client.zrange(keys.nodes, 0, -1, 'WITHSCORES');
        const again = async () => {
          const now = await redis.client.zrange(keys.nodes, 0, -1, 'WITHSCORES');
          return nodes.every(({ node }) => now[now.indexOf(node) + 1] !== at[at.indexOf(node) + 1]);
        };
        await until(again, 20_000, 'the leases to be renewed');
      };
      const hearers = await Promise.all([a!, b!, b!].map((node) => listener(node, '/topic/n')));
      await renewed();
      const before = await Promise.all(nodes.map(({ node }) => counters(node)));
      const sender = await talk(a!.ws, 'sender');
      for (let i = 0; i < 10; i++) await sender.sure('SEND', { destination: '/topic/n' }, 'x');
      for (const one of hearers) await one.wait('MESSAGE', 10);
      await renewed();
      const after = await Promise.all(nodes.map(({ node }) => counters(node)));
      expect(after.map(([sent, got], i) => [sent! - before[i]![0]!, got! - before[i]![1]!])).toEqual([
        [10, 10],
        [0, 20],
        [0, 0],
      ]);
    }, 60_000);

    it('what is no message of a node is dropped, whatever it is, and the rest arrives', async () => {
      const one = await listener(b!, '/topic/g');
      const own = await listener(b!, '/user/queue/x');
      const channel = keys.toTopic('/topic/g');
      const sender = 'x'.repeat(16);
      const good = { n: 1, to: { kind: 'topic', name: '/topic/g' }, headers: [] as unknown };
      const envelope = (content: unknown, head = `1 ${sender} `) => `${head}${JSON.stringify(content)}\nbody`;
      const garbage = [
        '',
        '1',
        'hello',
        '\n',
        `1 ${sender} `,
        `1 ${sender} \n`,
        `1 ${sender} {}\n`,
        `1 ${sender} [1,2\n`,
        `1 ${sender} ${'['.repeat(100_000)}\n`,
        `1 ${sender} null\nbody`,
        envelope(good).replace('\n', ''),
        envelope(good, `2 ${sender} `),
        envelope(good, `1 ${sender.slice(1)} `),
        envelope({ ...good, n: 'x' }),
        envelope({ ...good, n: 1e300 }),
        envelope({ ...good, to: { kind: 'queue', name: '/queue/q' } }),
        envelope({ ...good, to: { kind: 'topic', name: '/user/queue/x' } }),
        envelope({ ...good, to: { kind: '__proto__', name: '/topic/g' } }),
        envelope({ ...good, headers: { a: 'b' } }),
        envelope({ ...good, headers: [['a', 1]] }),
        envelope({ ...good, headers: ['ab'] }),
        envelope({ ...good, headers: Array.from({ length: 101 }, () => ['a', 'b']) }),
        envelope(good) + 'x'.repeat(1.1 * MB),
        Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256)),
        // To others than those who listen to this channel.
        envelope({ ...good, to: { kind: 'all', name: '/user/queue/x' } }),
        envelope({ ...good, to: { kind: 'user', user: 'kim', name: '/user/queue/x' } }),
        envelope({ ...good, to: { kind: 'session', session: own.session, name: '/user/queue/x' } }),
        envelope({ ...good, to: { kind: 'topic', name: '/topic/h' } }),
      ];
      for (const message of garbage) expect(await redis.client.publish(channel, message)).toBe(1);
      // Headers that only the server may set, or that would be lines of their own.
      const hostile = [
        ['message-id', 'forged'],
        ['subscription', 'forged'],
        ['x', 'a\nb:c'],
        ['', 'empty'],
      ];
      await redis.client.publish(channel, envelope({ ...good, headers: hostile }));
      await (await talk(a!.ws, 'sender')).sure('SEND', { destination: '/topic/g' }, 'after');
      await one.wait('MESSAGE', 2);
      expect(bodies(one)).toEqual(['body', 'after']);
      const { headers } = one.frames('MESSAGE')[0]!;
      expect(headers.filter(([name]) => !['destination', 'content-length'].includes(name))).toEqual([
        ['subscription', 's'],
        ['message-id', `${sender}-1`],
        ['x', 'a\\nb\\cc'],
      ]);
      await (await agent(a!)).sure('SEND', { destination: '/all/queue/x' }, 'end');
      await own.wait('MESSAGE');
      expect(bodies(own)).toEqual(['end']);
      expect(b!.stderr()).toMatch(/warn a message on "ws:x:to:topic:\/topic\/g" can't be read/);
      expect(b!.stderr()).not.toMatch(/\n\s+at /);
    });

    it('a receiver that doesn’t read is cut at --max-buffer; its neighbours get everything, in order', {
      timeout: 60_000,
    }, async () => {
      const slow = await listener(b!, '/topic/flood');
      const quick = await listener(b!, '/topic/flood', 'lee');
      slow.socket.pause();
      let [heard, ordered] = [0, true];
      quick.socket.on('message', (data: Buffer) => {
        for (let at = data.indexOf('\n\n'); at >= 0; at = data.indexOf('\n\n', at + 2))
          ordered &&= data.toString('latin1', at + 2, at + 10).startsWith(`${heard++} `);
        quick.messages.length = 0;
      });
      const sender = await talk(a!.ws, 'sender');
      const filler = 'x'.repeat(16 * 1024);
      // Its receivers are on another node, so nothing holds it up; the quick one is given time.
      for (let sent = 0; sent < 1500; ) {
        for (let i = 0; i < 50; i++) sender.say('SEND', { destination: '/topic/flood' }, `${sent++} ${filler}`);
        await until(() => heard === sent, 30_000, `message ${sent}; came ${heard}`);
      }
      expect(ordered).toBe(true);
      slow.socket.resume();
      expect((await within(slow.closed)).code).toBe(1006);
    });
  });
});
