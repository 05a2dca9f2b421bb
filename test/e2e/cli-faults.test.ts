/** What the CLI says when Redis is wrong, closed, silent, gone or newer: one clear line, and the right exit code. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { killBackground, start } from '../helpers/background.ts';
import { connect7, dropClients } from '../helpers/clients.ts';
import { addForeign, addManyForeign, clearFamilies } from '../helpers/foreign.ts';
import { BIN, type Ran, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, freePort, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until, within } from '../helpers/wait.ts';

/** Every command that speaks to Redis. */
const COMMANDS = ['ls', 'who kim', 'show id', 'kick id', 'refresh id', 'stats', 'nodes', 'serve --port 0'];

const on = (url: string, line: string, patience?: number): Promise<Ran> =>
  wssess(line.split(' '), { env: { WSSESS_REDIS_URL: url }, ...(patience !== undefined && { patience }) });

function expectOneLine({ stdout, stderr }: Ran, what: RegExp): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: [^\n]+\. [^\n]+\n$/);
  expect(stderr).toMatch(what);
}

describeWithRedis('faults', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.stop();
  });
  afterEach(() => {
    killBackground();
    dropClients();
  });

  describe('no Redis there', () => {
    test.each(COMMANDS)('%s: nothing listens, exit 5', async (line) => {
      const port = await freePort();
      const ran = await on(`redis://127.0.0.1:${port}`, line);
      expect(ran.code).toBe(5);
      expectOneLine(ran, new RegExp(`Redis at 127\\.0\\.0\\.1:${port} cannot be reached: nothing listens there`));
    });

    test('no such host: exit 5', async () => {
      const ran = await on('redis://no-such-host.invalid:6379', 'ls');
      expect(ran.code).toBe(5);
      expectOneLine(ran, /no-such-host\.invalid:6379 cannot be reached: no such host/);
    });

    test.each(['nonsense', 'http://127.0.0.1:6379', 'redis://127.0.0.1:99999', 'redis://127.0.0.1/name', 'redis://'])(
      'WSSESS_REDIS_URL=%s is no address of a Redis: exit 2',
      async (url) => {
        const ran = await on(url, 'ls');
        expect(ran.code).toBe(2);
        expectOneLine(ran, /^error: WSSESS_REDIS_URL: .*redis:\/\/\[user/);
      },
    );

    test('something that is no Redis answers: one line, exit 5', async () => {
      const web = createServer((socket) => {
        socket.on('error', () => {});
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      });
      await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
      const { port } = web.address() as { port: number };
      const ran = await on(`redis://127.0.0.1:${port}`, 'ls');
      web.close();
      expect(ran.code).toBe(5);
      expectOneLine(ran, new RegExp(`Redis at 127\\.0\\.0\\.1:${port}`));
      expect(ran.stderr).not.toContain('report what it prints');
    });
  });

  test('who -q tells offline (1) from what Redis could not answer (5), a database that it does not have included', async () => {
    expect((await on(redis.url, 'who -q kim')).code).toBe(1);
    for (const line of ['who -q kim', ...COMMANDS]) {
      const ran = await on(`${redis.url}/99`, line);
      expect({ line, code: ran.code }).toEqual({ line, code: 5 });
      expectOneLine(ran, /Redis at 127\.0\.0\.1:\d+\/99: ERR DB index is out of range\. /);
    }
    await redis.client.call('REPLICAOF', '127.0.0.1', '1');
    await redis.client.call('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    try {
      expect(await on(redis.url, 'who -q kim')).toMatchObject({ code: 5, stderr: expect.stringMatching(/MASTERDOWN/) });
    } finally {
      await redis.client.call('REPLICAOF', 'NO', 'ONE');
    }
  });

  describe('a Redis that refuses', () => {
    let closed: TestRedis;

    beforeAll(async () => {
      closed = await startRedis('--requirepass', 'hunter2');
      await closed.client.call('ACL', 'SETUSER', 'reader', 'on', '>reader-pw', '~*', '+@connection');
    });
    afterAll(async () => {
      await closed?.stop();
    });

    const url = (who: string) => `redis://${who}@127.0.0.1:${closed.port}`;

    test.each(COMMANDS)(
      '%s: no password, a wrong one, no rights: exit 4 each, and no password is printed',
      async (line) => {
        for (const [who, what] of [
          ['', /NOAUTH/],
          [':wrong-pw@', /WRONGPASS/],
          ['reader:reader-pw@', /NOPERM/],
        ] as const) {
          const ran = await on(`redis://${who}127.0.0.1:${closed.port}`, line);
          expect(ran.code).toBe(4);
          expect(ran.stdout).toBe('');
          expect(ran.stderr).toMatch(/^error: [^\n]+\. [^\n]+\n$/m);
          expect(ran.stderr).toMatch(what);
          expect(ran.stderr).not.toMatch(/-pw|hunter2/);
        }
      },
    );

    test('with -o json the error is JSON', async () => {
      const { code, stdout, stderr } = await on(url('reader:reader-pw'), 'ls -o json');
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(JSON.parse(stderr).error).toMatchObject({
        code: 'redis_denied',
        message: expect.stringContaining('NOPERM'),
      });
    });

    test('what the Redis client library thinks of it is not printed beside the error', async () => {
      for (const line of COMMANDS) {
        const { stderr } = await on(url('reader:reader-pw'), line);
        expect({ line, lines: stderr.trimEnd().split('\n').length }).toEqual({ line, lines: 1 });
      }
    });

    test('the right password lets everything through', async () => {
      expect(await on(url(':hunter2'), 'ls -o json')).toMatchObject({ code: 0, stderr: '' });
    });
  });

  test('a password that Redis does not want is no reason to fail', async () => {
    const { code, stdout } = await on(`redis://:pw@127.0.0.1:${redis.port}`, 'stats -o json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).sessions).toBe(0);
  });

  test.each(COMMANDS)('%s on a Redis that went silent: exit 5 after --redis-timeout, no hang', async (line) => {
    redis.pause();
    try {
      // Patience is far below the 5 s that it would take without the flag, times its commands.
      const ran = await on(redis.url, `${line} --redis-timeout 500ms`, 15_000);
      expect(ran.code).toBe(5);
      expectOneLine(ran, /did not answer in time/);
    } finally {
      redis.resume();
    }
  });

  test.each([
    ['ls --watch --interval 100ms', ''],
    ['ls --watch --interval 100ms -o jsonl', ''],
    ['stats --watch --interval 100ms', ''],
  ])('Redis killed in the middle of %s: one clear line, exit 5', async (line) => {
    const own = await startRedis();
    const watching = start(line.split(' '), { WSSESS_REDIS_URL: own.url });
    await watching.lines(2);
    await own.kill();
    const { code, stderr } = await watching.ended();
    await own.stop();
    expect(code).toBe(5);
    if (line.endsWith('jsonl')) expect(JSON.parse(stderr).error.code).toBe('redis_unreachable');
    else expect(stderr).toMatch(/^error: Redis at [^\n]+ cannot be reached: [^\n]+\n$/);
  });

  describe('keys that a newer wssess wrote', () => {
    beforeAll(async () => {
      await addForeign(redis.client, 'spring-1', 'kim');
      await redis.client.set('ws:x:schema', '2');
    });
    afterAll(async () => {
      await redis.client.del('ws:x:schema');
      await clearFamilies(redis.client);
    });

    test.each(['kick spring-1', 'kick spring-1 --purge', 'refresh spring-1', 'serve --port 0'])(
      '%s refuses to write: exit 1',
      async (line) => {
        const before = await redis.client.call('DUMP', 'ws:user:kim');
        const ran = await on(redis.url, line);
        expect(ran.code).toBe(1);
        expectOneLine(ran, /layout "2", this wssess knows 1\. Upgrade/);
        expect(await redis.keys()).toEqual(['ws:session:spring-1', 'ws:sessions:all', 'ws:user:kim', 'ws:x:schema']);
        expect(await redis.client.call('DUMP', 'ws:user:kim')).toEqual(before);
      },
    );

    test.each(['ls', 'who kim', 'show spring-1', 'stats', 'nodes', 'kick spring-1 --dry-run'])(
      '%s still reads',
      async (line) => {
        expect((await on(redis.url, line)).code).toBe(0);
      },
    );
  });

  describe('a key that holds another type of value is named, with what to do', () => {
    const OF_WHAT = [
      ['ws:user:wrong', ['who wrong']],
      ['ws:sessions:all', ['ls', 'stats', 'ls --by user']],
      ['ws:x:nodes', ['nodes', 'stats', 'drain chat-1', 'serve --port 0']],
      ['ws:x:schema', ['doctor --fix', 'serve --port 0']],
    ] as const;
    const LINES = OF_WHAT.flatMap(([key, lines]) => lines.map((line) => [key, line] as const));

    test.each(LINES)('%s: %s', async (key, line) => {
      await redis.client.hset(key, 'a', 'hash');
      const ran = await on(redis.url, line);
      const kept = await redis.client.del(key);
      expect([ran.code, kept]).toEqual([1, 1]);
      expectOneLine(
        ran,
        new RegExp(
          `: ${key} holds another type of value(, where a [a-z ]+ belongs)?\\. .*TYPE KEY.* RENAME or DEL .*doctor --fix`,
        ),
      );
      expect(await redis.client.exists(key)).toBe(0);
    });

    test('in the log of serve, and by REST', async () => {
      const serve = await startServe(redis.url, ['--node', 'typed']);
      await redis.client.del('ws:x:nodes');
      await redis.client.hset('ws:x:nodes', 'a', 'hash');
      const told = /the lease is not renewed: ws:x:nodes holds another type of value\. .*RENAME or DEL/;
      await until(() => told.test(serve.stderr()), 10_000, 'the log');
      await redis.client.del('ws:x:nodes');
      await redis.client.hset('ws:sessions:all', 'a', 'hash');
      const { status, body } = await serve.rest('/api/session/all');
      expect([status, body.error]).toEqual([
        409,
        {
          code: 'key_type',
          message: expect.stringContaining(': ws:sessions:all holds another type of value, where a set belongs'),
          advice: expect.stringContaining('wssess doctor --fix'),
        },
      ]);
      const swept = /ws:sessions:all holds another type of value.*RENAME or DEL/;
      await until(() => swept.test(serve.stderr()), 30_000, 'the log of the sweep');
      await redis.client.del('ws:sessions:all');
      await serve.stop();
    });
  });

  describe('serve', () => {
    test('on a port in use: one line and exit 1, and the first goes on', async () => {
      const first = await startServe(redis.url, ['--node', 'first']);
      const ran = await on(redis.url, `serve --node second --port ${first.port}`);
      expect(ran.code).toBe(1);
      expectOneLine(ran, new RegExp(`${first.port}.*--port`));
      expect((await first.rest('/readyz')).status).toBe(200);
      expect(await redis.client.zrange('ws:x:nodes', 0, 9)).toEqual(['first']);
      await first.stop();
    });

    test('off loopback: refused with exit 2', async () => {
      const ran = await on(redis.url, 'serve --port 0 --host 0.0.0.0');
      expect(ran.code).toBe(2);
      expectOneLine(ran, /0\.0\.0\.0.*--host 127\.0\.0\.1/);
    });
  });

  test('ls | head -1 ends quietly', async () => {
    await addManyForeign(redis.client, 5000);
    const shell = spawn(
      'bash',
      ['-c', `"$0" "$1" ls -o jsonl | head -1; echo "ended \${PIPESTATUS[0]}"`, process.execPath, BIN],
      {
        env: { ...process.env, WSSESS_REDIS_URL: redis.url },
      },
    );
    let [stdout, stderr] = ['', ''];
    shell.stdout.on('data', (text) => (stdout += text));
    shell.stderr.on('data', (text) => (stderr += text));
    await within(new Promise((resolve) => shell.once('close', resolve)), 20_000, 'ls | head');
    await clearFamilies(redis.client);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\{"session_id":"f\d+".*\}\nended 0\n$/);
  });

  test('Redis goes while a kick waits for its node: unknown or exit 5, never done', async () => {
    const own = await startRedis();
    const serve = await startServe(own.url, ['--node', 'n1']);
    const client = await connect7(serve.ws, { userId: 'kim' });
    serve.process.kill('SIGSTOP');
    const kicking = start(['kick', client.session, '-o', 'json'], { WSSESS_REDIS_URL: own.url });
    while ((await own.client.keys('ws:x:request:*')).length === 0);
    await own.kill();
    const { code, stdout, stderr } = await kicking.ended();
    serve.process.kill('SIGKILL');
    await own.stop();
    expect(code).toBe(5);
    const outcome = stdout === '' ? JSON.parse(stderr).error.code : JSON.parse(stdout).results[0].outcome;
    expect(['unknown', 'redis_unreachable']).toContain(outcome);
  });
});
