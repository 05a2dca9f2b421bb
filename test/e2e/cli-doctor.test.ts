/** `wssess doctor`: as its user runs it, on servers that live, are stopped and are killed. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

describeWithRedis('doctor', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'node-a']);
  });
  afterEach(async () => {
    dropClients();
    await until(async () => (await redis.client.zcard('ws:x:newest')) === 0, 10_000, 'the sessions to go');
    const families = [...(await redis.client.keys('ws:session*')), ...(await redis.client.keys('ws:user:*'))];
    if (families.length > 0) await redis.client.del(...families);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const cli = (...args: string[]) => wssess(['doctor', ...args], { env: { WSSESS_REDIS_URL: redis.url } });
  /** What no sweep of a server mends. */
  const damage = async (count = 2) => {
    for (let i = 0; i < count; i++) await redis.client.set(`ws:session:f${i}`, 'lee', 'EX', 3600);
  };

  it('finds nothing wrong: exit 0, in every format', async () => {
    const client = await talk(serve.ws, 'kim', { userRole: 'AGENT' });
    const { code, stdout, stderr } = await cli();
    expect([code, stdout]).toEqual([0, 'FAULT\tSESSION\tUSER\tNODE\tFIXED\tKEY\n']);
    expect(stderr).toBe('1 session, 1 user looked at: nothing is wrong\n');
    const json = await cli('-o', 'json');
    expect([json.code, json.stderr]).toEqual([0, '']);
    expect(JSON.parse(json.stdout)).toEqual({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      complete: true,
      nodes_missing: [],
      checked: { sessions: 1, users: 1, keys: expect.any(Number), endless: 0 },
      faults: [],
      counts: {
        ghost: 0,
        expired_id: 0,
        unlisted: 0,
        missing_index: 0,
        orphan_index: 0,
        no_ttl: 0,
        bad_id: 0,
      },
    });
    await client.sure('SEND', { destination: '/topic/alive' });
  });

  it('lists what it finds, exit 1; --fix mends it, exit 0; then nothing is wrong', async () => {
    await damage();
    const found = await cli();
    expect(found.code).toBe(1);
    expect(found.stdout.split('\n').slice(1, -1).sort()).toEqual([
      'unlisted\tf0\tlee\t-\tno\tws:sessions:all',
      'unlisted\tf1\tlee\t-\tno\tws:sessions:all',
    ]);
    expect(found.stderr).toContain('2 faults\nmend with: wssess doctor --fix\n');
    expect(await redis.client.exists('ws:sessions:all')).toBe(0);
    const lines = await cli('-o', 'jsonl', '--limit', '1');
    expect([lines.code, lines.stdout.trim().split('\n').length]).toEqual([1, 1]);
    expect(JSON.parse(lines.stdout)).toMatchObject({ fault: 'unlisted', user: 'lee', node: null, fixed: false });

    const mended = await cli('--fix', '-o', 'json');
    expect([mended.code, mended.stderr]).toEqual([0, '']);
    expect(JSON.parse(mended.stdout)).toMatchObject({
      faults: [{ fixed: true }, { fixed: true }],
      counts: { unlisted: 2 },
    });
    expect((await cli()).code).toBe(0);
    expect((await serve.rest('/api/session/user/lee')).body.sessions.sort()).toEqual(['f0', 'f1']);
  });

  it('more than ten are mended with a yes alone', async () => {
    await damage(11);
    const { code, stdout, stderr } = await cli('--fix');
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      'error: 11 faults would be mended. Look without --fix, then repeat with --yes.\n',
    ]);
    expect(await redis.client.exists('ws:sessions:all')).toBe(0);
    expect((await cli('--fix', '--yes')).code).toBe(0);
    expect(await redis.client.scard('ws:sessions:all')).toBe(11);
  });

  it('what it cannot mend stays, with what to do by hand: exit 1', async () => {
    await redis.client.rpush('ws:session:odd', 'a list');
    const { code, stdout, stderr } = await cli('--fix', '--yes');
    expect([code, stdout]).toEqual([1, expect.stringContaining('bad_id\todd\t-\t-\tno\tws:session:odd\n')]);
    expect(stderr).toContain('1 fault is for you: look with redis-cli TYPE KEY');
    expect(await redis.client.lrange('ws:session:odd', 0, -1)).toEqual(['a list']);
  });

  it('what stands in the way of all else is named, and nothing is touched: exit 1', async () => {
    await damage();
    await redis.client.hset('ws:x:newest', 'a', 'hash');
    const { code, stdout, stderr } = await cli('--fix', '--yes');
    expect([code, stdout.split('\n').slice(1)]).toEqual([1, ['bad_id\t-\t-\t-\tno\tws:x:newest', '']]);
    expect(stderr.split('\n')).toEqual([
      '0 sessions, 0 users looked at: 1 fault',
      '1 fault is for you: look with redis-cli TYPE KEY, then RENAME or DEL it',
      'nothing else was looked at: all else depends on these keys; run it again then',
      '',
    ]);
    await redis.client.del('ws:x:newest');
    expect((await cli('--fix', '--yes')).code).toBe(0);
  });

  it('an id in a set that only a person can name is told apart from a key: the set stays', async () => {
    await redis.client.sadd('ws:sessions:all', Buffer.from([0xff, 0x41]));
    const { code, stdout, stderr } = await cli('--fix', '--yes');
    expect([code, stdout]).toEqual([1, expect.stringContaining('no\tws:sessions:all\n')]);
    expect(stderr).toContain('1 fault is for you: take the id out of KEY with redis-cli SREM or ZREM, and leave KEY\n');
    expect(stderr).not.toContain('DEL it');
  });

  it('what a node does not mend is said, not passed over: exit 1', async () => {
    const client = await talk(serve.ws, 'kim', { userRole: 'AGENT' });
    await redis.client.zrem('ws:x:newest', client.session);
    // In the way of all that its node writes for it.
    await redis.client.del('ws:user:kim');
    await redis.client.rpush('ws:user:kim', 'a list');
    const { code, stdout, stderr } = await cli('--fix', '--yes');
    await redis.client.del('ws:user:kim');
    expect([code, stdout]).toEqual([1, expect.stringContaining(`missing_index\t${client.session}\tkim\tnode-a\tno\t`)]);
    expect(stderr).toContain('1 fault could not be mended: the node did not take it');
    expect(stderr).toContain('1 fault is for you: look with redis-cli TYPE KEY');
    expect((await cli('--fix', '--yes')).code).toBe(0);
  });

  it('a socket of which Redis has lost everything is written again by its node; a ghost goes', async () => {
    const [lost, stays] = [await talk(serve.ws, 'kim', { userRole: 'AGENT' }), await talk(serve.ws, 'han')];
    const own = (await redis.keys()).find((key) => key.startsWith('ws:x:own:'))!;
    const details = JSON.parse((await redis.client.get(`ws:x:details:${stays.session}`))!);
    await redis.client.del(`ws:session:${lost.session}`, `ws:session:${lost.session}:role`, 'ws:user:kim');
    await redis.client.del(`ws:x:details:${lost.session}`);
    for (const key of [own, 'ws:x:newest', 'ws:x:users']) await redis.client.zrem(key, lost.session, 'kim');
    await redis.client.srem('ws:sessions:all', lost.session);
    // As its node would have written it, but for the socket.
    const ghost = 'ghost00000000000';
    await redis.client.set(`ws:session:${ghost}`, 'han', 'EX', 3600);
    await redis.client.set(`ws:x:details:${ghost}`, JSON.stringify(details), 'EX', 7200);
    await redis.client.sadd('ws:user:han', ghost);
    await redis.client.sadd('ws:sessions:all', ghost);
    await redis.client.zadd(own, Date.now() + 3_600_000, ghost);
    await redis.client.zadd('ws:x:newest', details[6], ghost);

    const { code, stdout } = await cli('--fix', '--yes', '-o', 'json');
    const { faults } = JSON.parse(stdout);
    expect([code, faults.map((one: any) => [one.fault, one.session_id, one.node, one.fixed]).sort()]).toEqual([
      0,
      [
        ['ghost', ghost, 'node-a', true],
        ['unlisted', lost.session, 'node-a', true],
      ],
    ]);
    expect((await serve.rest(`/api/session/${lost.session}`)).body).toEqual({
      sessionId: lost.session,
      userId: 'kim',
      userRole: 'AGENT',
    });
    expect((await serve.rest('/api/session/all')).body.sessions.sort()).toEqual([lost.session, stays.session].sort());
    expect(JSON.parse((await cli('-o', 'json')).stdout)).toMatchObject({ faults: [], complete: true });
    for (const client of [lost, stays]) await client.sure('SEND', { destination: '/topic/alive' });
  });

  it('details that a hand made unreadable are written again by the node that has the socket', async () => {
    const client = await talk(serve.ws, 'kim', { userRole: 'AGENT' });
    const key = `ws:x:details:${client.session}`;
    const details = await redis.client.get(key);
    const damages: (() => Promise<unknown>)[] = [
      () => redis.client.set(key, 'garbage'),
      () => redis.client.set(key, Buffer.from([0xff, 0x41])),
      async () => {
        await redis.client.del(key);
        await redis.client.rpush(key, 'a', 'list');
      },
    ];
    for (const damage of damages) {
      await damage();
      expect((await cli('--fix', '--yes')).code).toBe(0); // or the sweep of the server was first
      expect(await redis.client.get(key)).toBe(details);
      expect(await redis.client.pttl(key)).toBeGreaterThan(0);
      expect((await cli()).code).toBe(0);
    }
    await client.sure('SEND', { destination: '/topic/alive' });
  }, 60_000);

  it('a node that does not answer is named, and no clean bill is given: exit 3', async () => {
    const mute = await startServe(redis.url, ['--node', 'mute']);
    await talk(mute.ws, 'kim');
    try {
      mute.process.kill('SIGSTOP');
      await redis.client.persist('ws:x:node:mute');
      const { code, stdout } = await cli('-o', 'json');
      expect([code, JSON.parse(stdout)]).toMatchObject([3, { complete: false, nodes_missing: ['mute'], faults: [] }]);
      const told = await cli();
      expect([told.code, told.stderr]).toEqual([3, expect.stringContaining('warning: mute did not answer')]);
      expect(told.stderr).toContain('nothing wrong was found');
    } finally {
      mute.process.kill('SIGCONT');
      await mute.stop();
    }
  });

  it('a user who may only read is told what it can; --fix is denied', async () => {
    const rule = 'resetkeys ~ws:* resetchannels -@all +@read -@dangerous +time +evalsha_ro +script|load';
    await redis.client.call('ACL', 'SETUSER', 'viewer', 'on', '>secret', ...rule.split(' '));
    const env = { WSSESS_REDIS_URL: redis.url.replace('//', '//viewer:secret@') };
    await damage();
    const seen = await wssess(['doctor', '-o', 'json'], { env });
    expect([seen.code, JSON.parse(seen.stdout)]).toMatchObject([1, { complete: false, nodes_missing: ['node-a'] }]);
    expect(JSON.parse(seen.stdout).counts.unlisted).toBe(2);
    const denied = await wssess(['doctor', '--fix'], { env });
    expect([denied.code, denied.stdout]).toEqual([4, '']);
    expect(denied.stderr.split('\n').filter((line) => line.startsWith('error: '))).toHaveLength(1);
    const drain = await wssess(['drain', 'node-a', '--yes'], { env });
    expect(drain.code).toBe(4);
    expect((await serve.rest('/readyz')).status).toBe(200);
  });

  it('without a Redis: exit 5', async () => {
    const { code, stderr } = await wssess(['doctor'], { env: { WSSESS_REDIS_URL: 'redis://127.0.0.1:1' } });
    expect([code, stderr]).toEqual([5, expect.stringMatching(/^error: .*\n$/)]);
  });
});
