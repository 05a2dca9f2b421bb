/** Messages: who gets them, and that they come as they were sent. */
import type { Heard } from '../../helpers/classic.ts';
import { until } from '../../helpers/wait.ts';
import { listen, ready, type Scenario, same } from './scenario.ts';

const KB = 1024;

export const MESSAGES: Scenario[] = [
  {
    name: 'agrees on a version, and learns its session and its user',
    async run({ connect, version, user }) {
      const { connected } = await connect();
      same([connected.version, connected['user-name']], [version, user]);
      if (!connected.session || !connected.server) throw new Error('CONNECTED without session or server');
    },
  },
  {
    name: 'sends and receives; two subscriptions of one destination both do, by UNSUBSCRIBE no more',
    async run({ connect, topic }) {
      const [client, a] = [await connect(), topic()];
      const [one, other] = [listen(client, a), listen(client, a)];
      client.send(a, {}, '1');
      await until(() => one.heard.length === 1 && other.heard.length === 1);
      one.unsubscribe();
      client.send(a, {}, '2');
      await until(() => other.heard.length === 2);
      same([one.bodies(), other.bodies()], [['1'], ['1', '2']]);
      same([other.heard[0]?.headers.destination, other.heard[0]?.headers['content-length']], [a, '1']);
    },
  },
  {
    name: 'gets what others send, in their order',
    async run({ connect, topic }) {
      const [client, other, a] = [await connect(), await connect(), topic()];
      const { bodies } = listen(client, a);
      await ready(client);
      const sent = Array.from({ length: 300 }, (_, i) => `message ${i}`);
      for (const body of sent) other.send(a, {}, body);
      await until(() => bodies().length === sent.length);
      same(bodies(), sent);
    },
  },
  {
    name: 'text of any kind: none, blank, of many lines, of many scripts, JSON',
    async run({ connect, topic, beyond }) {
      const [client, a] = [await connect(), topic()];
      const { heard, bodies } = listen(client, a);
      const json = JSON.stringify({ text: 'hello', yes: true, nested: { 숫자: [1.5, null] } });
      const sent = ['', ' ', '\n', '\r\n', 'a\n\nb\n', 'a:b\\c', 'Älä السابق', `한글 ${beyond}`, `${beyond}`, json];
      for (const body of sent) client.send(a, {}, body);
      await until(() => heard.length === sent.length);
      same(bodies(), sent);
      same(JSON.parse(bodies().at(-1)!).nested, { 숫자: [1.5, null] });
    },
  },
  {
    name: 'text without content-length',
    async run({ connect, topic }) {
      const [client, a] = [await connect(), topic()];
      const { bodies } = listen(client, a);
      client.sendWithoutLength(a, 'Hello, 세계');
      client.sendWithoutLength(a, '');
      client.send(a, {}, 'with');
      await until(() => bodies().length === 3);
      same(bodies(), ['Hello, 세계', '', 'with']);
    },
  },
  {
    name: 'text of 60 kB, and of the most that a body may have',
    async run({ connect, topic }) {
      const [client, a] = [await connect(), topic()];
      const { bodies } = listen(client, a);
      const sent = ['여러 줄의 글\n'.repeat(60 * KB).slice(0, 60 * KB), 'x'.repeat(KB * KB), 'small'];
      for (const body of sent) client.send(a, {}, body);
      await until(() => bodies().length === sent.length, 20_000);
      same(
        bodies().map((body) => body.length),
        sent.map((body) => body.length),
      );
      if (bodies().some((body, i) => body !== sent[i])) throw new Error('a large body came changed');
    },
  },
  {
    name: 'headers of its own pass through, content-type and those of many scripts too',
    async run({ connect, topic, beyond }) {
      const [client, a] = [await connect(), topic()];
      const { heard } = listen(client, a);
      const headers = { 'x-app': 'yes', 'x-empty': '', 'x 이름': `값 ${beyond}`.trim(), 'content-type': 'text/plain' };
      client.send(a, { ...headers }, 'body');
      await until(() => heard.length === 1);
      const got = heard[0]!.headers;
      same(Object.fromEntries(Object.keys(headers).map((name) => [name, got[name]])), headers);
    },
  },
  {
    name: 'hears what is sent to its user, its session and everyone, and nothing of others',
    async run({ connect, user }) {
      const [client, sender] = [await connect(), await connect()];
      const own = listen(client, '/user/queue/x');
      await ready(client);
      sender.send(`/user/${user}/queue/x`, {}, 'user');
      sender.send(`/user/${user}-not/queue/x`, {}, 'another');
      sender.send(`/session/${client.connected.session}/queue/x`, {}, 'session');
      sender.send(`/session/${sender.connected.session}/queue/x`, {}, 'another');
      sender.send('/all/queue/x', {}, 'everyone');
      await until(() => own.heard.length === 3);
      same(own.bodies(), ['user', 'session', 'everyone']);
    },
  },
  {
    name: 'bytes of all values, NULs, bytes that are no UTF-8, none, as they were sent',
    bytes: true,
    async run({ connect, topic }) {
      const [client, a] = [await connect(), topic()];
      const { heard } = listen(client, a);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      const sent = [all, new Uint8Array(3), Uint8Array.of(0xff), Uint8Array.of(10, 0, 10), new Uint8Array(0)];
      for (const bytes of sent) client.sendBytes!(a, bytes);
      client.send(a, {}, 'text');
      await until(() => heard.length === sent.length + 1);
      same(
        heard.slice(0, -1).map(({ binaryBody }) => [...binaryBody!]),
        sent.map((bytes) => [...bytes]),
      );
      same(heard.at(-1)!.body, 'text');
    },
  },
  {
    name: 'bytes, 60 kB of them, and the most that a body may have',
    bytes: true,
    async run({ connect, topic }) {
      const [client, a] = [await connect(), topic()];
      const { heard } = listen(client, a);
      const sent = [60 * KB, KB * KB].map((length) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
      for (const bytes of sent) client.sendBytes!(a, bytes);
      await until(() => heard.length === sent.length, 20_000);
      const unchanged = ({ binaryBody }: Heard, i: number) =>
        binaryBody!.length === sent[i]!.length && binaryBody!.every((byte, at) => byte === sent[i]![at]);
      same(heard.map(unchanged), [true, true]);
    },
  },
];
