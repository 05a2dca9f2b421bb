/** What the embedded store holds is bounded: its replies, and what its clients make it keep beside the keys. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Keyspace } from '../../../src/store/embedded/data/keyspace.ts';
import type { Embedded, EmbeddedOptions } from '../../../src/store/embedded/server.ts';
import { Statistics } from '../../../src/store/embedded/statistics.ts';
import { PASSWORD, startStore } from '../../helpers/embedded.ts';
import { type Raw, RawClient, request } from '../../helpers/resp.ts';
import { sleep, until, within } from '../../helpers/wait.ts';

const MB = 1024 * 1024;
const TOO_BIG = /^-ERR reply too big: more than \d+ bytes/;
const FULL = "-OOM command not allowed when used memory > 'maxmemory'.";
const OWN_LIMIT = /^-OOM a client may hold \d+ bytes/;
const CUT = /^-OOM the clients hold too much/;

let store: Embedded;
let clients: RawClient[];
const faults: Error[] = [];

async function start(limits: EmbeddedOptions['limits'] = {}): Promise<void> {
  store = await startStore({ limits, onFault: (error) => faults.push(error) });
}
async function open(): Promise<RawClient> {
  const client = await within(RawClient.open(store.port, PASSWORD));
  clients.push(client);
  return client;
}
/** A figure of INFO. */
async function figure(client: RawClient, name: string): Promise<number> {
  const found = new RegExp(`^${name}:(\\d+)`, 'm').exec(String(await client.call('INFO')));
  return Number(found![1]);
}
/** Other clients are served. */
async function answersOthers(): Promise<void> {
  const other = await open();
  expect(await within(other.call('PING'), 5000)).toBe('+PONG');
  other.close();
}
/** Waits until nothing is held for clients: the one that asks holds nothing itself when its INFO runs. */
const nothingHeld = async (client: RawClient) =>
  until(async () => (await figure(client, 'mem_clients_normal')) === 0, 10_000, 'nothing to be held');

beforeEach(() => {
  clients = [];
  faults.length = 0;
});
afterEach(async () => {
  for (const client of clients) client.close();
  await store.close();
  expect(faults).toEqual([]);
});

describe('a reply that is too big', () => {
  /** Asks while the memory of this process is watched, which the store shares. */
  async function refused(client: RawClient, ask: () => Promise<Raw>): Promise<Raw> {
    const before = process.memoryUsage();
    const reply = await within(ask());
    const after = process.memoryUsage();
    const grown = (name: 'heapUsed' | 'external') => after[name] - before[name];
    expect(grown('heapUsed') + grown('external')).toBeLessThan(200 * MB);
    await answersOthers();
    expect(await within(client.call('PING'))).toBe('+PONG'); // nothing was sent before the error
    return reply;
  }
  beforeEach(() => start({ perClient: 4 * MB }));

  it('is an error: MGET, of one key a thousand times', async () => {
    const client = await open();
    await client.call('SET', 'big', 'x'.repeat(MB));
    expect(await refused(client, () => client.call('MGET', ...Array<string>(1000).fill('big')))).toMatch(TOO_BIG);
    expect(await client.call('MGET', 'big', 'big', 'big')).toHaveLength(3);
  });
  it('is an error: MGET, of a million', async () => {
    const client = await open();
    await client.call('SET', 'k', 'xyz');
    const words = ['MGET', ...Array<string>(1_000_000).fill('k')];
    expect(await refused(client, () => client.send(request(words)))).toMatch(TOO_BIG);
  });
  it.each([
    ['LRANGE', 'RPUSH', ['LRANGE', 'all', '0', '-1']],
    ['SMEMBERS', 'SADD', ['SMEMBERS', 'all']],
  ])('is an error: %s', async (_, add, ask) => {
    const client = await open();
    for (let i = 0; i < 60; i++) await client.call(add, 'all', `${i}${'x'.repeat(100_000)}`);
    expect(await refused(client, () => client.call(...ask))).toMatch(TOO_BIG);
    expect(await client.call('LRANGE', 'none', '0', '-1')).toEqual([]);
  });
  it('is an error: one value', async () => {
    const client = await open();
    await client.call('SET', 'big', 'x'.repeat(5 * MB));
    expect(await refused(client, () => client.call('GET', 'big'))).toMatch(TOO_BIG);
    expect(await client.call('STRLEN', 'big')).toBe(`:${5 * MB}`);
  });
  it('is an error: EXEC, of which all that writes is done', async () => {
    const client = await open();
    await client.call('SET', 'big', 'x'.repeat(MB));
    await client.all([['MULTI'], ...Array.from({ length: 1000 }, () => ['GET', 'big']), ['INCR', 'n']]);
    expect(await refused(client, () => client.call('EXEC'))).toMatch(TOO_BIG);
    expect(await client.call('GET', 'n')).toBe('$1');
    const replies = await client.all([['MULTI'], ['SADD', 's', 'a'], ['SMEMBERS', 's'], ['GET', 's'], ['EXEC']]);
    expect(replies.at(-1)).toEqual([':1', ['$a'], expect.stringMatching(/^-WRONGTYPE/)]);
  });
  it('leaves a transaction no lists to pile up', async () => {
    const client = await open();
    const members = Array.from({ length: 100_000 }, (_, i) => `m${i}`);
    await client.call('SADD', 'all', ...members);
    await client.all([['MULTI'], ...Array.from({ length: 2000 }, () => ['SMEMBERS', 'all'])]);
    expect(await refused(client, () => client.call('EXEC'))).toMatch(TOO_BIG);
  });
  it('takes no answers that were asked for together to be one', async () => {
    const client = await open();
    await client.call('SET', 'big', 'x'.repeat(MB));
    const replies = await client.all(Array.from({ length: 20 }, () => ['GET', 'big']));
    expect(replies.every((reply) => reply.length === MB + 1)).toBe(true);
  });
});

