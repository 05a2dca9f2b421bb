/** The rules for Redis's ACL that docs/security.md gives: each lets its user do what it says, and no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect7, dropClients } from '../helpers/clients.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

const RULES = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8').match(/^ACL SETUSER .+$/gm)!;

describeWithRedis('rights by Redis’s own ACL', () => {
  let redis: TestRedis;
  let serve: Serve;
  const as = (user: string, line: string) =>
    wssess(line.split(' '), { env: { WSSESS_REDIS_URL: redis.url.replace('redis://', `redis://${user}:PASSWORD@`) } });

  beforeAll(async () => {
    redis = await startRedis();
    expect(RULES).toHaveLength(3);
    for (const rule of RULES) expect(redis.cli(...rule.split(/\s+/))).toBe('OK');
    serve = await startServe(redis.url.replace('redis://', 'redis://node:PASSWORD@'));
  });
  afterAll(async () => {
    dropClients();
    await serve?.stop();
    await redis?.stop();
  });

  /** What Redis denied this user, by its own account. */
  const denied = async (user: string) =>
    ((await redis.client.call('ACL', 'LOG', 128)) as string[][])
      .filter((entry) => entry[entry.indexOf('username') + 1] === user)
      .map((entry) => entry[entry.indexOf('object') + 1]);

  test.each(['ls', 'who kim', 'stats', 'nodes'])('a viewer may %s', async (line) => {
    const { session } = await connect7(serve.ws, { userId: 'kim' });
    await redis.client.call('ACL', 'LOG', 'RESET');
    const ran = await as('viewer', line);
    expect(ran.code).toBe(0);
    if (line === 'ls') expect(ran.stdout).toContain(session);
    // To ask nodes is tried, and done without.
    expect(await denied('viewer')).toEqual(line.startsWith('who') ? ['evalsha'] : []);
  });

  test('a viewer may neither kick nor refresh; exit 4', async () => {
    const { session } = await connect7(serve.ws, { userId: 'kim' });
    for (const line of [`kick ${session} --yes`, `refresh ${session}`]) expect((await as('viewer', line)).code).toBe(4);
    expect((await serve.rest(`/api/session/${session}`)).status).toBe(200);
  });

  test('a server may serve, and tell other servers, and no more than that', async () => {
    // Of the node's rights, by another name: they are taken away at the end.
    expect(redis.cli(...RULES[2]!.replace('SETUSER node', 'SETUSER server').split(/\s+/))).toBe('OK');
    const url = redis.url.replace('redis://', 'redis://server:PASSWORD@');
    const nodes = await Promise.all(['right-a', 'right-b'].map((name) => startServe(url, ['--node', name])));
    try {
      const [here, there] = await Promise.all(nodes.map((node) => talk(node.ws, 'kim')));
      await there!.sure('SUBSCRIBE', { id: '1', destination: '/topic/a' });
      await here!.sure('SEND', { destination: '/topic/a' }, 'x');
      await there!.wait('MESSAGE');
      const kicked = await nodes[0]!.rest(`/api/session/${there!.session}`, 'DELETE');
      expect(kicked.body.outcome).toBe('kicked');
      expect(nodes.map((node) => node.stderr()).join('')).not.toMatch(/NOPERM/);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
    const own = ['--no-auth-warning', '--user', 'server', '--pass', 'PASSWORD'];
    for (const command of [
      'CONFIG GET dir',
      'FLUSHALL',
      'KEYS *',
      'SET other:key 1',
      'EVAL return(1) 0',
      'PUBLISH y 1',
    ])
      expect(redis.cli(...own, ...command.split(' '))).toMatch(/NOPERM/);
    // Without its channels it doesn't start half.
    redis.cli('ACL', 'SETUSER', 'server', 'resetchannels');
    const refused = await wssess(['serve', '--port', '0'], { env: { WSSESS_REDIS_URL: url } });
    expect(refused).toMatchObject({ code: 4, stdout: '' });
    expect(refused.stderr).toMatch(/^error: [^\n]*NOPERM[^\n]*\n$/);
  }, 60_000);

  test('an operator may show, refresh and kick, and no more than that', async () => {
    const { session, closed } = await connect7(serve.ws, { userId: 'kim' });
    for (const line of ['ls', `show ${session}`, `refresh ${session}`, `kick ${session} --yes`]) {
      expect(await as('operator', line)).toMatchObject({ code: 0, stderr: expect.not.stringContaining('not answer') });
    }
    expect((await closed).code).toBe(4001);
    const own = ['--no-auth-warning', '--user', 'operator', '--pass', 'PASSWORD'];
    expect(await denied('operator')).toEqual([]);
    for (const command of ['CONFIG GET dir', 'FLUSHALL', 'KEYS *', 'SET other:key 1', 'EVAL return(1) 0']) {
      expect(redis.cli(...own, ...command.split(' '))).toMatch(/NOPERM/);
    }
  });

  test('a node needs no more for its sessions, from CONNECT to the end, nor after a reconnect', async () => {
    const { session, disconnect } = await connect7(serve.ws, { userId: 'kim' });
    const other = await connect7(serve.ws, { userId: 'lee' });
    expect((await serve.rest(`/api/session/${session}/refresh`, 'POST')).status).toBe(200);
    await redis.client.call('CLIENT', 'KILL', 'USER', 'node');
    await until(async () => (await serve.rest('/readyz')).status === 200, 20_000, 'the node to be ready');
    // It hears again what it is asked.
    const kicked = async () => (await as('operator', `kick ${other.session} --yes --timeout 1s`)).code === 0;
    await until(kicked, 20_000, 'a kick');
    await disconnect();
    const gone = async () => (await serve.rest(`/api/session/${session}`)).status === 404;
    await until(gone, 20_000, 'the session to be gone');
    expect(await denied('node')).toEqual([]);
  });
});
