/** The seed's four scenarios, through the clients of then and now; read back by REST, redis-cli and the CLI. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connect2, connect7, dropClients } from '../helpers/clients.ts';
import { nothingLeft, removeForeign, writeForeign } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { sleep, until, within } from '../helpers/wait.ts';

const TTL = 2000;

describeWithRedis('the scenarios of the seed', () => {
  let redis: TestRedis;
  let serve: Serve;
  /** With --ttl 2s. */
  let short: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    [serve, short] = await Promise.all([
      startServe(redis.url, ['--node', 'scene-a']),
      startServe(redis.url, ['--node', 'scene-b', '--ttl', '2s']),
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([serve?.stop(), short?.stop()]);
    await redis?.stop();
  });

  const cli = async (...args: string[]) => {
    const { code, stdout, stderr } = await wssess([...args, '-o', 'json'], { env: { WSSESS_REDIS_URL: redis.url } });
    if (stdout === '') throw new Error(`${args.join(' ')}: exit ${code}, and nothing but ${JSON.stringify(stderr)}`);
    return { code, stderr, json: JSON.parse(stdout) };
  };
  const lines = (text: string) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  const idsOf = (rows: { session_id: string }[]) => rows.map((row) => row.session_id).sort();

  /** Everyone says the same of a user. */
  const expectSessions = async (user: string, sessions: string[], role: string | null = null) => {
    const ids = [...sessions].sort();
    const online = ids.length > 0;
    const path = `/api/session/user/${encodeURIComponent(user)}`;
    const { body } = await serve.rest(path);
    expect({ ...body, sessions: body.sessions.sort() }).toEqual({
      userId: user,
      isOnline: online,
      sessionCount: ids.length,
      sessions: ids,
    });
    expect((await serve.rest(`${path}/online`)).body).toEqual({
      userId: user,
      isOnline: online,
      sessionCount: ids.length,
    });
    for (const id of ids) {
      expect((await serve.rest(`/api/session/${id}`)).body).toEqual({ sessionId: id, userId: user, userRole: role });
      expect(redis.cli('GET', `ws:session:${id}`)).toBe(user);
      expect(redis.cli('GET', `ws:session:${id}:role`)).toBe(role ?? '');
    }
    const who = await cli('who', user);
    expect(who.code).toBe(online ? 0 : 1);
    expect(who.json).toMatchObject({ user, online, session_count: ids.length });
    expect(idsOf(who.json.sessions)).toEqual(ids);
  };

  /** Everyone says the same of them all. */
  const expectAll = async (sessions: string[]) => {
    const ids = [...sessions].sort();
    const { body } = await serve.rest('/api/session/all');
    expect({ totalCount: body.totalCount, sessions: body.sessions.sort() }).toEqual({
      totalCount: ids.length,
      sessions: ids,
    });
    expect((await serve.rest('/api/session/stats')).body.totalActiveSessions).toBe(ids.length);
    const ls = await cli('ls');
    expect(ls.json).toMatchObject({ complete: true, exact: true, total: ids.length, skipped: 0, nodes_missing: [] });
    expect(idsOf(ls.json.sessions)).toEqual(ids);
    expect((await cli('stats')).json).toMatchObject({ exact: true, sessions: ids.length });
  };

  const clients = [
    ['stompjs 7', connect7],
    ['stompjs 2.3.3', connect2],
  ] as const;

  it.each(clients)('1: one user on one device (%s)', async (_, connect) => {
    const one = await connect(serve.ws, { userId: 'cust01', userRole: 'CUSTOMER' });
    await expectSessions('cust01', [one.session], 'CUSTOMER');
    await expectAll([one.session]);
    expect(lines(redis.cli('SMEMBERS', 'ws:user:cust01'))).toEqual([one.session]);
    expect(lines(redis.cli('SMEMBERS', 'ws:sessions:all'))).toEqual([one.session]);
    // The seed's own recipe: two keys a session.
    expect(lines(redis.cli('KEYS', 'ws:session:*'))).toEqual([
      `ws:session:${one.session}`,
      `ws:session:${one.session}:role`,
    ]);
    for (const key of [`ws:session:${one.session}`, `ws:session:${one.session}:role`, 'ws:user:cust01']) {
      expect(Number(redis.cli('TTL', key))).toBeGreaterThan(86_300);
    }
    await one.disconnect();
    await nothingLeft(redis);
    await expectSessions('cust01', []);
    await expectAll([]);
  });

  it.each([
    ['stompjs 7 and 2.3.3', connect7, connect2],
    ['stompjs 2.3.3 and 7', connect2, connect7],
  ] as const)(
    '2: one user on two devices; one leaves, still online; the other leaves, offline (%s)',
    async (_, first, second) => {
      const web = await first(serve.ws, { userId: 'cust01', userRole: 'CUSTOMER' });
      const phone = await second(serve.ws, { userId: 'cust01', userRole: 'CUSTOMER' });
      expect(web.session).not.toBe(phone.session);
      await expectSessions('cust01', [web.session, phone.session], 'CUSTOMER');
      await web.disconnect();
      await until(() => redis.cli('SCARD', 'ws:user:cust01') === '1');
      await expectSessions('cust01', [phone.session], 'CUSTOMER');
      await expectAll([phone.session]);
      phone.destroy();
      await nothingLeft(redis);
      expect(redis.cli('EXISTS', 'ws:user:cust01')).toBe('0');
      await expectSessions('cust01', []);
    },
  );

  it('3: three customers and two agents: list and stats agree', async () => {
    const customers = await Promise.all(
      ['cust01', 'cust02', '고객03'].map((userId) => connect7(serve.ws, { userId, userRole: 'CUSTOMER' })),
    );
    const agents = await Promise.all(
      ['agent01', 'agent02'].map((userId) => connect2(serve.ws, { userId, userRole: 'AGENT' })),
    );
    await expectAll([...customers, ...agents].map(({ session }) => session));
    await expectSessions('고객03', [customers[2]!.session], 'CUSTOMER');
    await expectSessions('agent01', [agents[0]!.session], 'AGENT');
    expect(redis.cli('SCARD', 'ws:sessions:all')).toBe('5');
    const { json } = await cli('stats');
    expect(json).toMatchObject({ sessions: 5, users: 5 });
    expect(idsOf((await cli('ls', '--role', 'AGENT')).json.sessions)).toEqual(
      idsOf(agents.map(({ session }) => ({ session_id: session }))),
    );
  });

  it.each(clients)(
    '4: the TTL of a silent client runs out: closed as expired with 4005, offline, not listed, not counted (%s)',
    async (_, connect) => {
      const one = await connect(short.ws, { userId: 'cust01', userRole: 'CUSTOMER' });
      await expectSessions('cust01', [one.session], 'CUSTOMER');
      expect((await within(one.closed, 5 * TTL)).code).toBe(4005);
      await nothingLeft(redis);
      await expectSessions('cust01', []);
      await expectAll([]);
    },
  );

  it('4: the client is told why in ERROR', async () => {
    const one = await talk(short.ws, 'cust01');
    const error = await one.wait('ERROR', 1, 5 * TTL);
    expect(error.header('cause')).toBe('expired');
    expect(error.header('message')).toMatch(/expired/);
    expect(await one.closed).toEqual({ code: 4005, reason: 'the session expired' });
  });

  it('4: a session written by hand with SET … PX is gone from every answer at once, though its id stays in the sets', async () => {
    const user = 'testUser';
    writeForeign(redis, 'test123', user, ['PX', '60000']);
    await expectSessions(user, ['test123']);
    await expectAll(['test123']);
    redis.cli('SET', 'ws:session:test123', user, 'PX', '1500');
    await until(() => redis.cli('EXISTS', 'ws:session:test123') === '0', 5 * 1500);
    expect(redis.cli('SISMEMBER', 'ws:sessions:all', 'test123')).toBe('1');
    expect(redis.cli('SISMEMBER', `ws:user:${user}`, 'test123')).toBe('1');
    await expectSessions(user, []);
    await expectAll([]);
    expect((await serve.rest('/api/session/test123')).status).toBe(404);
    await removeForeign(redis, 'test123', user);
  });

  it('a client that sends only heart-beat newlines outlives its TTL, which is never above --ttl', async () => {
    const one = await talk(short.ws, 'cust01', { userRole: 'CUSTOMER' });
    const silent = await talk(short.ws, 'cust02');
    const beats = setInterval(() => one.send('\n'), 200);
    const began = performance.now();
    let lowest = TTL;
    try {
      while (performance.now() - began < 3 * TTL + 500) {
        for (const key of [`ws:session:${one.session}`, `ws:session:${one.session}:role`, 'ws:user:cust01']) {
          const ttl = await redis.client.pttl(key);
          expect(ttl).toBeGreaterThan(0);
          expect(ttl).toBeLessThanOrEqual(TTL);
          lowest = Math.min(lowest, ttl);
        }
        await sleep(50);
      }
    } finally {
      clearInterval(beats);
    }
    expect(lowest).toBeLessThan(TTL - 500); // written at half-life, not with each beat
    expect((await silent.closed).code).toBe(4005);
    await one.sure('SEND', { destination: '/topic/alive' });
    await expectSessions('cust01', [one.session], 'CUSTOMER');
  });

  it('POST refresh keeps a silent client alive past its deadline; without it, it expires', async () => {
    const one = await talk(short.ws, 'cust01', { userRole: 'CUSTOMER' });
    const began = performance.now();
    while (performance.now() - began < 2.5 * TTL) {
      expect(await serve.rest(`/api/session/${one.session}/refresh`, 'POST')).toEqual({
        status: 200,
        body: { sessionId: one.session, userId: 'cust01', refreshed: true },
      });
      expect(await redis.client.pttl(`ws:session:${one.session}`)).toBeLessThanOrEqual(TTL);
      await sleep(TTL / 4);
    }
    expect(one.socket.readyState).toBe(1);
    expect(one.frames('ERROR')).toEqual([]);
    expect((await within(one.closed, 5 * TTL)).code).toBe(4005);
  });

  it('keys deleted by hand come back while the client is active; only kick ends a session', async () => {
    const one = await talk(short.ws, 'cust01', { userRole: 'CUSTOMER' });
    const beats = setInterval(() => one.send('\n'), 200);
    try {
      // What a command has just asked a node ends by itself.
      const keys = async () => (await redis.keys()).filter((key) => !/^ws:x:(answer|request)/.test(key));
      const before = await keys();
      redis.cli(
        'DEL',
        `ws:session:${one.session}`,
        `ws:session:${one.session}:role`,
        'ws:user:cust01',
        'ws:sessions:all',
      );
      const back = async () => JSON.stringify(await keys()) === JSON.stringify(before);
      await until(back, 5 * TTL, 'its keys to come back');
      await expectSessions('cust01', [one.session], 'CUSTOMER');
      await expectAll([one.session]);
      expect(one.socket.readyState).toBe(1);
      expect((await serve.rest(`/api/session/${one.session}`, 'DELETE')).body.outcome).toBe('kicked');
      expect((await one.closed).code).toBe(4001);
    } finally {
      clearInterval(beats);
    }
  });
});