describe('what a client makes the store keep', () => {
  it('counts while it is there, and no longer', async () => {
    await start();
    const [client, other] = [await open(), await open()];
    const held = () => figure(other, 'mem_clients_normal');
    const names = Array.from({ length: 1000 }, (_, i) => `name ${i}`);
    const cases: [take: string[][], give: string[][]][] = [
      [[['WATCH', ...names, ...names]], [['UNWATCH']]],
      [[['WATCH', ...names], ['MULTI'], ['SET', 'a', 'x'.repeat(200_000)]], [['EXEC']]],
      [[['MULTI'], ['MGET', ...names], ['MGET', ...names], ['MGET', ...names]], [['DISCARD']]],
      [
        [['MULTI'], ['MGET', ...names], ['MGET', ...names], ['MGET', ...names]],
        [['RESET'], ['AUTH', PASSWORD]],
      ],
      [
        [
          ['SUBSCRIBE', ...names],
          ['SUBSCRIBE', ...names],
        ],
        [['UNSUBSCRIBE', ...names]],
      ],
      [[['PSUBSCRIBE', ...names]], [['RESET'], ['AUTH', PASSWORD]]],
    ];
    for (const [take, give] of cases) {
      await nothingHeld(other);
      for (const words of take) await client.call(...words);
      await until(async () => (await held()) > 100_000);
      expect(await held()).toBeLessThan(1_000_000);
      expect(await figure(other, 'used_memory')).toBeGreaterThan(100_000);
      for (const words of give) await client.call(...words);
      await nothingHeld(other);
    }
  });
  it('counts no longer when the client has gone, or what it waited for has come', async () => {
    await start();
    const other = await open();
    const names = Array.from({ length: 1000 }, (_, i) => `name ${i}`);
    const held = () => figure(other, 'mem_clients_normal');
    for (const take of [
      ['WATCH', ...names],
      ['SUBSCRIBE', ...names],
      ['BLPOP', ...names, '0'],
    ]) {
      const client = await open();
      void client.call(...take);
      await until(async () => (await held()) > 100_000);
      client.close();
      await nothingHeld(other);
    }
    const waiter = await open();
    const answer = waiter.call('BLPOP', ...names, '0');
    await until(async () => (await held()) > 100_000);
    await other.call('RPUSH', 'name 7', 'x');
    expect(await within(answer)).toEqual(['$name 7', '$x']);
    await nothingHeld(other);
  });
  it('fills the memory: a queue is refused, and whoever waits can write when it has gone', async () => {
    await start({ memory: 500_000 });
    const [client, other] = [await open(), await open()];
    await client.call('MULTI');
    const replies = [];
    for (let i = 0; i < 60; i++) replies.push(await client.call('SET', `k${i}`, 'x'.repeat(10_000)));
    expect(replies.slice(0, 40)).toEqual(Array(40).fill('+QUEUED'));
    expect(replies.at(-1)).toBe(FULL);
    expect(await other.call('SET', 'a', 'b')).toBe(FULL);
    expect(await other.call('GET', 'a')).toBe('$nil');
    expect(await client.call('EXEC')).toMatch(/^-EXECABORT/);
    expect(await other.call('SET', 'a', 'b')).toBe('+OK');
    expect(await other.call('DBSIZE')).toBe(':1');
  });
  it.each(['WATCH', 'SUBSCRIBE', 'PSUBSCRIBE'])('is refused to one that has its part: %s', async (command) => {
    await start({ perClient: 200_000 });
    const client = await open();
    let reply: Raw = '';
    for (let i = 0; i < 2000 && !String(reply).startsWith('-'); i++) reply = await client.call(command, `name ${i}`);
    expect(reply).toMatch(OWN_LIMIT);
    const other = await open();
    expect(await figure(other, 'mem_clients_normal')).toBeLessThanOrEqual(200_000);
    expect(await other.call(command, 'name')).toBeTruthy();
    const many = Array.from({ length: 1000 }, (_, i) => `other ${i}`);
    expect(await other.call(command, ...many)).toMatch(OWN_LIMIT); // all or none
    expect(await other.call('PING')).toEqual(command === 'WATCH' ? '+PONG' : ['$pong', '$']);
  });
  it('is refused to one that has its part: MULTI', async () => {
    await start({ perClient: 200_000 });
    const client = await open();
    await client.call('MULTI');
    const replies = await client.all(Array.from({ length: 5000 }, () => ['PING']));
    expect(replies[0]).toBe('+QUEUED');
    expect(replies.some((reply) => OWN_LIMIT.test(String(reply)))).toBe(true);
    expect(await client.call('EXEC')).toMatch(/^-EXECABORT/);
    expect(await client.call('PING')).toBe('+PONG');
  });
  it('lets look at a store that is full', async () => {
    await start({ memory: 20_000 });
    const client = await open();
    await client.call('SET', 'a', 'x'.repeat(30_000));
    expect(await client.call('SET', 'b', 'x')).toBe(FULL);
    expect(await client.call('WATCH', 'a')).toBe('+OK');
    expect(await client.call('GET', 'a')).toMatch(/^\$x/);
    expect(await client.call('SUBSCRIBE', 'c')).toEqual(['$subscribe', '$c', ':1']);
  });
});

