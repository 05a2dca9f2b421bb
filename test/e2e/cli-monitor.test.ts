/** No command and no route makes Redis do work in proportion to the number of sessions: as MONITOR sees it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killBackground, start } from '../helpers/background.ts';
import { connect7, dropClients } from '../helpers/clients.ts';
import { openFloor } from '../helpers/floor.ts';
import { addForeign, addManyForeign } from '../helpers/foreign.ts';
import { type Command, commandsOf, unbounded } from '../helpers/monitor.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';

/** More than one page, and more than the sets that Redis keeps compact. */
const FOREIGN = 700;

test('the check finds what it is for', () => {
  const bad: Command[] = [
    ['KEYS', '*'],
    ['SMEMBERS', 'ws:sessions:all'],
    ['HGETALL', 'h'],
    ['SSCAN', 'ws:sessions:all', '0'],
    ['SSCAN', 'ws:sessions:all', '0', 'COUNT', '5000'],
    ['ZRANGE', 'ws:x:newest', '0', '-1'],
    ['ZRANGE', 'ws:x:newest', '-inf', '+inf', 'BYSCORE'],
    ['ZRANGE', 'ws:x:newest', '-inf', '+inf', 'BYSCORE', 'LIMIT', '0', '5000'],
    ['ZRANGE', 'ws:x:newest', '-inf', '+inf', 'BYSCORE', 'LIMIT', '90000', '10'],
    ['LRANGE', 'l', '0', '-1'],
    ['MGET', ...Array.from({ length: 1001 }, (_, i) => `k${i}`)],
  ];
  expect(unbounded(bad)).toEqual(bad);
  expect(
    unbounded([
      ['SSCAN', 'ws:sessions:all', '0', 'COUNT', '100'],
      ['ZRANGE', 'z', '0', '99', 'REV'],
      ['GET', 'k'],
    ]),
  ).toEqual([]);
});

