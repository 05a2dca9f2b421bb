/** Whatever way a client goes, nothing of its session is left. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connect2, connect7, dropClients } from '../helpers/clients.ts';
import { heldBy, nothingLeft, sessionKeys } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

/** The socket below the WebSocket. */
const tcp = (client: Talk) => (client.socket as unknown as { _socket: { resetAndDestroy(): void } })._socket;

const WAYS: [name: string, leave: (client: Talk, serve: Serve) => unknown, code: number][] = [
  ['DISCONNECT with a receipt', (client) => client.say('DISCONNECT', { receipt: 'r' }), 1000],
  ['DISCONNECT without a receipt', (client) => client.say('DISCONNECT'), 1000],
  ['a close frame', (client) => client.socket.close(1000), 1000],
  ['a destroyed socket', (client) => client.socket.terminate(), 1006],
  ['a reset', (client) => tcp(client).resetAndDestroy(), 1006],
  ['a frame against the protocol', (client) => client.send('NONSENSE\n\n\0'), 1002],
  ['a broken WebSocket frame', (client) => client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false }), 1007],
  ['a lost heart-beat', () => {}, 1002],
  ['a kick', (client, serve) => serve.rest(`/api/session/${client.session}`, 'DELETE'), 4001],
];

describeWithRedis('every way out', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'out-a', '--heart-beat', '100ms,100ms']);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  it.each(WAYS)('%s unregisters, and the user’s other device stays', async (name, leave, code) => {
    const other = await talk(serve.ws, 'cust01', { userRole: 'CUSTOMER' });
    const before = await redis.keys();
    const beat = name.includes('heart-beat') ? { 'heart-beat': '100,0' } : {};
    const leaving = await talk(serve.ws, 'cust01', { userRole: 'CUSTOMER', ...beat });
    await leaving.sure('SUBSCRIBE', { id: '1', destination: '/topic/a' });
    expect(await redis.client.smembers('ws:user:cust01')).toHaveLength(2);
    await leave(leaving, serve);
    expect((await within(leaving.closed)).code).toBe(code);
    await until(async () => (await redis.keys()).length === before.length, 10_000, 'its keys to be gone');
    expect(await redis.keys()).toEqual(before);
    expect(await redis.client.smembers('ws:user:cust01')).toEqual([other.session]);
    expect(await redis.client.smembers('ws:sessions:all')).toEqual([other.session]);
    expect((await serve.rest('/api/session/user/cust01')).body).toEqual({
      userId: 'cust01',
      isOnline: true,
      sessionCount: 1,
      sessions: [other.session],
    });
    await other.sure('SEND', { destination: '/topic/a' });
    other.socket.terminate();
    await nothingLeft(redis);
    expect((await serve.rest('/api/session/user/cust01/online')).body.isOnline).toBe(false);
  });

  it('expiry unregisters, with close 4005', async () => {
    const short = await startServe(redis.url, ['--node', 'out-b', '--ttl', '1s']);
    try {
      const client = await talk(short.ws, 'cust01', { userRole: 'CUSTOMER' });
      expect((await within(client.closed)).code).toBe(4005);
      expect(client.frames().at(-1)!.header('cause')).toBe('expired');
      await nothingLeft(redis);
    } finally {
      await short.stop();
    }
  });

  it('stompjs 7 and stompjs 2.3.3 leave by their own disconnect', async () => {
    const clients = [await connect7(serve.ws, { userId: 'seven' }), await connect2(serve.ws, { userId: 'two' })];
    expect((await sessionKeys(redis)).filter((key) => key.startsWith('ws:session:'))).toHaveLength(2);
    for (const client of clients) await client.disconnect();
    await nothingLeft(redis);
    await until(async () => (await heldBy(redis, serve.node)) === 0, 15_000, 'the node to have forgotten them');
  });

  it('many devices of one user leave in all ways at once', async () => {
    const stays = await talk(serve.ws, 'cust01');
    const leaving = await Promise.all(
      WAYS.flatMap((way) => [way, way]).map(async ([name, leave]) => {
        const beat = name.includes('heart-beat') ? { 'heart-beat': '100,0' } : {};
        return { leave, client: await talk(serve.ws, 'cust01', { userRole: 'X', ...beat }) };
      }),
    );
    await Promise.all(leaving.map(({ leave, client }) => leave(client, serve)));
    await within(Promise.all(leaving.map(({ client }) => client.closed)));
    await until(async () => (await redis.client.scard('ws:user:cust01')) === 1);
    expect((await redis.keys()).filter((key) => key.startsWith('ws:session:'))).toEqual([
      `ws:session:${stays.session}`,
    ]);
  });

  it.each([1, 200])('SIGTERM of serve: %d clients get 1001, it exits with 0, only ws:x:schema stays', async (count) => {
    await redis.client.flushall();
    const ending = await startServe(redis.url, ['--node', 'out-c']);
    await redis.client.del('ws:x:node:out-a');
    const clients = await Promise.all(
      Array.from({ length: count }, (_, i) => talk(ending.ws, `cust${i % 50}`, { userRole: 'X' })),
    );
    expect((await ending.rest('/api/session/stats')).body.totalActiveSessions).toBe(count);
    expect(await ending.stop()).toBe(0);
    for (const client of clients) {
      expect((await within(client.closed)).code).toBe(1001);
      expect(client.frames().at(-1)?.command).toBe('ERROR');
    }
    const others = /^ws:x:(nodes|processes|node:out-a|sweeper)$/; // the other serve of this file renews its lease, and sweeps
    expect((await redis.keys()).filter((key) => !others.test(key))).toEqual(['ws:x:schema']);
    expect(await redis.client.zscore('ws:x:nodes', 'out-c')).toBeNull();
    expect((await redis.client.zrange('ws:x:processes', 0, -1)).filter((one) => one.endsWith(' out-c'))).toEqual([]);
  });
});