describe('when the clients together hold too much, the one that holds the most is cut', () => {
  it('for requests that never end', async () => {
    await start({ allClients: 4 * MB });
    const before = process.memoryUsage.rss();
    const greedy = await Promise.all(Array.from({ length: 60 }, open));
    const told = greedy.map((client) => client.send(`*2\r\n$3\r\nGET\r\n$${8 * MB}\r\n${'x'.repeat(MB)}`));
    const first = await within(Promise.any(told));
    expect(first).toMatch(CUT);
    const cut = () => greedy.filter((client) => client.socket.destroyed).length;
    await until(() => cut() >= 56);
    expect(cut()).toBeLessThan(60); // those within the bound are left alone
    await answersOthers();
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * MB);
  });
  it('for requests that come byte by byte, of which each takes a buffer', async () => {
    await start({ allClients: 2 * MB });
    const client = await open();
    const told = client.send(`*2\r\n$3\r\nGET\r\n$${MB}\r\n`);
    let done = false;
    void told.then(() => {
      done = true;
    });
    client.socket.setNoDelay(true);
    for (let i = 0; i < 200_000 && !done; i++) {
      client.socket.write('x');
      await new Promise(setImmediate);
    }
    expect(await within(told)).toMatch(CUT);
    await answersOthers();
  });
  it('for replies that nobody reads', async () => {
    await start({ allClients: 30 * MB });
    const writer = await open();
    await writer.call('SET', 'big', 'x'.repeat(16 * MB));
    const lazy = [await open(), await open(), await open(), await open()];
    for (const client of lazy) {
      client.socket.pause();
      client.socket.write(request(['GET', 'big']));
    }
    await until(async () => (await figure(writer, 'connected_clients')) < 5);
    expect(await figure(writer, 'mem_clients_normal')).toBeLessThan(30 * MB);
    expect(await writer.call('STRLEN', 'big')).toBe(`:${16 * MB}`);
  });
  it('for messages that nobody reads', async () => {
    await start({ allClients: 20 * MB, output: 8 * MB });
    const writer = await open();
    const lazy = await Promise.all(Array.from({ length: 10 }, open));
    for (const client of lazy) {
      await client.call('SUBSCRIBE', 'c');
      client.socket.pause();
    }
    for (let i = 0; i < 40; i++) {
      await within(writer.call('PUBLISH', 'c', 'x'.repeat(500_000)));
      expect(await figure(writer, 'mem_clients_normal')).toBeLessThan(21 * MB);
    }
    expect(await figure(writer, 'connected_clients')).toBeLessThan(11);
  });
  it('with its watched names, its queue and its subscriptions', async () => {
    await start({ allClients: 400_000 });
    const [watcher, listener, other] = [await open(), await open(), await open()];
    const names = Array.from({ length: 1000 }, (_, i) => `name ${i}`);
    expect(await watcher.call('WATCH', ...names)).toBe('+OK');
    await listener.call('SUBSCRIBE', ...names.slice(0, 900));
    await within(watcher.closed);
    await until(async () => (await figure(other, 'connected_clients')) === 2);
    expect(await figure(other, 'pubsub_channels')).toBe(900);
    expect(await figure(other, 'mem_clients_normal')).toBeLessThan(400_000);
    expect(await other.call('SET', 'name 1', 'x')).toBe('+OK');
  });
});

