/** Two serves on one Redis: a kick typed anywhere, and who owns a name. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { ask } from '../helpers/http.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

const LEASE = 8000;

describeWithRedis('two nodes', () => {
  let redis: TestRedis;
  let a: Serve;
  let b: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    [a, b] = await Promise.all([
      startServe(redis.url, ['--node', 'node-a']),
      startServe(redis.url, ['--node', 'node-b']),
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([a?.stop(), b?.stop()]);
    await redis?.stop();
  });

  const kick = (at: Serve, id: string, reason = '') =>
    ask(at.port, `/api/session/${id}${reason && `?reason=${encodeURIComponent(reason)}`}`, 'DELETE');

  it('DELETE on one node kicks a session of the other: the reason in ERROR and close 4001', async () => {
    const client = await talk(b.ws, 'cust01', { userRole: 'CUSTOMER' });
    const neighbour = await talk(b.ws, 'cust01');
    expect(await kick(a, client.session, '점검 중입니다')).toMatchObject({
      status: 200,
      text: `{"session_id":"${client.session}","user":"cust01","node":"node-b","outcome":"kicked"}`,
    });
    // Unregistered before the answer.
    expect((await a.rest('/api/session/user/cust01')).body.sessions).toEqual([neighbour.session]);
    expect(await client.closed).toEqual({ code: 4001, reason: '점검 중입니다' });
    const error = client.frames().at(-1)!;
    expect(error.command).toBe('ERROR');
    expect([error.header('message'), error.header('cause')]).toEqual(['점검 중입니다', 'kicked']);
    expect(error.header('action-id')).toMatch(/^[0-9A-Z]{26}$/);
    await neighbour.sure('SEND', { destination: '/topic/alive' });
  });

  it('both nodes list the sessions of both', async () => {
    const ids = [(await talk(a.ws, 'cust01')).session, (await talk(b.ws, 'cust01')).session].sort();
    for (const node of [a, b]) {
      expect((await node.rest('/api/session/all')).body.sessions.sort()).toEqual(ids);
      expect((await node.rest('/api/session/user/cust01')).body.sessions.sort()).toEqual(ids);
      expect((await node.rest('/api/session/stats')).body.totalActiveSessions).toBe(2);
    }
  });

  it('concurrent kicks of one session: one has kicked, the others know that it is gone', async () => {
    for (let round = 0; round < 10; round++) {
      const client = await talk(b.ws, 'cust01');
      const replies = await Promise.all([a, b, a, b].map((node) => kick(node, client.session)));
      const outcomes = replies.map((reply) => reply.json().outcome);
      expect(outcomes.filter((outcome) => outcome === 'kicked')).toHaveLength(1);
      for (const outcome of outcomes) expect(['kicked', 'already_gone', 'not_found']).toContain(outcome);
      expect((await client.closed).code).toBe(4001);
    }
  });

  it('of two kicks that wait for a node, the first kicks, and the second finds it already gone', async () => {
    const client = await talk(b.ws, 'cust01');
    b.process.kill('SIGSTOP');
    const asked = [kick(a, client.session), kick(a, client.session)];
    try {
      await until(async () => (await redis.client.keys('ws:x:request:*')).length === 2, 4000, 'both requests');
    } finally {
      b.process.kill('SIGCONT');
    }
    const replies = await Promise.all(asked);
    expect(replies.map((reply) => reply.json().outcome).sort()).toEqual(['already_gone', 'kicked']);
    expect(replies.map((reply) => reply.status)).toEqual([200, 200]);
  });

  it('a kick that races with CONNECTED closes the socket, and nothing is left', async () => {
    for (let round = 0; round < 20; round++) {
      const client = await open(b.ws);
      client.say('CONNECT', { 'accept-version': '1.2', userId: 'racer', userRole: 'X' });
      // As soon as the script has run, and before the server could say CONNECTED.
      const listed = async () => (await redis.client.smembers('ws:sessions:all'))[0] ?? '';
      const id = await until(listed, 10_000, 'the session to be listed');
      const { outcome } = (await kick(a, id)).json();
      expect(outcome).toBe('kicked');
      expect((await within(client.closed)).code).toBe(4001);
      expect(client.frames().at(-1)?.command).toBe('ERROR');
      await nothingLeft(redis);
    }
  });

  it.each([
    ['and its lease ends', 'node_unreachable', (lease: string) => redis.client.pexpire(lease, LEASE)],
    ['though its lease lives', 'timeout', (lease: string) => redis.client.persist(lease)],
  ])(
    'a node that is stopped, %s: DELETE is 504 %s, and the session is never closed for it later',
    { timeout: 90_000 },
    async (_, outcome, hold) => {
      const client = await talk(b.ws, 'cust01');
      b.process.kill('SIGSTOP');
      try {
        await hold('ws:x:node:node-b');
        expect(await kick(a, client.session, 'too late')).toMatchObject({
          status: 504,
          text: `{"session_id":"${client.session}","user":"cust01","node":"node-b","outcome":"${outcome}"}`,
        });
      } finally {
        b.process.kill('SIGCONT');
      }
      expect(await redis.client.keys('ws:x:request:*')).toEqual([]);
      // When a later request is answered, it has read what waited for it before, the wake among it.
      const other = await talk(b.ws, 'cust02');
      await until(async () => (await b.rest('/readyz')).status === 200, 5 * LEASE, 'node-b to be ready again');
      expect((await kick(a, other.session)).json().outcome).toBe('kicked');
      await client.sure('SEND', { destination: '/topic/alive' });
      expect(client.frames('ERROR')).toEqual([]);
      expect((await a.rest(`/api/session/${client.session}`)).status).toBe(200);
    },
  );

  it('a name that a living node has is refused in one line; after SIGKILL it is taken over within the lease', {
    timeout: 90_000,
  }, async () => {
    const start = (name: string) => startServe(redis.url, ['--node', name]);
    const first = await start('node-c');
    const refused = await wssess(['serve', '--port', '0', '--node', 'node-c', '--redis', redis.url], {
      patience: 5 * LEASE,
    });
    expect(refused.code).toBe(1);
    const error = refused.stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect(error).toHaveLength(1);
    expect(error[0]).toContain('node-c');
    expect(refused.stderr).not.toMatch(/\n\s+at /);
    expect(refused.stdout).toBe('');
    expect((await first.rest('/readyz')).status).toBe(200);
    await first.stop('SIGKILL');
    const second = await start('node-c'); // waits for it up to 20 s
    expect((await second.rest('/readyz')).status).toBe(200);
    expect(await second.stop()).toBe(0);
  });
});
