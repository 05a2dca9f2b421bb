/** Several servers on one Redis: the one that owns a session may be another, dead, or stopped. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect7, dropClients } from '../helpers/clients.ts';
import { stopSweeping } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until } from '../helpers/wait.ts';

describeWithRedis('the CLI and several nodes', () => {
  let redis: TestRedis;
  let alive: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    alive = await startServe(redis.url, ['--node', 'alive']);
  });
  afterAll(async () => {
    await alive?.stop();
    await redis?.stop();
  });
  afterEach(async () => {
    dropClients();
  });

  const cli = async (...args: string[]) => wssess(args, { env: { WSSESS_REDIS_URL: redis.url } });
  const outcomes = (stdout: string) => (JSON.parse(stdout) as { results: any[] }).results.map(({ outcome }) => outcome);
  const exists = async (key: string) => (await redis.client.exists(key)) === 1;

  describe('another living node', () => {
    let other: Serve;

    beforeAll(async () => {
      other = await startServe(redis.url, ['--node', 'other']);
    });
    afterAll(async () => {
      await other?.stop();
    });

    test('kick typed anywhere closes the sockets on every node; exit 0, kicked', async () => {
      const [here, there] = [await connect7(alive.ws, { userId: 'kim' }), await connect7(other.ws, { userId: 'kim' })];
      expect((await cli('who', 'kim')).stderr).toBe('kim is online: 2 sessions on 2 nodes\n');
      const { code, stdout, stderr } = await cli('kick', '--user', 'kim', '--yes', '--reason', 'moved', '-o', 'json');
      expect({ code, stderr, outcomes: outcomes(stdout) }).toEqual({
        code: 0,
        stderr: '',
        outcomes: ['kicked', 'kicked'],
      });
      expect(await here.closed).toEqual({ code: 4001, reason: 'moved' });
      expect(await there.closed).toEqual({ code: 4001, reason: 'moved' });
      expect([here.error?.body, there.error?.body]).toEqual(['moved', 'moved']);
      expect(await exists('ws:user:kim')).toBe(false);
    });

    test('DELETE on one node kicks a session of the other', async () => {
      const client = await connect7(other.ws, { userId: 'kim' });
      const { status, body } = await alive.rest(`/api/session/${client.session}`, 'DELETE');
      expect({ status, outcome: body.outcome }).toEqual({ status: 200, outcome: 'kicked' });
      expect((await client.closed).code).toBe(4001);
    });

    test('--node selects the sessions of one', async () => {
      const [here, there] = [await connect7(alive.ws, { userId: 'kim' }), await connect7(other.ws, { userId: 'lee' })];
      expect((await cli('ls', '--node', 'other', '-o', 'name')).stdout).toBe(`${there.session}\n`);
      expect((await cli('kick', '--node', 'other')).code).toBe(0);
      expect((await there.closed).code).toBe(4001);
      expect(here.client.connected).toBe(true);
      const { by_node } = JSON.parse((await cli('stats', '-o', 'json')).stdout);
      expect(by_node).toEqual({ alive: 1 });
    });
  });

  test('a server that ended at SIGTERM leaves no session and no node behind', async () => {
    const leaving = await startServe(redis.url, ['--node', 'leaving']);
    const client = await connect7(leaving.ws, { userId: 'kim' });
    expect(await leaving.stop()).toBe(0);
    expect((await client.closed).code).toBe(1001);
    expect((await cli('who', '-q', 'kim')).code).toBe(1);
    expect((await cli('nodes', '-o', 'name')).stdout).toBe('alive\n');
  });

  test('a killed node: node_unreachable, exit 5; what it left is in no answer; --purge removes what it left, exit 0', async () => {
    const dead = await startServe(redis.url, ['--node', 'dead']);
    const [one, two] = [
      await connect7(dead.ws, { userId: 'kim', userRole: 'BOT' }),
      await connect7(dead.ws, { userId: 'kim' }),
    ];
    const living = await connect7(alive.ws, { userId: 'lee' });
    const sweepAgain = await stopSweeping(redis);
    await dead.stop('SIGKILL');
    await until(async () => !(await exists('ws:x:node:dead')), 20_000, 'the lease to end');

    const kicked = await cli('kick', one.session, '-o', 'json');
    expect({ code: kicked.code, outcomes: outcomes(kicked.stdout) }).toEqual({
      code: 5,
      outcomes: ['node_unreachable'],
    });
    expect(JSON.parse(kicked.stdout).results[0]).toMatchObject({ user: 'kim', node: 'dead' });
    expect(await exists(`ws:session:${one.session}`)).toBe(true);
    expect((await cli('kick', one.session)).stdout).toContain('--purge');

    const some = await cli('kick', one.session, living.session, '--yes', '-o', 'json');
    expect({ code: some.code, outcomes: outcomes(some.stdout).sort() }).toEqual({
      code: 3,
      outcomes: ['kicked', 'node_unreachable'],
    });

    const { nodes } = JSON.parse((await cli('nodes', '-o', 'json')).stdout);
    expect(nodes.map((node: any) => [node.node, node.alive, node.url === null])).toEqual([
      ['alive', true, false],
      ['dead', false, true],
    ]);
    expect((await cli('nodes')).stdout).toMatch(/^dead\tgone\t/m);
    expect(JSON.parse((await cli('stats', '-o', 'json')).stdout).nodes).toBe(1);

    const listed = await cli('ls', '-o', 'json');
    expect(listed.code).toBe(3);
    expect(JSON.parse(listed.stdout)).toMatchObject({ complete: false, nodes_missing: ['dead'], total: 0 });
    expect(listed.stderr).toMatch(/^warning: 2 sessions left out: .*dead \(dead\)\..* doctor --fix\n$/);

    const purged = await cli('kick', '--node', 'dead', '--yes', '--purge');
    expect(purged.code).toBe(0);
    const left = (await redis.keys()).filter(
      (key) => key.includes(one.session) || key.includes(two.session) || key.includes('kim'),
    );
    // For the node, should it come back after all.
    expect(left).toEqual([one, two].map(({ session }) => `ws:x:tombstone:${session}`).sort());
    expect(await redis.client.scard('ws:sessions:all')).toBe(0);
    expect((await cli('who', '-q', 'kim')).code).toBe(1);
    await sweepAgain();
  });

  describe('a stopped node', () => {
    let stopped: Serve;

    beforeAll(async () => {
      stopped = await startServe(redis.url, ['--node', 'stopped']);
    });
    afterEach(() => void stopped.process.kill('SIGCONT'));
    afterAll(async () => {
      await stopped?.stop();
    });

    /** Stops it for a while that is shorter than its lease, so that others take it for alive. */
    const whileStopped = async (act: () => Promise<void>) => {
      await until(async () => (await redis.client.pttl('ws:x:node:stopped')) > 7000, 10_000, 'a fresh lease');
      stopped.process.kill('SIGSTOP');
      try {
        await act();
        expect(await exists('ws:x:node:stopped'), 'the lease ended meanwhile: this run shows nothing').toBe(true);
      } finally {
        stopped.process.kill('SIGCONT');
      }
    };

    test('kick says timeout, exit 5, and the session is never kicked, not even once the node goes on', async () => {
      const [client, second] = [
        await connect7(stopped.ws, { userId: 'kim' }),
        await connect7(stopped.ws, { userId: 'lee' }),
      ];
      await whileStopped(async () => {
        const { code, stdout } = await cli('kick', client.session, '--timeout', '500ms', '-o', 'json');
        expect({ code, outcomes: outcomes(stdout) }).toEqual({ code: 5, outcomes: ['timeout'] });
        expect((await redis.keys()).filter((key) => /^ws:x:(request|answer):/.test(key))).toEqual([]);
      });
      // What woke the node for the first kick comes before what wakes it for this one.
      expect((await cli('kick', second.session)).code).toBe(0);
      const echo = new Promise((resolve) => client.client.subscribe('/topic/echo', ({ body }) => resolve(body)));
      client.client.publish({ destination: '/topic/echo', body: 'still here' });
      expect(await echo).toBe('still here');
      expect(client.error).toBeUndefined();
      expect((await cli('who', '-q', 'kim')).code).toBe(0);
    });

    test('ls -o json tells what is missing and by whom: exit 3, nodes_missing, a warning; who and show warn', async () => {
      const own = await connect7(stopped.ws, { userId: 'kim' });
      const other = await connect7(alive.ws, { userId: 'kim' });
      await whileStopped(async () => {
        const [listed, who] = await Promise.all([cli('ls', '-o', 'json'), cli('who', 'kim', '-o', 'json')]);
        expect(listed.code).toBe(3);
        const listing = JSON.parse(listed.stdout);
        expect(listing).toMatchObject({ complete: false, total: 2, nodes_missing: ['stopped'] });
        const idle = Object.fromEntries(listing.sessions.map((row: any) => [row.session_id, row.idle]));
        expect(idle).toEqual({ [own.session]: null, [other.session]: expect.any(Number) });
        expect(listed.stderr).toMatch(/^warning: stopped did not answer.*\n$/);

        expect(who.code).toBe(0);
        expect(JSON.parse(who.stdout)).toMatchObject({ online: true, session_count: 2 });
        expect(who.stderr).toMatch(/^warning: stopped did not answer.*\n$/);
      });
      await whileStopped(async () => {
        const [shown, streamed] = await Promise.all([cli('show', own.session), cli('ls', '-o', 'jsonl')]);
        expect(shown.stdout).toMatch(/^Idle: +not known/m);
        expect(shown.stderr).toMatch(/^warning: stopped did not answer.*\n$/);
        expect(streamed.code).toBe(3);
        expect(streamed.stdout.trimEnd().split('\n')).toHaveLength(2);
      });
    });

    test('what needs no node asks none: ls, who -q, stats and kick of others', async () => {
      await connect7(stopped.ws, { userId: 'kim' });
      const other = await connect7(alive.ws, { userId: 'lee' });
      await whileStopped(async () => {
        const all = await Promise.all([cli('ls'), cli('who', '-q', 'kim'), cli('stats'), cli('kick', other.session)]);
        expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
        const told = all.slice(0, 3).map(({ stderr }) => stderr);
        // The kick runs at the same time.
        expect(told).toEqual(['', '', expect.stringMatching(/^sessions [12] {2}users [12] {2}nodes 2\n$/)]);
      });
    });
  });
});