it('keeps values that came in small pieces in one', async () => {
  await start();
  const client = await open();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  for (let i = 0; i < 100; i++) await client.send(`SET line${i} ${'x'.repeat(50_000)}\r\n`); // a typed line
  for (let i = 0; i < 40; i++) await client.all(Array.from({ length: 1000 }, () => ['APPEND', 'k', 'y']));
  expect(heap() - before).toBeLessThan(20 * MB);
  expect(await client.call('GET', 'k')).toBe(`$${'y'.repeat(40_000)}`);
});

it('lets no value grow beyond what can be sent', async () => {
  await start();
  const client = await open();
  await client.call('SET', 'grows', 'x'.repeat(64 * MB - 2));
  expect(await client.call('APPEND', 'grows', 'yy')).toBe(`:${64 * MB}`);
  expect(await client.call('APPEND', 'grows', 'z')).toBe(
    '-ERR string exceeds maximum allowed size (proto-max-bulk-len)',
  );
});

it('takes at most half of the heap, and shows what it takes as Redis does', async () => {
  await start();
  const client = await open();
  const half = Math.floor(getHeapStatistics().heap_size_limit / 2);
  expect(await client.call('CONFIG', 'GET', 'maxmemory')).toEqual(['$maxmemory', `$${Math.min(1024 ** 3, half)}`]);
  expect(await client.call('INFO', 'memory')).toMatch(/^used_memory_human:\d+B\r$/m);
  await client.call('SET', 'a', 'x'.repeat(100_000));
  expect(await client.call('INFO', 'memory')).toMatch(/^used_memory_human:97\.\d\dK\r$/m);
  await client.call('SET', 'a', 'x'.repeat(3 * MB));
  expect(await client.call('INFO', 'memory')).toMatch(/^used_memory_human:3\.\d\dM\r$/m);
});

it('estimates how long keys have left', async () => {
  await start();
  const client = await open();
  const line = async () => /^db0:.*/m.exec(String(await client.call('INFO', 'keyspace')))![0];
  await client.call('SET', 'for ever', 'x');
  expect(await line()).toBe('db0:keys=1,expires=0,avg_ttl=0');
  for (let i = 0; i < 1000; i++) await client.call('SET', `k${i}`, 'x', 'PX', i % 2 ? '100000' : '300000');
  const average = Number(/^db0:keys=1001,expires=1000,avg_ttl=(\d+)$/.exec(await line())![1]);
  expect(average).toBeGreaterThan(100_000);
  expect(average).toBeLessThan(300_000);
});

it('tells of faults of its own, once in a storm, and lives through them', async () => {
  await start();
  const client = await open();
  const broken = () => {
    throw new Error('broken');
  };
  const reading = vi.spyOn(Keyspace.prototype, 'string').mockImplementation(broken);
  const replies = await client.all(Array.from({ length: 100 }, () => ['GET', 'a']));
  expect(replies).toEqual(Array(100).fill('-ERR internal error: broken'));
  reading.mockRestore();
  expect(faults.splice(0).map(({ message }) => message)).toEqual(['broken']);
  expect(await client.call('GET', 'a')).toBe('$nil');

  await sleep(1100); // the next storm
  const counting = vi.spyOn(Statistics.prototype, 'ran').mockImplementation(broken);
  void client.call('GET', 'a');
  await within(client.closed);
  counting.mockRestore();
  expect(faults.splice(0)).toHaveLength(1);
  await answersOthers();
});
