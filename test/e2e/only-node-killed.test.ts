/** The only node is killed, and nobody is left to sweep: the CLI's answers have none of its sessions all the same. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { start } from '../helpers/background.ts';
import { dropClients } from '../helpers/clients.ts';
import { writeForeign } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

/** Milliseconds: five times what is promised. */
const PATIENCE = 5 * 15_000;
const MANY = 30;

describeWithRedis('the only node', () => {
  let redis: TestRedis;
  let serve: Serve;
  let ids: string[];

  beforeEach(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'chat-1']);
    ids = [];
    for (let i = 0; i < MANY; i++) {
      ids.push((await talk(serve.ws, `cust${i % 10}`, { userRole: 'CUSTOMER' })).session);
    }
  });
  afterEach(async () => {
    redis?.resume();
    dropClients();
    await serve?.stop('SIGKILL');
    await redis?.stop();
  });

  const cli = (line: string) => wssess(line.split(' '), { env: { WSSESS_REDIS_URL: redis.url } });
  const json = async (line: string) => JSON.parse((await cli(`${line} -o json`)).stdout);
  const leftOut = (count: string) =>
    `warning: ${count} left out: ${count.startsWith('1 ') ? 'its' : 'their'} server is dead (chat-1). Remove what it left: wssess doctor --fix\n`;

  /** Every answer, of a moment in which all of its sessions are online. */
  const expectAll = async () => {
    const [who, quiet, list, names, users, stats, shown] = await Promise.all([
      cli('who cust1'),
      cli('who -q cust0 cust9'),
      json('ls'),
      cli('ls -o name'),
      json('ls --by user'),
      cli('stats -o json'),
      cli(`show ${ids[0]}`),
    ]);
    expect([who.code, quiet.code, names.code, stats.code, shown.code]).toEqual([0, 0, 0, 0, 0]);
    expect(who.stderr).toBe('cust1 is online: 3 sessions on 1 node\n');
    expect(list).toMatchObject({ complete: true, exact: true, total: MANY, nodes_missing: [] });
    expect(names.stdout.split('\n').filter(Boolean).sort()).toEqual([...ids].sort());
    expect(users.users).toHaveLength(10);
    expect(JSON.parse(stats.stdout)).toMatchObject({ sessions: MANY, users: 10, by_node: { 'chat-1': MANY } });
    expect([names.stderr, stats.stderr, shown.stderr]).toEqual(['', '', '']);
  };

  it('is killed: who says offline, nothing is listed or counted, and doctor removes what it left', {
    timeout: 2 * PATIENCE,
  }, async () => {
    writeForeign(redis, 'foreign1', 'cust1');
    await serve.stop('SIGKILL');
    await until(async () => (await cli('who -q cust2')).code === 1, PATIENCE, 'who to say offline');

    const keys = (await redis.keys()).length;
    const who = await cli('who cust1 cust2');
    expect(who.code).toBe(1);
    expect(who.stderr).toBe(`cust1 is online: 1 session, foreign\ncust2 is offline\n${leftOut('6 sessions')}`);
    expect(who.stdout.trimEnd().split('\n').slice(1)).toEqual([expect.stringMatching(/^foreign1\t/)]);
    expect((await cli('who --any -q cust1 cust2')).code).toBe(0);
    expect(await json('who cust2')).toEqual({ user: 'cust2', online: false, session_count: 0, sessions: [] });

    const [table, names, lines, limited] = [
      await cli('ls'),
      await cli('ls -o name'),
      await cli('ls -o jsonl'),
      await cli('ls -o name --limit 1 --sort user'),
    ];
    expect([table.code, names.code, lines.code]).toEqual([0, 0, 3]);
    expect(table.stdout.trimEnd().split('\n').slice(1)).toEqual([expect.stringMatching(/^foreign1\t/)]);
    expect(table.stderr).toBe(leftOut(`${MANY} sessions`));
    expect([names.stdout, limited.stdout]).toEqual(['foreign1\n', 'foreign1\n']);
    expect(lines.stdout.split('\n').filter(Boolean)).toHaveLength(1);
    const listed = await json('ls');
    expect(Object.keys(listed)).toEqual(['complete', 'exact', 'total', 'skipped', 'nodes_missing', 'sessions']);
    expect(listed).toMatchObject({ complete: false, exact: true, total: 1, nodes_missing: ['chat-1'] });
    expect(listed.sessions.map((row: any) => row.session_id)).toEqual(['foreign1']);
    expect(await json('ls --by user')).toEqual({ users: [{ user: 'cust1', session_count: 1 }] });
    const stats = await cli('stats -o json');
    expect(stats.code).toBe(0);
    expect(JSON.parse(stats.stdout)).toMatchObject({ sessions: 1, users: 1, nodes: 0, by_node: {}, by_role: {} });
    expect((await cli('stats')).stderr).toBe(`sessions 1  users 1  nodes 0\n${leftOut(`${MANY} sessions`)}`);

    const named = await cli(`ls ${ids[0]} foreign1 -o name`);
    expect([named.code, named.stdout]).toEqual([1, 'foreign1\n']);
    expect(named.stderr).toBe(`not found: ${ids[0]}\n${leftOut('1 session')}`);
    const shown = await cli(`show ${ids[0]}`);
    expect([shown.code, shown.stderr]).toEqual([1, leftOut('1 session')]);
    expect(shown.stdout).toMatch(/^Node: +chat-1 \(dead\)$/m);
    expect(await json(`show ${ids[0]}`)).toMatchObject({ session_id: ids[0], node: 'chat-1', cause: 'node_lost' });
    expect((await redis.keys()).length, 'answers change nothing').toBe(keys);

    const kicked = await json(`kick ${ids[0]}`);
    expect(kicked.results).toMatchObject([{ outcome: 'node_unreachable' }]);
    expect((await json('doctor')).counts.ghost).toBe(MANY);
    expect((await cli('doctor --fix --yes')).code).toBe(0);
    expect(await cli('ls -o name')).toEqual({ code: 0, stdout: 'foreign1\n', stderr: '' });
  });

  it('is killed while others watch: their next frames have none of its sessions', {
    timeout: 2 * PATIENCE,
  }, async () => {
    const env = { WSSESS_REDIS_URL: redis.url };
    const watching = [
      'ls --watch -o json',
      'ls --watch --by user -o json',
      'stats --watch -o json',
      'stats --watch',
    ].map((line) => start(`${line} --interval 200ms`.split(' '), env));
    const last = () => watching.map((one) => one.stdout().trimEnd().split('\n').at(-1) ?? '');
    const says = (list: number, users: number, line: RegExp) => () => {
      const [ls, by, stats, told] = last();
      if (![ls, by, stats].every((text) => text?.startsWith('{') && text.endsWith('}'))) return false;
      return (
        JSON.parse(ls!).total === list &&
        JSON.parse(by!).users.length === users &&
        JSON.parse(stats!).sessions === list &&
        JSON.parse(stats!).users === users &&
        line.test(told!)
      );
    };
    try {
      await until(says(MANY, 10, /sessions 30 .*users 10 .*nodes 1 /), 20_000, 'all of them');
      await serve.stop('SIGKILL');
      await until(says(0, 0, /sessions 0 .*users 0 .*nodes 0 /), PATIENCE, 'none of them');
      // Never less than all, and then none: no frame has only some.
      const counts = watching[3]!.stdout().match(/sessions \d+/g);
      expect([...new Set(counts)]).toEqual(['sessions 30', 'sessions 0']);
    } finally {
      for (const one of watching) one.process.kill('SIGINT');
      await Promise.all(watching.map((one) => one.ended()));
    }
  });

  it('lives, and its lease is deleted: nobody is ever said to be offline', { timeout: 120_000 }, async () => {
    const watching = start(['stats', '--watch', '--interval', '100ms'], { WSSESS_REDIS_URL: redis.url });
    try {
      await watching.lines(2);
      for (let i = 0; i < 5; i++) {
        expect(redis.cli('DEL', 'ws:x:node:chat-1')).toBe('1');
        await expectAll();
        await until(() => redis.client.exists('ws:x:node:chat-1'), 10_000, 'the lease to be back');
      }
    } finally {
      watching.process.kill('SIGINT');
      await watching.ended();
    }
    const counts = new Set(watching.stdout().match(/sessions \d+/g));
    expect([...counts]).toEqual([`sessions ${MANY}`]);
  });

  it('lives, and Redis takes no writes for longer than a lease lasts: nobody is said to be offline', {
    timeout: 120_000,
  }, async () => {
    await redis.client.config('SET', 'min-replicas-to-write', '1');
    await until(async () => (await redis.client.exists('ws:x:node:chat-1')) === 0, 5 * 8000, 'the lease to end');
    const [quiet, names, users, stats, shown] = await Promise.all([
      cli('who -q cust0 cust9'),
      cli('ls -o name'),
      json('ls --by user'),
      json('stats'),
      json(`show ${ids[0]}`),
    ]);
    expect(quiet.code).toBe(0);
    expect(names.stdout.split('\n').filter(Boolean)).toHaveLength(MANY);
    expect([users.users.length, stats.sessions, shown.cause]).toEqual([10, MANY, null]);
    await redis.client.config('SET', 'min-replicas-to-write', '0');
    await expectAll();
  });

  it('lives, and Redis was away until the lease had ended: nobody is said to be offline', {
    timeout: 120_000,
  }, async () => {
    const lease = (await redis.client.get('ws:x:node:chat-1'))!;
    redis.pause();
    await until(async () => (await serve.rest('/readyz')).status === 503, 5 * 8000, 'the node to notice');
    redis.resume();
    redis.cli('DEL', 'ws:x:node:chat-1'); // it may be renewed already by what lay in a socket
    await expectAll();
    await until(async () => (await redis.client.get('ws:x:node:chat-1'))?.slice(0, 16) === lease.slice(0, 16));
  });
});
