/** The clients that people use, each doing what it is used for: the scenarios of stompjs's own suite, written anew. */
import { Stomp, Versions } from '@stomp/stompjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect2, connect7, connectWeb, dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until, within } from '../helpers/wait.ts';

interface Message {
  body: string;
  headers: Record<string, string>;
  ack(headers?: Record<string, string>): unknown;
  nack(headers?: Record<string, string>): unknown;
}

/** What all of them can do, in the words of stompjs 2. */
interface Classic {
  subscribe(destination: string, callback: (message: any) => void, headers?: any): { unsubscribe(): void };
  send(destination: string, headers: any, body: string): void;
  begin(): { id: string; commit(): void; abort(): void };
}

const USER = { userId: 'cust01', userRole: 'AGENT' };

describeWithRedis('clients', () => {
  let redis: TestRedis;
  let serve: Serve;
  let queues = 0;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'clients', '--send-roles', 'AGENT', '--heart-beat', '200ms,200ms']);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const seven = async (options = {}): Promise<Classic> => {
    const { client } = await connect7(serve.ws, USER, options);
    return {
      subscribe: (destination, callback, headers) => client.subscribe(destination, callback, headers),
      send: (destination, headers, body) => client.publish({ destination, headers, body }),
      begin: () => client.begin(),
    };
  };
  const web = async (): Promise<Classic> => {
    const { client } = await connectWeb(serve.ws, USER);
    return {
      subscribe: (destination, callback, headers) => client.subscribe(destination, callback, headers),
      send: (destination, headers, body) => client.send(destination, body, headers),
      begin: () => (client as any).begin(), // its types leave out what it returns
    };
  };
  const kinds: [string, () => Promise<Classic>][] = [
    ['stompjs 7 in 1.2', () => seven()],
    ['stompjs 7 in 1.1', () => seven({ stompVersions: new Versions([Versions.V1_1]) })],
    ['stompjs 7 with binary frames', () => seven({ forceBinaryWSFrames: true })],
    ['stompjs 7 that splits its frames', () => seven({ splitLargeFrames: true, maxWebSocketChunkSize: 20 })],
    ['stompjs 2.3.3', async () => (await connect2(serve.ws, USER)).client],
    ['webstomp-client', web],
  ];

  describe.each(kinds)('%s', (_, connect) => {
    const newQueue = () => `/queue/c${++queues}`;
    const listen = (client: Classic, destination: string, headers?: Record<string, string>) => {
      const heard: Message[] = [];
      const subscription = client.subscribe(destination, (message: Message) => heard.push(message), headers);
      return { heard, subscription, bodies: () => heard.map(({ body }) => body) };
    };

    it('sends and receives, by UNSUBSCRIBE no more', async () => {
      const client = await connect();
      const [one, other] = [listen(client, '/topic/a'), listen(client, '/topic/a')];
      client.send('/topic/a', { 'x-app': 'yes' }, '한글 😀');
      await until(() => one.heard.length === 1 && other.heard.length === 1);
      one.subscription.unsubscribe();
      client.send('/topic/a', {}, 'more');
      await until(() => other.heard.length === 2);
      expect([one.bodies(), other.bodies()]).toEqual([['한글 😀'], ['한글 😀', 'more']]);
      expect(one.heard[0]!.headers['x-app']).toBe('yes');
    });

    it('acknowledges: what it did not goes to another', async () => {
      const queue = newQueue();
      const [client, other] = [await connect(), await connect()];
      const one = listen(client, queue, { ack: 'client-individual' });
      for (const body of ['1', '2', '3']) client.send(queue, {}, body);
      await until(() => one.heard.length === 3);
      one.heard[0]!.ack();
      one.heard[2]!.ack();
      one.subscription.unsubscribe();
      const two = listen(other, queue, { ack: 'client' });
      await until(() => two.heard.length === 1);
      two.heard[0]!.ack();
      other.send(queue, {}, 'end');
      await until(() => two.heard.length === 2);
      expect(two.bodies()).toEqual(['2', 'end']);
    });

    it('refuses: the message comes again', async () => {
      const [queue, client] = [newQueue(), await connect()];
      const one = listen(client, queue, { ack: 'client' });
      client.send(queue, {}, 'again');
      await until(() => one.heard.length === 1);
      one.heard[0]!.nack();
      await until(() => one.heard.length === 2);
      one.heard[1]!.ack();
      expect(one.bodies()).toEqual(['again', 'again']);
    });

    it('commits and aborts what it sent and acknowledged', async () => {
      const [queue, client] = [newQueue(), await connect()];
      const [topic, one] = [listen(client, '/topic/t'), listen(client, queue, { ack: 'client' })];
      client.send(queue, {}, 'job');
      await until(() => one.heard.length === 1);
      const aborted = client.begin();
      client.send('/topic/t', { transaction: aborted.id }, 'never');
      one.heard[0]!.ack({ transaction: aborted.id });
      aborted.abort();
      const committed = client.begin();
      client.send('/topic/t', { transaction: committed.id }, '1');
      client.send('/topic/t', { transaction: committed.id }, '2');
      one.heard[0]!.ack({ transaction: committed.id });
      committed.commit();
      one.subscription.unsubscribe();
      const rest = listen(client, queue);
      client.send(queue, {}, 'end');
      await until(() => rest.heard.length === 1 && topic.heard.length === 2);
      expect([topic.bodies(), rest.bodies()]).toEqual([['1', '2'], ['end']]);
    });

    it('hears what is sent to its user, its session and everyone', async () => {
      const client = await connect();
      const own = listen(client, '/user/queue/x');
      client.send('/user/cust01/queue/x', {}, '1');
      client.send('/user/cust02/queue/x', {}, 'not mine');
      client.send('/all/queue/x', {}, '2');
      await until(() => own.heard.length === 2);
      expect(own.bodies()).toEqual(['1', '2']);
    });
  });

  it('stompjs 7: binary bodies arrive as they were sent', async () => {
    const { client } = await connect7(serve.ws, USER);
    const heard: Uint8Array[] = [];
    client.subscribe('/topic/b', ({ binaryBody }) => heard.push(binaryBody));
    const bodies = [
      Uint8Array.from({ length: 256 }, (_, i) => i),
      new Uint8Array(60_000).fill(0xff),
      new Uint8Array(3),
    ];
    for (const binaryBody of bodies) {
      client.publish({ destination: '/topic/b', binaryBody, headers: { 'content-type': 'application/octet-stream' } });
    }
    await until(() => heard.length === bodies.length);
    expect(heard.map((body) => Buffer.from(body).toString('hex'))).toEqual(
      bodies.map((body) => Buffer.from(body).toString('hex')),
    );
  });

  it('stompjs 7: receipts come for each frame, DISCONNECT included', async () => {
    const { client } = await connect7(serve.ws, USER);
    const asked = ['sub', 'send', 'ack', 'unsub', 'in 1', 'in 2'];
    const receipts = asked.map((id) => new Promise<void>((resolve) => client.watchForReceipt(id, () => resolve())));
    const acked = new Promise<void>((resolve) => {
      const subscription = client.subscribe(
        '/queue/receipts',
        (message) => {
          message.ack({ receipt: 'ack' });
          subscription.unsubscribe({ receipt: 'unsub' });
          resolve();
        },
        { receipt: 'sub', ack: 'client' },
      );
    });
    client.publish({ destination: '/queue/receipts', headers: { receipt: 'send' } });
    await within(acked);
    const { id } = client.begin('t');
    client.publish({ destination: '/topic/a', headers: { transaction: id, receipt: 'in 1' } });
    client.publish({ destination: '/topic/a', headers: { transaction: id, receipt: 'in 2' } });
    client.commit(id);
    await within(Promise.all(receipts));
    const gone = new Promise<void>((resolve) => {
      client.onDisconnect = () => resolve();
    });
    await client.deactivate();
    await within(gone);
  });

  it('stompjs 7 in its compat mode: connect, subscribe, send, disconnect as in stompjs 2', async () => {
    const client = Stomp.over(() => new WebSocket(serve.ws, ['v12.stomp']));
    client.debug = () => {};
    client.heartbeat.outgoing = 0;
    await within(new Promise<void>((resolve) => client.connect(USER, () => resolve())));
    const heard: string[] = [];
    client.subscribe('/topic/compat', ({ body }) => heard.push(body));
    client.send('/topic/compat', {}, 'hello');
    await until(() => heard.length === 1);
    expect(heard).toEqual(['hello']);
    await within(new Promise<void>((resolve) => client.disconnect(() => resolve())));
  });

  it('stompjs 7 sees that a server that stands still sends no heart-beats', async () => {
    const { client } = await connect7(serve.ws, USER, {
      heartbeatIncoming: 200,
      heartbeatOutgoing: 200,
      discardWebsocketOnCommFailure: true,
    });
    expect(client.connected).toBe(true);
    serve.process.kill('SIGSTOP');
    try {
      await until(() => !client.connected, 10_000, 'stompjs to notice');
    } finally {
      serve.process.kill('SIGCONT');
    }
    await client.deactivate({ force: true });
  });
});
