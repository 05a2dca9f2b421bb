/** The store on a Redis that is absent, silent, closed to us, slow, killed and back: one clear error each, no hang. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WssessError } from '../../src/common/errors.ts';
import { Directory } from '../../src/sessions/directory.ts';
import { Keys } from '../../src/sessions/keys.ts';
import { answer as answerScript } from '../../src/sessions/scripts.gen.ts';
import { connect } from '../../src/store/connect.ts';
import type { Command, Script, Store } from '../../src/store/store.ts';
import { faultOf } from '../helpers/floor.ts';
import { describeWithRedis, freePort, startRedis, type TestRedis } from '../helpers/redis.ts';
import { sleep, until, within } from '../helpers/wait.ts';

/** Milliseconds that the store is given; the tests wait five times as long at most. */
const TIMEOUT = 500;
const PATIENCE = 5 * TIMEOUT;

const stores: Store[] = [];
const open = async (url: string, over: { lasting?: boolean; timeout?: number } = {}): Promise<Store> => {
  const store = await connect({ url, source: 'WSSESS_REDIS_URL', timeout: TIMEOUT, lasting: false, ...over });
  stores.push(store);
  return store;
};
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
});

/** The one error that opening and a first command give, in time. */
const faultOfUse = async (url: string, lasting: boolean): Promise<WssessError> =>
  faultOf(
    within(
      (async () => {
        const store = await open(url, { lasting });
        await store.call('PING');
      })(),
      PATIENCE,
      url,
    ),
  );

describe.each([false, true])('no Redis to speak to (lasting: %s)', (lasting) => {
  test('nothing listens there', async () => {
    const port = await freePort();
    const fault = await faultOfUse(`redis://127.0.0.1:${port}`, lasting);
    expect([fault.code, fault.message]).toEqual([
      'redis_unreachable',
      `Redis at 127.0.0.1:${port} cannot be reached: nothing listens there`,
    ]);
    expect(fault.exit).toBe(5);
  });

  test('no such host', async () => {
    const fault = await faultOf(within(open('redis://nohost.invalid:6379', { lasting, timeout: 5000 }), 25_000));
    expect([fault.code, fault.message]).toEqual([
      'redis_unreachable',
      'Redis at nohost.invalid:6379 cannot be reached: no such host',
    ]);
  });

  describe('a server that is no Redis', () => {
    let server: Server;
    const sockets = new Set<Socket>();
    let onData: (socket: Socket) => void;
    let port: number;
    beforeEach(async () => {
      onData = () => {};
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.on('data', () => onData(socket));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      port = (server.address() as { port: number }).port;
    });
    afterEach(async () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
      await new Promise((resolve) => server.close(resolve));
    });

    test.each(['', ':secret@', 'user:secret@'])(
      'accepts redis://%s… and never answers: told within the time-out',
      async (who) => {
        const fault = await faultOfUse(`redis://${who}127.0.0.1:${port}`, lasting);
        expect(fault.code).toBe('redis_unreachable');
        expect(fault.message).toContain(`Redis at 127.0.0.1:${port} cannot be reached: `);
        expect(fault.message).not.toContain('secret');
      },
    );

    test('accepts a database number and never answers', async () => {
      expect((await faultOfUse(`redis://127.0.0.1:${port}/3`, lasting)).code).toBe('redis_unreachable');
    });

    test('hangs up', async () => {
      onData = (socket) => socket.destroy();
      expect((await faultOfUse(`redis://:secret@127.0.0.1:${port}`, lasting)).code).toBe('redis_unreachable');
    });

    test('answers with HTTP', async () => {
      onData = (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      const fault = await faultOfUse(`redis://127.0.0.1:${port}`, lasting);
      expect(['redis_unreachable', 'redis_refused']).toContain(fault.code);
    });

    test('accepts rediss:// and never shakes hands', async () => {
      const fault = await faultOfUse(`rediss://:secret@127.0.0.1:${port}`, lasting);
      expect(fault.code).toBe('redis_unreachable');
      expect(fault.message).not.toContain('secret');
    });
  });
});

