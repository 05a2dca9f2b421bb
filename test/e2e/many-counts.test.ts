/** More sessions than can be walked for each answer: a server keeps account of foreign ones, and answers say so. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { addManyForeign } from '../helpers/foreign.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

const MANY = 51_000;
/** Milliseconds: a pass goes over them at a tenth of the time. */
const PATIENCE = 120_000;

describeWithRedis('51,000 foreign sessions and a server', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    await addManyForeign(redis.client, MANY);
    serve = await startServe(redis.url, ['--node', 'node-a']);
  });
  afterAll(async () => {
    dropClients();
    await serve?.stop();
    await redis?.stop();
  });

  const stats = async () => {
    const response = await fetch(`${serve.url}/api/session/stats`);
    const text = await response.text();
    return {
      exact: response.headers.get('x-wssess-exact'),
      asOf: response.headers.get('x-wssess-as-of'),
      text: text.replace(/\d{13}/, 'NOW'),
    };
  };
  const cli = async (...args: string[]) =>
    JSON.parse((await wssess([...args, '-o', 'json'], { env: { WSSESS_REDIS_URL: redis.url } })).stdout);
  const body = (count: number) => `{"totalActiveSessions":${count},"timestamp":NOW}`;

  test('are walked until a sweep has met all of them; then counts say as of when', { timeout: 240_000 }, async () => {
    expect(await stats()).toEqual({ exact: 'true', asOf: null, text: body(MANY) });
    const client = await talk(serve.ws, 'kim', { userRole: 'AGENT' });
    await until(async () => (await stats()).exact === 'false', PATIENCE, 'a pass over all of them');
    const { text, asOf } = await stats();
    expect(text).toBe(body(MANY + 1));
    expect(Date.parse(asOf!)).toBeGreaterThan(Date.now() - PATIENCE);

    const counted = await cli('stats');
    expect(counted).toMatchObject({
      exact: false,
      as_of: asOf,
      sessions: MANY + 1,
      users: MANY / 10 + 1,
      nodes: 1,
      by_node: { 'node-a': 1 },
    });
    expect(counted.by_role.BOT).toBe(MANY / 4);
    const listed = await cli('ls', '--limit', '1');
    expect(listed).toMatchObject({ complete: false, exact: false, as_of: asOf, total: MANY + 1, skipped: 0 });
    expect(listed.sessions.map((row: any) => row.session_id)).toEqual([client.session]);
    // What is looked up is exact at any size.
    expect(await cli('who', 'u7')).toMatchObject({ online: true, session_count: 10 });
    const people = await wssess(['stats'], { env: { WSSESS_REDIS_URL: redis.url } });
    expect(people.stderr).toMatch(/^sessions 51,001 {2}users 5,101 {2}nodes 1 {2}\(as of \d\d:\d\d:\d\d\)\n/);

    // A session that a node adds or removes shows at once, and few enough are walked again.
    const another = await talk(serve.ws, 'lee');
    expect((await stats()).text).toBe(body(MANY + 2));
    await another.sure('DISCONNECT');
    await until(async () => (await stats()).text === body(MANY + 1), 10_000, 'the other to be gone');
    const ids = Array.from({ length: 2000 }, (_, i) => `f${i}`);
    await redis.client.del(...ids.map((id) => `ws:session:${id}`));
    await redis.client.srem('ws:sessions:all', ...ids);
    expect(await stats()).toEqual({ exact: 'true', asOf: null, text: body(MANY - 1999) });
  });
});