describeWithRedis('MONITOR', () => {
  let redis: TestRedis;
  let serve: Serve;
  let ids: string[];

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'chat-1']);
    await addManyForeign(redis.client, FOREIGN);
    for (let i = 0; i < 150; i++) await addForeign(redis.client, `many-${i}`, 'busy');
    ids = [];
    for (let i = 0; i < 6; i++) ids.push((await connect7(serve.ws, { userId: 'kim', userRole: 'AGENT' })).session);
  });
  afterAll(async () => {
    killBackground();
    dropClients();
    await serve?.stop();
    await redis?.stop();
  });

  /** Commands that each line must be seen to send, so that the recording is known to work. */
  const LINES: [line: string, sends: string][] = [
    ['ls', 'SSCAN'],
    ['ls -o json', 'SSCAN'],
    ['ls -o jsonl', 'SSCAN'],
    ['ls -o name', 'SSCAN'],
    ['ls -o wide --sort idle --reverse', 'PUBLISH'],
    ['ls --limit 3', 'ZRANGE'],
    ['ls --by user', 'MGET'],
    ['ls --user busy --except many-1', 'SSCAN'],
    ['ls --node chat-1 --role AGENT', 'SSCAN'],
    ['who kim busy nobody', 'SSCAN'],
    ['who -q busy', 'SSCAN'],
    ['show 0', 'PUBLISH'],
    ['show f1', 'EVALSHA_RO'],
    ['stats', 'SSCAN'],
    ['nodes', 'ZRANGE'],
    ['refresh 0 f2', 'PEXPIRE'],
    ['refresh --user busy', 'SSCAN'],
    ['kick --user busy --dry-run', 'SSCAN'],
    ['kick 0 --reason why', 'PUBLISH'],
    ['kick f3', 'EVALSHA_RO'],
    ['kick f4 --purge', 'SREM'],
    ['kick --user busy --yes --purge', 'SREM'],
  ];

  test('the recording is whole, whatever others do when it begins', async () => {
    const busy = Array.from({ length: 4 }, () => redis.client.duplicate());
    let isOver = false;
    const noise = busy.map(async (client) => {
      while (!isOver) await Promise.all(Array.from({ length: 50 }, () => client.ping()));
    });
    try {
      for (let i = 0; i < 30; i++) {
        const commands = await commandsOf(redis.url, () => redis.client.get(`"${i}" \\ "`));
        // The node's sweeper reads keys of its own when its time comes.
        const asked = commands.filter(([name, key]) => name === 'GET' && !key?.startsWith('ws:'));
        expect(asked).toEqual([['GET', `"${i}" \\ "`]]);
      }
    } finally {
      isOver = true;
      await Promise.all(noise);
      for (const client of busy) client.disconnect();
    }
  });

  test.each(LINES)('wssess %s', async (line, sends) => {
    // A number stands for an own session; each kick takes its own.
    const own = line.startsWith('kick 0') ? ids.pop()! : ids[0]!;
    const args = line.split(' ').map((word) => (word === '0' ? own : word));
    let stderr = '';
    const commands = await commandsOf(redis.url, async () => {
      ({ stderr } = await wssess(args, { env: { WSSESS_REDIS_URL: redis.url } }));
    });
    expect(stderr).not.toMatch(/^error/);
    expect(commands.map(([name]) => name)).toContain(sends);
    expect(unbounded(commands)).toEqual([]);
  });

  test.each([
    ['ls --watch -o jsonl', 'SSCAN'],
    ['stats --watch -o jsonl', 'SSCAN'],
    ['stats --watch', 'ZCOUNT'],
  ])('wssess %s', async (line, sends) => {
    const commands = await commandsOf(redis.url, async () => {
      const watching = start([...line.split(' '), '--interval', '50ms'], {
        WSSESS_REDIS_URL: redis.url,
      });
      await watching.lines(3);
      watching.process.kill('SIGINT');
      await watching.ended();
    });
    expect(commands.map(([name]) => name)).toContain(sends);
    expect(unbounded(commands)).toEqual([]);
  });

  test('a frame of the overview: one script that only reads, one look, and what it costs is bounded', async () => {
    const floor = await openFloor(redis);
    const window = { top: 0, rows: 50, oldestFirst: false, keep: { id: ids[0]!, score: Date.now(), row: 3 } };
    try {
      await floor.overview.frame();
      const trips = async (act: () => Promise<unknown>) => {
        const writes = (all: Command[]) =>
          all.filter(([name]) => /^(SET|[SZ]ADD|[SZ]REM|DEL|P?EXPIRE|PUBLISH|EVALSHA)$/.test(name!));
        let commands = await commandsOf(redis.url, act);
        // The node renews its lease now and then, which is seen here: then once more.
        for (let tries = 0; tries < 5 && writes(commands).length > 0; tries++)
          commands = await commandsOf(redis.url, act);
        expect(unbounded(commands)).toEqual([]);
        expect(writes(commands)).toEqual([]);
        return commands
          .map(([name]) => name)
          .filter((name) => ['EVALSHA_RO', 'SMISMEMBER', 'SSCAN', 'MGET'].includes(name!));
      };
      expect(await trips(() => floor.overview.frame({ sessions: window, look: ['f1', ids[0]!] }))).toEqual([
        'EVALSHA_RO',
        'EVALSHA_RO',
        'SMISMEMBER',
      ]);
      expect(await trips(() => floor.overview.frame())).toEqual(['EVALSHA_RO']);
      expect(await trips(() => floor.overview.frame({ users: window }))).toEqual(['EVALSHA_RO', 'SSCAN', 'MGET']);
    } finally {
      floor.store.close();
    }
  });

  describe('REST', () => {
    const ROUTES: [method: string, path: string, status: number, sends: string | undefined][] = [
      ['GET', '/api/session/all', 200, 'SSCAN'],
      ['GET', '/api/session/stats', 200, 'SSCAN'],
      ['GET', '/api/session/{own}', 200, 'EVALSHA_RO'],
      ['GET', '/api/session/f5', 200, 'EVALSHA_RO'],
      ['GET', '/api/session/nobody', 404, 'EVALSHA_RO'],
      ['GET', '/api/session/user/kim', 200, 'SSCAN'],
      ['GET', '/api/session/user/kim/online', 200, 'SSCAN'],
      ['POST', '/api/session/{own}/refresh', 200, 'PEXPIRE'],
      ['POST', '/api/session/f5/refresh', 200, 'PEXPIRE'],
      ['DELETE', '/api/session/{own}', 200, 'PUBLISH'],
      ['DELETE', '/api/session/f6', 409, 'EVALSHA_RO'],
      ['DELETE', '/api/session/f6?purge=true', 200, 'SREM'],
      ['GET', '/healthz', 200, undefined],
      ['GET', '/readyz', 200, undefined],
    ];

    test.each(ROUTES)('%s %s', async (method, path, status, sends) => {
      const own = method === 'DELETE' ? ids.pop()! : ids[0]!;
      let answered = 0;
      const commands = await commandsOf(redis.url, async () => {
        answered = (await serve.rest(path.replace('{own}', own), method)).status;
      });
      expect(answered).toBe(status);
      if (sends) expect(commands.map(([name]) => name)).toContain(sends);
      expect(unbounded(commands)).toEqual([]);
    });
  });

  test('a client that comes, subscribes, is refreshed by its bytes and leaves', async () => {
    const commands = await commandsOf(redis.url, async () => {
      const client = await connect7(serve.ws, { userId: 'busy', userRole: 'AGENT' });
      client.client.subscribe('/topic/a', () => {});
      await client.disconnect();
      // What the server does at DISCONNECT comes before what it does for the next client.
      await (await connect7(serve.ws, { userId: 'busy' })).disconnect();
    });
    expect(commands.map(([name]) => name)).toEqual(expect.arrayContaining(['EVALSHA', 'SADD', 'ZADD']));
    expect(unbounded(commands)).toEqual([]);
  });

  test('a node that starts and stops', async () => {
    const commands = await commandsOf(redis.url, async () => {
      const other = await startServe(redis.url, ['--node', 'other']);
      await connect7(other.ws, { userId: 'kim' });
      await other.stop();
    });
    expect(commands.map(([name]) => name)).toEqual(expect.arrayContaining(['ZREM', 'SREM']));
    expect(unbounded(commands)).toEqual([]);
  });
});