describe('a URL that is none is a usage error, which names its source and no password', () => {
  test.each([
    '',
    'localhost',
    'localhost:6379',
    'http://localhost:6379',
    'redis://',
    'redis:///3',
    'redis://localhost:port',
    'redis://localhost:70000',
    'redis://localhost/name',
    'redis://localhost/1/2',
    'redis://localhost/-1',
    'redis://localhost/?db=1',
    'redis://localhost/1?x',
    'redis://localhost/1#2',
    'redis://us%er@localhost',
    'redis://user:p%ss@localhost',
    'redis://user:pa%ffss@localhost',
  ])('%j', async (url) => {
    const fault = await faultOf(open(url));
    expect(fault.code).toBe('usage');
    expect(fault.message).toMatch(/^WSSESS_REDIS_URL: "/);
    expect(fault.advice).toContain('redis://');
  });

  test.each([
    'redis://user:secret@localhost/name',
    'redis://:secret@localhost:port',
    'http://user:secret@localhost',
    'redis+tls://user:secret@localhost',
    'redis://:sec/secret@localhost:6379',
    'redis://user:s@secret@localhost:port',
    'user:secret@localhost:6379',
    ':secret@localhost:6379',
    ' redis://:secret@localhost/name',
    'redis:/:secret@localhost/name',
    'redis://user:%secret@localhost',
    'redis://localhost/?password=secret',
  ])('%j', async (url) => {
    const fault = await faultOf(open(url));
    expect(fault.code).toBe('usage');
    expect(`${fault.message} ${fault.advice}`).not.toContain('secret');
    expect(JSON.stringify(fault)).not.toContain('secret');
  });
});

describeWithRedis('A Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    await redis.client.flushall();
  });

  /** Ids of the connections that others than the test's own client have. */
  const connections = async () =>
    String(await redis.client.client('LIST'))
      .split('\n')
      .filter((line) => line && !line.includes(' cmd=client|list '))
      .map((line) => /^id=(\d+)/.exec(line)![1]!);

  test('commands, batches and scripts give what Redis gives', async () => {
    const store = await open(redis.url);
    expect(store.ready).toBe(true);
    expect(store.where).toBe(`127.0.0.1:${redis.port}`);
    expect(await store.call('SET', 'a', '한국어 👩‍👧')).toBe('OK');
    expect(await store.call('GET', 'a')).toBe('한국어 👩‍👧');
    expect(await store.call('GET', 'none')).toBeNull();
    expect(
      await store.batch([
        ['INCR', 'n'],
        ['INCRBY', 'n', 5],
        ['GET', 'n'],
      ]),
    ).toEqual([1, 6, '6']);
    expect(await store.batch([])).toEqual([]);
    expect(await store.run(answerScript, ['list'], ['x', 1000])).toEqual(['OK']);
  });

  test('a database number is used, and named', async () => {
    const store = await open(`${redis.url}/3`);
    await store.call('SET', 'only', 'here');
    expect(store.where).toBe(`127.0.0.1:${redis.port}/3`);
    expect(await redis.client.get('only')).toBeNull();
    expect(redis.cli('-n', '3', 'GET', 'only')).toBe('here');
  });

  test('an error reply: redis_refused with what Redis says, or key_type; of a batch the first that failed', async () => {
    const store = await open(redis.url);
    const refused = await faultOf(store.call('NOSUCHCOMMAND'));
    expect(refused.code).toBe('redis_refused');
    expect(refused.message).toContain(`Redis at 127.0.0.1:${redis.port}: ERR unknown command`);
    await redis.client.set('text', 'x');
    expect((await faultOf(store.call('SADD', 'text', 'y'))).code).toBe('key_type');
    expect((await faultOf(store.batch([['GET', 'text'], ['LPUSH', 'text', 1], ['NOSUCHCOMMAND']]))).code).toBe(
      'key_type',
    );
    expect(await store.call('PING')).toBe('PONG');
  });

  test('a key of another type is named, with the type that belongs there; of a script, its keys', async () => {
    const store = await open(redis.url);
    await redis.client.set('text', 'x');
    await redis.client.sadd('set', 'x');
    const at = `Redis at 127.0.0.1:${redis.port}`;
    const wrong: [command: Command, key: string, want: string][] = [
      [['SSCAN', 'text', 0], 'text', 'set'],
      [['ZMSCORE', 'text', 'a', 'b'], 'text', 'sorted set'],
      [['GET', 'set'], 'set', 'string'],
      [['RPUSH', 'text', 'x'], 'text', 'list'],
      [['HGETALL', 'text'], 'text', ''],
    ];
    for (const [command, key, want] of wrong) {
      const message = `${at}: ${key} holds another type of value${want ? `, where a ${want} belongs` : ''}`;
      for (const fault of [await faultOf(store.call(...command)), await faultOf(store.batch([['PING'], command]))])
        expect([fault.code, fault.message]).toEqual(['key_type', message]);
    }
    const lua = "return redis.call('SCARD', KEYS[2])";
    const script: Script = { name: 'test', lua, sha: redis.cli('SCRIPT', 'LOAD', lua), readOnly: true };
    expect((await faultOf(store.run(script, ['set', 'text'], ['x']))).message).toBe(
      `${at}: set or text holds another type of value`,
    );
    expect((await faultOf(store.pop('text', 100))).message).toContain('text holds another type of value, where a list');
  });

  test('sessions can be looked at by a user who may not write', async () => {
    await redis.client.call('ACL', 'SETUSER', 'viewer', 'on', '>secret', '~*', '+@read', '+evalsha_ro', '+script|load');
    await redis.client.set('ws:session:s1', 'kim');
    const store = await open(redis.url.replace('//', '//viewer:secret@'));
    const keys = new Keys('ws');
    const page = await new Directory(store, keys).getAll(['s1']);
    expect(page.sessions).toMatchObject([{ id: 's1', user: 'kim' }]);
    expect((await faultOf(store.call('SET', 'ws:session:s1', 'x'))).code).toBe('redis_denied');
  });

  test('a script that Redis has forgotten is loaded again', async () => {
    const store = await open(redis.url);
    const script: Script = {
      name: 'test',
      lua: "return redis.call('INCR', KEYS[1])",
      sha: redis.cli('SCRIPT', 'LOAD', "return redis.call('INCR', KEYS[1])"),
      readOnly: false,
    };
    await redis.client.script('FLUSH');
    expect(await store.run(script, ['n'])).toBe(1);
    expect(await store.run(script, ['n'])).toBe(2);
    await redis.client.script('FLUSH');
    expect(await Promise.all(Array.from({ length: 5 }, () => store.run(script, ['n'])))).toHaveLength(5);
    expect(await redis.client.get('n')).toBe('7');
  });

  test('rediss:// to a port without TLS: told, no hang', async () => {
    const fault = await faultOfUse(redis.url.replace('redis:', 'rediss:').replace('//', '//:secret@'), false);
    expect(fault.code).toBe('redis_unreachable');
    expect(fault.message).not.toContain('secret');
  });

  test('a user that is none, where the default user needs no password: redis_denied', async () => {
    const fault = await faultOf(open(redis.url.replace('//', '//nobody:secret@')));
    expect(fault.code).toBe('redis_denied');
    expect(fault.message).not.toContain('secret');
  });

  describe('pop', () => {
    test('gives what is there, and what comes while it waits', async () => {
      const store = await open(redis.url);
      await redis.client.rpush('list', 'one', 'two');
      expect(await store.pop('list', 5000)).toBe('one');
      expect(await store.pop('list', 5000)).toBe('two');
      const waiting = store.pop('list', 10_000);
      await until(async () => /cmd=blpop/.test(String(await redis.client.client('LIST'))), 5000, 'BLPOP');
      await redis.client.rpush('list', 'three');
      expect(await waiting).toBe('three');
    });

    test('undefined when nothing came; not before the time it was given', async () => {
      const store = await open(redis.url);
      const start = performance.now();
      expect(await store.pop('list', 300)).toBeUndefined();
      expect(performance.now() - start).toBeGreaterThan(290);
      expect(await within(store.pop('list', 0), PATIENCE)).toBeUndefined();
    });

    test('waits longer than one command may take, and holds up no other command', async () => {
      const store = await open(redis.url, { timeout: 200 });
      const waiting = store.pop('list', 1000);
      expect(await store.call('PING')).toBe('PONG');
      expect(await waiting).toBeUndefined();
    });

    test('uses its connection again; two at a time need two', async () => {
      const store = await open(redis.url);
      await store.call('PING');
      const before = await connections();
      for (let i = 0; i < 5; i++) await store.pop('list', 10);
      const [waiter, ...more] = (await connections()).filter((id) => !before.includes(id));
      expect(waiter).toBeDefined();
      expect(more).toEqual([]);
      const both = Promise.all([store.pop('one', 5000), store.pop('two', 5000)]);
      await until(
        async () => String(await redis.client.client('LIST')).split('cmd=blpop').length === 3,
        5000,
        'two BLPOPs',
      );
      await redis.client.rpush('one', 1);
      await redis.client.rpush('two', 2);
      expect(await both).toEqual(['1', '2']);
      expect((await connections()).filter((id) => !before.includes(id))).toHaveLength(2);
    });

    test('a connection that Redis closed meanwhile is not used again', async () => {
      const store = await open(redis.url);
      await store.call('PING');
      const before = await connections();
      await store.pop('list', 10);
      const [waiter] = (await connections()).filter((id) => !before.includes(id));
      await redis.client.client('KILL', 'ID', waiter!);
      await until(async () => !(await connections()).includes(waiter!), 5000, 'the connection to end');
      await sleep(50); // the end has arrived here too
      await redis.client.rpush('list', 'x');
      expect(await store.pop('list', 1000)).toBe('x');
    });

    test('of a key of another type: key_type, and the next works', async () => {
      const store = await open(redis.url);
      await redis.client.set('text', 'x');
      expect((await faultOf(store.pop('text', 1000))).code).toBe('key_type');
      await redis.client.rpush('list', 'x');
      expect(await store.pop('list', 1000)).toBe('x');
    });
  });

  describe('subscribe', () => {
    test('hears the channels it named until it is ended', async () => {
      const store = await open(redis.url);
      const heard: string[] = [];
      const end = await store.subscribe(['a', 'b'], (channel, message) => heard.push(`${channel} ${message}`));
      for (const channel of ['a', 'c', 'b']) await redis.client.publish(channel, '1');
      await until(() => heard.length === 2, PATIENCE, 'two messages');
      expect(heard).toEqual(['a 1', 'b 1']);
      end();
      await until(async () => (await redis.client.publish('a', '2')) === 0, PATIENCE, 'the end of listening');
      expect(heard).toHaveLength(2);
    });

    test('refused by Redis: redis_denied, and no connection is left behind', async () => {
      redis.cli('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '+@all', 'resetchannels');
      const store = await open(redis.url.replace('//', '//deaf:secret@'), { lasting: true });
      await store.call('PING');
      const before = await connections();
      expect((await faultOf(store.subscribe(['a'], () => {}))).code).toBe('redis_denied');
      await until(async () => (await connections()).length === before.length, PATIENCE, 'the connection to be closed');
    });
  });

  test('close ends all connections: its own, idle ones, one that waits, one that listens', async () => {
    const before = await connections();
    const store = await open(redis.url, { lasting: true });
    await store.pop('list', 10);
    await store.subscribe(['a'], () => {});
    const waits = faultOf(store.pop('first', 60_000));
    waits.catch(() => {});
    await until(async () => (await connections()).length === before.length + 3, PATIENCE, 'the connections');
    store.close();
    await until(async () => (await connections()).length === before.length, PATIENCE, 'all connections to be closed');
    expect((await within(waits, PATIENCE)).code).toBe('redis_unreachable');
    expect((await faultOf(store.call('PING'))).code).toBe('redis_unreachable');
  });
});

