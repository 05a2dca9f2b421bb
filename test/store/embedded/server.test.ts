/** The embedded store over its socket: the protocol, its limits, waiting, telling, and expiry. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Embedded } from '../../../src/store/embedded/server.ts';
import { PASSWORD, startStore } from '../../helpers/embedded.ts';
import { describeWithRedis } from '../../helpers/redis.ts';
import { RawClient, request } from '../../helpers/resp.ts';
import { sleep, until, within } from '../../helpers/wait.ts';

let store: Embedded;
const clients: RawClient[] = [];
async function open(password: string | undefined = PASSWORD, port = store.port): Promise<RawClient> {
  const client = await RawClient.open(port, password);
  clients.push(client);
  return client;
}
const stranger = () => {
  const client = new RawClient(store.port);
  clients.push(client);
  return client;
};

beforeAll(async () => {
  store = await startStore({ limits: { memory: 250_000, output: 1024 * 1024, authentication: 300 } });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  const client = await RawClient.open(store.port, PASSWORD);
  await client.call('FLUSHALL');
  client.close();
});
afterAll(() => store.close());

describe('before the password', () => {
  it('says nothing else', async () => {
    const client = stranger();
    expect(await client.call('GET', 'a')).toBe('-NOAUTH Authentication required.');
    expect(await client.call('AUTH', 'wrong')).toBe('-WRONGPASS invalid username-password pair or user is disabled.');
    expect(await client.call('AUTH', 'other', PASSWORD)).toMatch(/^-WRONGPASS/);
    expect(await client.call('PING')).toBe('-NOAUTH Authentication required.');
    expect(await client.call('AUTH', 'default', PASSWORD)).toBe('+OK');
    expect(await client.call('PING')).toBe('+PONG');
  });
  it('cuts whoever says none', async () => {
    await within(stranger().closed, 2000);
  });
  it('takes neither long requests nor many words', async () => {
    expect(await stranger().send('*11\r\n')).toBe('-ERR Protocol error: unauthenticated multibulk length');
    expect(await stranger().send('*1\r\n$16385\r\n')).toBe('-ERR Protocol error: unauthenticated bulk length');
  });
});

it('lets go of whoever was one too many, whether it leaves or not', async () => {
  const small = await startStore({ limits: { clients: 1 } });
  await open(PASSWORD, small.port);
  const late = Array.from({ length: 5 }, () => connect({ port: small.port, host: '127.0.0.1', allowHalfOpen: true }));
  for (const socket of late) {
    const heard = new Promise((resolve) => socket.once('data', resolve));
    socket.on('error', () => {});
    socket.write('PING\r\n');
    expect(String(await within(heard, 5000))).toBe('-ERR max number of clients reached\r\n');
  }
  late[0]!.destroy();
  await within(small.close(), 5000); // which waits for every connection
  for (const socket of late) socket.destroy();
});

describe('the protocol', () => {
  it.each(['POST / HTTP/1.1\r\n', 'Host: localhost\r\n'])('closes without a word on %j', async (line) => {
    const client = stranger();
    let said = false;
    client.socket.on('data', () => {
      said = true;
    });
    client.socket.write(`${line}SET a 1\r\n`);
    await within(client.closed);
    expect(said).toBe(false);
  });
  it('understands requests however they are cut', async () => {
    const client = await open();
    const bytes = request(['SET', 'k\r\n', 'v\x00\xff']) + request(['GET', 'k\r\n']);
    const answers = [client.send(bytes[0]!), client.send('')];
    for (const byte of bytes.slice(1)) {
      client.socket.write(byte, 'latin1');
      await new Promise(setImmediate);
    }
    expect(await Promise.all(answers)).toEqual(['+OK', '$v\x00\xff']);
  });
  it('understands lines that are typed', async () => {
    const client = await open();
    expect(await client.send(`set a "x\\x41\\n\\"" \r\n`)).toBe('+OK');
    expect(await client.send('\r\n  get  a\n')).toBe('$xA\n"');
    expect(await client.send(`set 'it\\'s' ''\r\n`)).toBe('+OK');
    expect(await client.send('get "a\r\n')).toBe('-ERR Protocol error: unbalanced quotes in request');
    await within(client.closed);
  });
  it.each([
    ['*2000000\r\n', 'invalid multibulk length'],
    ['*x\r\n', 'invalid multibulk length'],
    ['*1\r\n$536870913\r\n', 'invalid bulk length'],
    ['*1\r\n$536870912\r\n', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\nGET\r\n', "expected '$', got 'G'"],
    ['x'.repeat(70_000), 'too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
  ])('refuses what is no request (%#)', async (bytes, why) => {
    const client = await open();
    expect(await client.send(bytes)).toBe(`-ERR Protocol error: ${why}`);
    await within(client.closed);
  });
  it('lives through garbage', async () => {
    for (let i = 0; i < 50; i++) {
      const client = stranger();
      client.socket.write(Buffer.from(Array.from({ length: 500 }, () => Math.floor(Math.random() * 256))));
      client.socket.end();
    }
    expect(await (await open()).call('PING')).toBe('+PONG');
  });
  it('answers a large pipeline in order', async () => {
    const client = await open();
    const replies = await client.all(Array.from({ length: 20_000 }, (_, i) => ['ECHO', String(i)]));
    expect(replies).toEqual(Array.from({ length: 20_000 }, (_, i) => `$${i}`));
  });
});

describe('clients that never read', () => {
  it('are asked nothing more once a megabyte waits for them', async () => {
    const client = await open();
    await client.call('SET', 'big', 'x'.repeat(100_000));
    client.socket.pause();
    client.socket.write(request(['GET', 'big']).repeat(2000));
    const other = await open();
    await sleep(300);
    const served = Number(/total_commands_processed:(\d+)/.exec(String(await other.call('INFO', 'stats')))![1]);
    await sleep(300);
    const later = Number(/total_commands_processed:(\d+)/.exec(String(await other.call('INFO', 'stats')))![1]);
    expect(later - served).toBeLessThan(10);
  });
  it('are cut when messages pile up', async () => {
    const client = await open();
    await client.call('SUBSCRIBE', 'c');
    client.socket.pause();
    const other = await open();
    let told = 1;
    for (let i = 0; i < 20_000 && told > 0; i++)
      told = Number(String(await other.call('PUBLISH', 'c', 'x'.repeat(10_000))).slice(1));
    expect(told).toBe(0);
  });
});

it('refuses to grow beyond its memory, and goes on when there is room', async () => {
  const client = await open();
  for (let i = 0; i < 30; i++) await client.call('SET', `k${i}`, 'x'.repeat(10_000));
  const full = "-OOM command not allowed when used memory > 'maxmemory'.";
  expect(await client.call('SADD', 's', 'a')).toBe(full);
  expect(await client.call('GET', 'k0')).toMatch(/^\$x/);
  await client.call('DEL', ...Array.from({ length: 30 }, (_, i) => `k${i}`));
  expect(await client.call('SADD', 's', 'a')).toBe(':1');
});

it('counts its memory back to nothing', async () => {
  const client = await open();
  const used = async () => Number(/used_memory:(\d+)/.exec(String(await client.call('INFO', 'memory')))![1]);
  await client.all([
    ['SADD', 's', 'a', 'b'],
    ['ZADD', 'z', '1', 'a'],
    ['LPUSH', 'l', 'x'],
    ['SET', 'v', 'x', 'PX', '20'],
  ]);
  await client.all([
    ['SREM', 's', 'a'],
    ['ZINCRBY', 'z', '4', 'a'],
    ['RPUSH', 'l', 'y'],
    ['SET', 'v2', 'x'],
  ]);
  expect(await used()).toBeGreaterThan(100);
  await client.all([
    ['SPOP', 's'],
    ['ZPOPMIN', 'z'],
    ['LTRIM', 'l', '1', '0'],
    ['GETDEL', 'v2'],
  ]);
  await until(async () => (await used()) === 0);
});

it('lets keys expire within 100 ms with no reader', async () => {
  const [client, listener] = [await open(), await open()];
  await client.call('SET', 'k', 'v', 'PX', '200');
  await listener.call('WATCH', 'k');
  await sleep(100);
  expect(await client.call('DBSIZE')).toBe(':1');
  await sleep(200);
  expect(await client.call('DBSIZE')).toBe(':0'); // DBSIZE looks at no key
});

describe('BLPOP', () => {
  it('serves those who wait in the order in which they came', async () => {
    const waiters = [await open(), await open(), await open()];
    const served: number[] = [];
    const answers = [];
    for (const [i, waiter] of waiters.entries()) {
      answers.push(
        waiter.call('BLPOP', 'other', 'l', '0').then((reply) => {
          served.push(i);
          return reply;
        }),
      );
      await sleep(20);
    }
    const client = await open();
    expect(await client.call('RPUSH', 'l', 'a', 'b')).toBe(':2');
    expect(await client.call('RPUSH', 'other', 'c')).toBe(':1');
    expect(await Promise.all(answers)).toEqual([
      ['$l', '$a'],
      ['$l', '$b'],
      ['$other', '$c'],
    ]);
    expect(served).toEqual([0, 1, 2]);
    expect(await client.call('EXISTS', 'l', 'other')).toBe(':0');
  });
  it('ends by its time-out, and what was sent behind it runs then', async () => {
    const client = await open();
    const start = performance.now();
    expect(await client.all([['BLPOP', 'l', '0.15'], ['PING']])).toEqual(['*nil', '+PONG']);
    expect(performance.now() - start).toBeGreaterThan(145);
  });
  it('gives nothing to a client that has gone', async () => {
    const [gone, client] = [await open(), await open()];
    void gone.call('BLPOP', 'l', '0');
    await sleep(50);
    gone.close();
    await until(async () => !/flags=b/.test(String(await client.call('CLIENT', 'LIST'))));
    await client.call('RPUSH', 'l', 'a');
    expect(await client.call('LRANGE', 'l', '0', '-1')).toEqual(['$a']);
  });
  it('is served when a transaction is over, with what it leaves', async () => {
    const [waiter, client] = [await open(), await open()];
    const answer = waiter.call('BLPOP', 'l', '0');
    await sleep(30);
    await client.all([['MULTI'], ['RPUSH', 'l', 'a'], ['DEL', 'l'], ['RPUSH', 'l', 'b'], ['EXEC']]);
    expect(await answer).toEqual(['$l', '$b']);
  });
});

it('tells subscribers by channel and pattern', async () => {
  const [listener, client] = [await open(), await open()];
  expect(await listener.call('SUBSCRIBE', 'a')).toEqual(['$subscribe', '$a', ':1']);
  expect(await listener.call('PSUBSCRIBE', 'a*')).toEqual(['$psubscribe', '$a*', ':2']);
  expect(await client.call('PUBLISH', 'a', 'hi')).toBe(':2');
  await until(() => listener.pushed.length === 2);
  expect(listener.pushed).toEqual([
    ['$message', '$a', '$hi'],
    ['$pmessage', '$a*', '$a', '$hi'],
  ]);
  expect(await listener.call('GET', 'x')).toMatch(/^-ERR Can't execute 'get': only/);
  expect(await listener.call('PING')).toEqual(['$pong', '$']);
  expect(await client.call('PUBSUB', 'CHANNELS')).toEqual(['$a']);
  expect(await client.call('PUBSUB', 'NUMSUB', 'a', 'b')).toEqual(['$a', ':1', '$b', ':0']);
  expect(await listener.call('UNSUBSCRIBE')).toEqual(['$unsubscribe', '$a', ':1']);
  expect(await listener.call('PUNSUBSCRIBE')).toEqual(['$punsubscribe', '$a*', ':0']);
  expect(await listener.call('UNSUBSCRIBE')).toEqual(['$unsubscribe', '$nil', ':0']);
  expect(await listener.call('GET', 'x')).toBe('$nil');
});

it('runs no transaction when a watched key has changed or expired', async () => {
  const [client, other] = [await open(), await open()];
  await client.all([['SET', 'k', '1'], ['WATCH', 'k'], ['MULTI'], ['INCR', 'k']]);
  await other.call('SET', 'k', '5');
  expect(await client.call('EXEC')).toBe('*nil');
  await client.all([['SET', 'k', '1', 'PX', '30'], ['WATCH', 'k'], ['MULTI'], ['SET', 'k', '2']]);
  await sleep(50);
  expect(await client.call('EXEC')).toBe('*nil');
  await client.all([['SET', 'k', '1'], ['WATCH', 'k'], ['UNWATCH'], ['MULTI'], ['INCR', 'k']]);
  await other.call('SET', 'k', '5');
  expect(await client.call('EXEC')).toEqual([':6']);
});

it('shows MONITOR what runs, without passwords', async () => {
  const [watcher, client] = [await open(), await open()];
  expect(await watcher.call('MONITOR')).toBe('+OK');
  await client.all([
    ['AUTH', PASSWORD],
    ['GET', 'k'],
  ]);
  await until(() => watcher.pushed.length > 0);
  expect(watcher.pushed.map(String).join()).toMatch(/"GET" "k"$/);
});

describeWithRedis("Redis' own tools", () => {
  let roomy: Embedded;
  beforeAll(async () => {
    roomy = await startStore();
  });
  afterAll(() => roomy.close());
  const env = { ...process.env, REDISCLI_AUTH: PASSWORD };
  const run = (tool: string, args: string[], input = '') =>
    new Promise<string>((resolve, reject) => {
      const child = execFile(tool, ['-p', String(roomy.port), ...args], { env, timeout: 30_000 }, (error, out, err) =>
        error ? reject(error) : resolve(out + err),
      );
      child.stdin!.end(input);
    });
  it('redis-cli inspects it', async () => {
    const lines = [
      'SET ws:session:a u EX 100',
      'SADD ws:user:u a',
      'KEYS ws:session:*',
      'TTL ws:session:a',
      'TYPE ws:user:u',
      'INFO server',
      'HELLO 3',
      'COMMAND DOCS get',
    ];
    const out = await run('redis-cli', [], `${lines.join('\n')}\n`);
    expect(out).toMatch(/^OK\n1\nws:session:a\n(100|99)\nset\n# Server\r?\nredis_version:7.0.15/);
    expect(out).toContain('NOPROTO unsupported protocol version');
    expect(await run('redis-cli', ['--scan', '--pattern', 'ws:*'])).toContain('ws:user:u');
  });
  it('redis-cli --pipe sends 100,000 commands', async () => {
    const input = Array.from({ length: 100_000 }, (_, i) => `SET key:${i % 100} value${i}\r\n`).join('');
    expect(await run('redis-cli', ['--pipe'], input)).toContain('errors: 0, replies: 100000');
  });
  it('redis-benchmark runs', async () => {
    const out = await run('redis-benchmark', [
      '-a',
      PASSWORD,
      '-t',
      'ping,set,get,sadd,lpush,zadd',
      '-n',
      '20000',
      '-c',
      '20',
      '-d',
      '3',
      '-q',
    ]);
    expect(out).not.toMatch(/error/i);
    expect(out.match(/requests per second/g)).toHaveLength(7);
  });
});
