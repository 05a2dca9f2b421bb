/**
 * A node that was stopped for longer than its lease lasts, and goes on: who was kicked meanwhile is closed, everybody else
 * is there again. WSSESS_TEST_STOP: seconds that it is stopped at least.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { sleep, until, within } from '../helpers/wait.ts';

const STOPPED = Number(process.env.WSSESS_TEST_STOP ?? 10) * 1000;

describeWithRedis('a node that is stopped and continued', () => {
  let redis: TestRedis;
  let stopped: Serve;
  let other: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    [stopped, other] = await Promise.all([
      startServe(redis.url, ['--node', 'stopped', '--heart-beat', '0,0']),
      startServe(redis.url, ['--node', 'other', '--heart-beat', '0,0']),
    ]);
  });
  afterEach(async () => {
    stopped.process.kill('SIGCONT');
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([stopped?.stop(), other?.stop()]);
    await redis?.stop();
  });

  const cli = async (...args: string[]) => {
    const { code, stdout } = await wssess([...args, '-o', 'json'], { env: { WSSESS_REDIS_URL: redis.url } });
    return { code, body: JSON.parse(stdout) };
  };
  const listed = async () => ((await other.rest('/api/session/all')).body.sessions as string[]).sort();
  const ids = (clients: Talk[]) => clients.map(({ session }) => session).sort();

  it('nobody who was kicked meanwhile is back, everybody else is, with the TTL that is left', {
    timeout: 120_000 + STOPPED,
  }, async () => {
    const many = await Promise.all(Array.from({ length: 50 }, (_, i) => talk(stopped.ws, `u${i % 7}`)));
    const there = await talk(other.ws, 'u0');
    const [one, two, three, four, leaver, ...staying] = many as [Talk, Talk, Talk, Talk, Talk, ...Talk[]];
    await redis.client.pexpire(`ws:session:${staying[0]!.session}`, 90_000_000); // renewed elsewhere, for longer
    stopped.process.kill('SIGSTOP');
    const end = performance.now() + STOPPED;
    // Both wait for the node until its lease has ended.
    const [first, second] = await Promise.all([
      cli('kick', one.session, '--purge', '--reason', '점검'),
      cli('kick', two.session, '--purge'),
    ]);
    leaver.socket.terminate();
    for (const { code, body } of [first, second]) {
      expect(code).toBe(0);
      // `already_gone` where the sweep was faster: it may come back, all the same it must not.
      expect(['node_unreachable', 'already_gone']).toContain(body.results[0].outcome);
    }
    expect(await redis.client.exists('ws:x:node:stopped')).toBe(0);

    // Once it was reaped it is known for a while that it may come back.
    await until(async () => (await listed()).join() === there.session, 40_000, 'its sessions to be reaped');
    const lost = { session_id: three.session, user: 'u2', node: 'stopped', outcome: 'node_unreachable' };
    const asked = await cli('kick', three.session);
    expect({ code: asked.code, results: asked.body.results }).toEqual({ code: 5, results: [lost] });
    const third = await cli('kick', three.session, '--purge', '--reason', '밖으로');
    expect({ code: third.code, results: third.body.results }).toEqual({ code: 0, results: [lost] });
    expect((await cli('kick', 'nobody-at-all')).body.results[0].outcome).toBe('not_found');
    const path = `/api/session/${four.session}`;
    const outcome = { session_id: four.session, user: 'u3', node: 'stopped', outcome: 'node_unreachable' };
    expect(await other.rest(path, 'DELETE')).toEqual({ status: 504, body: outcome });
    expect(await other.rest(`${path}?purge=true`, 'DELETE')).toEqual({ status: 200, body: outcome });
    await sleep(Math.max(0, end - performance.now()));
    stopped.process.kill('SIGCONT');

    await until(
      async () => (await listed()).join() === ids([...staying, there]).join(),
      25_000,
      'the others to be back',
    );
    for (const [client, { body }, reason] of [
      [one, first, '점검'],
      [two, second, 'kicked'],
      [three, third, '밖으로'],
    ] as const) {
      expect(await within(client.closed)).toEqual({ code: 4001, reason });
      const error = client.frames().at(-1)!;
      const headers = ['message', 'cause', 'action-id'].map((name) => error.header(name));
      expect([error.command, ...headers]).toEqual(['ERROR', reason, 'kicked', body.action_id]);
    }
    expect(await within(four.closed)).toEqual({ code: 4001, reason: 'kicked' });
    expect(one.frames('ERROR')[0]!.body.toString()).toBe('점검');
    for (const client of staying) await client.sure('SEND', { destination: '/topic/a' }, 'x');
    for (const { session } of staying.slice(1)) {
      const left = await redis.client.pttl(`ws:session:${session}`);
      expect(left).toBeLessThanOrEqual(86_400_000 - STOPPED + 2000);
      expect(left).toBeGreaterThan(86_400_000 - STOPPED - 60_000);
    }
    // What was left for it has been read, and who was reaped is back.
    const left = async () => [
      ...(await redis.client.keys('ws:x:tombstone:*')),
      ...(await redis.client.keys('ws:x:lost:*')),
    ];
    await until(async () => (await left()).length === 0, 10_000, 'the tombstones and traces to go');
    const kicked = await cli('kick', staying[1]!.session);
    expect(kicked.body.results[0].outcome).toBe('kicked');
    expect((await within(staying[1]!.closed)).code).toBe(4001);
  });
});