describeWithRedis('A Redis with a password', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis('--requirepass', 'right/secret');
    await redis.client.call('ACL', 'SETUSER', 'viewer', 'on', '>viewer-secret', '~*', '+get', '+ping', '+info');
  });
  afterAll(() => redis.stop());

  test.each([false, true])('the right one is taken, percent-encoded (lasting: %s)', async (lasting) => {
    const store = await open(redis.url.replace('//', '//:right%2Fsecret@'), { lasting });
    expect(await store.call('PING')).toBe('PONG');
    expect(store.where).not.toContain('secret');
  });

  describe.each([false, true])('refused (lasting: %s)', (lasting) => {
    test.each([
      ['a wrong one', ':wrong-secret@'],
      ['none', ''],
      ['another user', 'nobody:right%2Fsecret@'],
    ])('%s: redis_denied, exit code 4, without the password', async (_, who) => {
      const fault = await faultOfUse(redis.url.replace('//', `//${who}`), lasting);
      expect([fault.code, fault.exit]).toEqual(['redis_denied', 4]);
      expect(fault.message).toContain(`Redis at 127.0.0.1:${redis.port}: `);
      expect(`${fault.message} ${fault.advice} ${String(fault.cause)}`).not.toContain('secret');
    });
  });

  test('a command that the ACL user may not: redis_denied, by script too', async () => {
    const store = await open(redis.url.replace('//', '//viewer:viewer-secret@'));
    expect(await store.call('GET', 'a')).toBeNull();
    expect((await faultOf(store.call('SET', 'a', 1))).code).toBe('redis_denied');
    expect((await faultOf(store.run(answerScript, ['a'], [1, 1]))).code).toBe('redis_denied');
  });
});

