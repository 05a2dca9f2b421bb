/** `wssess kick --rate`, and what Ctrl-C leaves. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { killBackground, start } from '../helpers/background.ts';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

describeWithRedis('kick at a pace', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'paced-a']);
  });
  afterEach(async () => {
    killBackground();
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const crowd = async (count: number) =>
    Promise.all(Array.from({ length: count }, () => talk(serve.ws, 'crowd', { userRole: 'BOT' })));
  const env = () => ({ WSSESS_REDIS_URL: redis.url });

  it('all are kicked, never more in a second than the rate says', async () => {
    const clients = await crowd(25);
    const closed: number[] = [];
    for (const client of clients) void client.closed.then(() => closed.push(performance.now()));
    const { code, stdout, stderr } = await wssess(['kick', '--role', 'BOT', '--yes', '--rate', '10/s'], { env: env() });
    expect([code, stdout.split('\n').filter((line) => line.includes('\tkicked\t')).length]).toEqual([0, 25]);
    expect(stderr).toContain('10 a second: about 2s');
    await until(() => closed.length === 25, 10_000, 'all sockets to be closed');
    // 13 steps of two, each a fifth of a second after the one before; the first at once.
    expect(closed.at(-1)! - closed[0]!).toBeGreaterThan(2000);
  });

  it('Ctrl-C: what is under way is finished and listed, about the others nothing was done, exit 3', async () => {
    const clients = await crowd(30);
    const running = start(['kick', '--role', 'BOT', '--yes', '--rate', '5/s', '-o', 'json'], env());
    await until(async () => (await online()) < 28, 15_000, 'some to be kicked');
    running.process.kill('SIGINT');
    const { code, stdout, stderr } = await running.ended();
    expect(code).toBe(3);
    const { results } = JSON.parse(stdout);
    const kicked = results.map(({ session_id }: { session_id: string }) => session_id);
    expect(results.every(({ outcome }: { outcome: string }) => outcome === 'kicked')).toBe(true);
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'stopped',
      message: `nothing was done about ${30 - kicked.length} of 30 sessions`,
    });
    expect(await online()).toBe(30 - kicked.length);
    for (const client of clients) {
      if (kicked.includes(client.session)) expect((await within(client.closed)).code).toBe(4001);
      else await client.sure('SEND', { destination: '/topic/alive' });
    }
  });

  const online = async () => (await serve.rest('/api/session/user/crowd')).body.sessionCount as number;

  it.each(['0', '-1', '1.5', 'x', '5/m'])('--rate %s: usage', async (rate) => {
    const { code, stderr } = await wssess(['kick', 'any', '--rate', rate], { env: env() });
    expect([code, stderr]).toEqual([2, expect.stringContaining('Write it like 50/s')]);
  });
});
