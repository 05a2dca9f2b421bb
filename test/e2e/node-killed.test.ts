/** A node that is killed: its sessions go from every answer, whoever sweeps; one process sweeps at a time. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectBare, dropClients, frame } from '../helpers/clients.ts';
import { nothingLeft, writeForeign } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

/** Milliseconds: five times what is promised. */
const PATIENCE = 5 * 15_000;
const MANY = 200;

describeWithRedis('a node that is killed', () => {
  let redis: TestRedis;
  let serves: Serve[] = [];

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    dropClients();
    await Promise.all(serves.map((serve) => serve.stop('SIGKILL')));
    serves = [];
    await redis?.stop();
  });

  const serve = async (node: string) => {
    const one = await startServe(redis.url, ['--node', node, '--max-user-sessions', '0']);
    serves.push(one);
    return one;
  };
  /** Connects so many clients of ten users. */
  const crowd = async (at: Serve, count = MANY) => {
    const before = await redis.client.scard('ws:sessions:all');
    for (let i = 0; i < count; i++) {
      const client = await connectBare(at.ws);
      client.send(frame('CONNECT', { 'accept-version': '1.2', userId: `cust${i % 10}`, userRole: 'CUSTOMER' }));
    }
    const all = async () => (await redis.client.scard('ws:sessions:all')) === before + count;
    await until(all, 20_000, 'the crowd');
  };
  const cli = async (...args: string[]) => {
    const { stdout, stderr } = await wssess(args, { env: { WSSESS_REDIS_URL: redis.url } });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  };
  const sweeper = async () => {
    const incarnation = await redis.client.get('ws:x:sweeper');
    for (const one of serves) {
      if ((await redis.client.get(`ws:x:node:${one.node}`))?.slice(0, 16) === incarnation) return one;
    }
    return undefined;
  };

  it('its sessions go from every answer, and what other nodes and programs have stays', {
    timeout: 120_000,
  }, async () => {
    const [a, b] = [await serve('node-a'), await serve('node-b')];
    writeForeign(redis, 'foreign1', 'cust01');
    const client = await talk(b.ws, 'cust1', { userRole: 'CUSTOMER' });
    await crowd(a);
    expect((await b.rest('/api/session/stats')).body.totalActiveSessions).toBe(MANY + 2);
    await a.stop('SIGKILL');
    const gone = async () => (await redis.client.scard('ws:sessions:all')) === 2;
    await until(gone, PATIENCE, 'the sessions of node-a to go');

    const ids = ['foreign1', client.session].sort();
    expect((await b.rest('/api/session/all')).body.sessions.sort()).toEqual(ids);
    expect((await b.rest('/api/session/stats')).body.totalActiveSessions).toBe(2);
    expect((await b.rest('/api/session/user/cust1')).body.sessions).toEqual([client.session]);
    expect((await b.rest('/api/session/user/cust2/online')).body.isOnline).toBe(false);
    expect((await cli('ls', '-o', 'json')).sessions.map((row: any) => row.session_id).sort()).toEqual(ids);
    expect(await cli('stats', '-o', 'json')).toMatchObject({ sessions: 2, users: 2, by_node: { 'node-b': 1 } });
    expect((await redis.client.keys('ws:user:*')).sort()).toEqual(['ws:user:cust01', 'ws:user:cust1']);
    expect((await redis.client.keys('ws:session:*')).sort()).toEqual(
      [`ws:session:${client.session}`, `ws:session:${client.session}:role`, 'ws:session:foreign1'].sort(),
    );
    await until(
      () => b.stderr().includes('node node-a is gone: removed its 200 sessions'),
      5000,
      'the line in the log',
    );
    expect(b.stderr().match(/is gone/g)).toHaveLength(1);
    expect(b.stderr()).not.toContain(client.session);
    await client.sure('SEND', { destination: '/topic/alive' });
    await until(async () => (await redis.client.zcard('ws:x:processes')) === 1, 5000, 'node-a to be forgotten');
  });

  it('and started again under its name removes what it left itself', { timeout: 120_000 }, async () => {
    const first = await serve('node-a');
    await crowd(first);
    await first.stop('SIGKILL');
    const second = await serve('node-a'); // when the lease of the first has ended
    await nothingLeft(redis, PATIENCE);
    const told = () => second.stderr().includes('node node-a is gone: removed its 200 sessions');
    await until(told, 5000, 'the line in the log');
    expect(await second.stop()).toBe(0);
    // Whose they were, should it come back after all: for an hour.
    const [lost, others] = [await redis.client.keys('ws:x:lost:*'), await redis.keys()];
    expect(others.filter((key) => !lost.includes(key))).toEqual(['ws:x:schema']);
    expect(lost).toHaveLength(MANY);
    for (const ttl of await Promise.all(lost.map((key) => redis.client.pttl(key)))) {
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(3_600_000);
    }
  });

  it('of three nodes one sweeps; when that one is killed another takes over, and sweeps it too', {
    timeout: 240_000,
  }, async () => {
    for (const name of ['node-a', 'node-b', 'node-c']) await serve(name);
    const clients: [Serve, string][] = [];
    for (const one of serves) clients.push([one, (await talk(one.ws, one.node)).session]);
    const first = (await until(sweeper, 5 * 5000, 'one of them to sweep'))!;
    expect((await redis.client.pttl('ws:x:sweeper')) > 0).toBe(true);
    await first.stop('SIGKILL');
    const second = await until(
      async () => {
        const one = await sweeper();
        return one === first ? undefined : one;
      },
      5 * 5000,
      'another to sweep',
    );
    const left = clients.filter(([one]) => one !== first).map(([, id]) => id);
    const all = async () => (await redis.client.smembers('ws:sessions:all')).sort().join() === left.sort().join();
    await until(all, PATIENCE, 'the sessions of who swept to go');
    const telling = () => serves.filter((one) => one.stderr().includes('is gone: removed its 1 session'));
    await until(() => telling().length > 0, 5000, 'the line in the log');
    expect(telling()).toEqual([second]);

    // One that ends well gives the right back.
    expect(await second!.stop()).toBe(0);
    const third = serves.find((one) => one !== first && one !== second)!;
    await until(async () => (await sweeper()) === third, 5 * 2000, 'the third to sweep');
  });

  it('a session whose keys another program deleted is written again, and stale ids go', {
    timeout: 120_000,
  }, async () => {
    const a = await serve('node-a');
    const client = await talk(a.ws, 'kim', { userRole: 'AGENT' });
    await redis.client.del(`ws:session:${client.session}`, 'ws:user:kim', 'ws:sessions:all');
    await redis.client.sadd('ws:sessions:all', 'stale1');
    const answer = { sessionId: client.session, userId: 'kim', userRole: 'AGENT' };
    const back = async () => (await a.rest(`/api/session/${client.session}`)).status === 200;
    await until(back, PATIENCE, 'the session to be back');
    expect((await a.rest(`/api/session/${client.session}`)).body).toEqual(answer);
    await until(
      async () => (await redis.client.sismember('ws:sessions:all', 'stale1')) === 0,
      PATIENCE,
      'the stale id',
    );
    expect((await a.rest('/api/session/all')).body).toEqual({ totalCount: 1, sessions: [client.session] });
    await until(
      () => /swept: removed 1 expired id; wrote 1 session again/.test(a.stderr()),
      5000,
      'the line in the log',
    );
    await client.sure('SEND', { destination: '/topic/alive' });
    dropClients();
    await nothingLeft(redis);
  });
});