describeWithRedis('A Redis that stops, dies and comes back', () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    redis.resume();
    await redis.stop();
  });

  test.each([false, true])(
    'stopped in the middle: every kind of command ends within the time-out (lasting: %s)',
    async (lasting) => {
      const store = await open(redis.url, { lasting });
      await store.call('PING');
      await store.pop('list', 10); // its connection is there
      redis.pause();
      const faults = await within(
        Promise.all([
          faultOf(store.call('GET', 'a')),
          faultOf(
            store.batch([
              ['GET', 'a'],
              ['GET', 'b'],
            ]),
          ),
          faultOf(store.run(answerScript, ['a'], [1, 1])),
          faultOf(store.pop('list', 100)),
          faultOf(store.pop('other', 100)), // needs a new connection
          faultOf(store.subscribe(['a'], () => {})),
        ]),
        4 * PATIENCE,
        'the commands',
      );
      expect(faults.map(({ code }) => code)).toEqual(Array(6).fill('redis_unreachable'));
      expect(faults[0]?.message).toBe(`Redis at 127.0.0.1:${redis.port} cannot be reached: it did not answer in time`);
      redis.resume();
      await until(
        async () => (await store.call('PING').catch(() => '')) === 'PONG',
        PATIENCE,
        'the store to answer again',
      );
      expect(await store.pop('list', 10)).toBeUndefined();
    },
  );

  test('killed and started again: commands fail at once meanwhile, and nothing of them is done later', async () => {
    const store = await open(redis.url, { lasting: true });
    let readied = 0;
    store.onReady(() => readied++);
    await redis.kill();
    await until(() => !store.ready, PATIENCE, 'the loss to be noticed');
    const faults = await within(
      Promise.all([
        faultOf(store.call('INCR', 'n')),
        faultOf(
          store.batch([
            ['INCR', 'n'],
            ['INCR', 'n'],
          ]),
        ),
        faultOf(store.run(answerScript, ['n'], [1, 1000])),
        faultOf(store.pop('n', 60_000)),
        faultOf(store.subscribe(['a'], () => {})),
      ]),
      PATIENCE,
      'the commands',
    );
    expect(faults.map(({ code }) => code)).toEqual(Array(5).fill('redis_unreachable'));
    await redis.restart();
    await until(() => store.ready, PATIENCE * 4, 'the store to be ready');
    expect(readied).toBe(1);
    expect(await store.call('PING')).toBe('PONG');
    expect(await store.call('EXISTS', 'n')).toBe(0);
    expect(await store.run(answerScript, ['n'], [1, 1000])).toEqual(['OK']); // the new Redis didn't know the script
    expect(await store.pop('n', 1000)).toBe('1');
  });

  test('a command that was under way when Redis died fails, and is not sent again', async () => {
    const store = await open(redis.url, { lasting: true, timeout: 10_000 });
    redis.pause();
    const faults = Promise.all([faultOf(store.call('INCR', 'n')), faultOf(store.batch([['INCR', 'n']]))]);
    await sleep(50); // it is on its way
    await redis.kill();
    expect((await within(faults, PATIENCE)).map(({ code }) => code)).toEqual([
      'redis_unreachable',
      'redis_unreachable',
    ]);
    await redis.restart();
    await until(() => store.ready, PATIENCE * 4, 'the store to be ready');
    expect(await store.call('EXISTS', 'n')).toBe(0);
  });

  test('a pop that waited when Redis died ends at once', async () => {
    const store = await open(redis.url, { lasting: true });
    const waiting = faultOf(store.pop('list', 60_000));
    await until(async () => /cmd=blpop/.test(String(await redis.client.client('LIST'))), 5000, 'BLPOP');
    await redis.kill();
    expect((await within(waiting, PATIENCE)).code).toBe('redis_unreachable');
  });

  test('who subscribed hears again after Redis is back', async () => {
    const store = await open(redis.url, { lasting: true });
    const heard: string[] = [];
    await store.subscribe(['a'], (_, message) => heard.push(message));
    await redis.kill();
    await redis.restart();
    await until(async () => (await redis.client.publish('a', 'again')) === 1, PATIENCE * 4, 'the subscription');
    await until(() => heard.includes('again'), PATIENCE, 'the message');
  });

  test('not lasting: a lost Redis stays lost', async () => {
    const store = await open(redis.url);
    await redis.kill();
    await until(() => !store.ready, PATIENCE, 'the loss to be noticed');
    await redis.restart();
    const fault = await faultOf(store.call('PING'));
    expect(fault.code).toBe('redis_unreachable');
    expect(fault.message).toContain('cannot be reached');
  });
});
