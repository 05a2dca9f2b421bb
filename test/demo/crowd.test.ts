/** The crowd on a server and a real Redis: who is here is who is listed, and nothing is left of it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { onStage, type Stage } from '../../src/demo/stage.ts';
import { connect } from '../../src/store/connect.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until } from '../helpers/wait.ts';

describeWithRedis('the crowd', () => {
  let redis: TestRedis;
  let logged = '';
  let closed = 0;
  let over = new AbortController();

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.stop();
  });
  afterEach(async () => {
    expect(await redis.client.keys('ws:session:*')).toEqual([]);
    expect(await redis.client.keys('ws:x:node:*')).toEqual([]);
    expect(closed).toBe(1);
    expect(logged).toBe('');
    [closed, logged, over] = [0, '', new AbortController()];
  });

  const stage = (size: number, play: (stage: Stage) => Promise<void>) =>
    onStage(
      {
        async openStore() {
          const store = await connect({ url: redis.url, source: 'test', timeout: 5000, lasting: true });
          const close = () => {
            closed++;
            store.close();
          };
          return { store, where: store.where, close };
        },
        prefix: 'ws',
        size,
        seed: 1,
        log: (line) => (logged += line),
        over: over.signal,
      },
      play,
    );
  const listed = async ({ sessions }: Stage) => {
    const ids: string[] = [];
    for await (const page of sessions.directory.walk()) ids.push(...page.sessions.map(({ id }) => id));
    return ids.sort();
  };
  const here = ({ crowd }: Stage) => crowd.here.map(({ session }) => session).sort();

  test('gathers: each of them is a session, with the user, role and agent string that it has', async () => {
    await stage(30, async (it) => {
      await it.crowd.gather();
      expect(it.crowd.here).toHaveLength(30);
      expect(await listed(it)).toEqual(here(it));
      for (const { session, device } of it.crowd.here) {
        const found = await it.sessions.directory.get(session);
        expect(found).toMatchObject({ user: device.user, role: device.role, details: { userAgent: device.agent } });
      }
      const star = it.crowd.mostDevices();
      expect((await it.sessions.directory.sessionsOf(star)).sessions).toHaveLength(it.crowd.of(star).length);
    });
  });

  test('comes and goes, both ways, and talks; the one who is to stay stays', async () => {
    await stage(30, async (it) => {
      const { crowd } = it;
      await crowd.gather();
      const star = crowd.mostDevices();
      const [before] = crowd.of(star);
      crowd.mingle(star, 16);
      const { tally } = crowd;
      await until(() => tally.left > 1 && tally.vanished > 1 && tally.arrived > 32 && tally.said > 5, 20_000);
      crowd.settle();
      expect(crowd.of(star)).toContain(before);
      expect(Math.abs(crowd.here.length - 30)).toBeLessThan(15);
      expect(crowd.here.some(({ received }) => received > 0)).toBe(true);
      expect(tally).toMatchObject({ thrown: 0, refused: 0 });
      // A socket that vanishes is noticed a moment later.
      await until(async () => JSON.stringify(await listed(it)) === JSON.stringify(here(it)));
    });
  });

  test('a new one that vanishes leaves a user who is offline', async () => {
    await stage(5, async (it) => {
      await it.crowd.gather();
      const visitor = await it.crowd.arriveNew('');
      expect((await it.sessions.directory.sessionsOf(visitor.device.user)).sessions).toHaveLength(1);
      visitor.vanish();
      await until(async () => (await it.sessions.directory.get(visitor.session)) === undefined);
      expect((await it.sessions.directory.sessionsOf(visitor.device.user)).sessions).toEqual([]);
      await until(() => it.crowd.tally.vanished === 1);
    });
  });

  test('when what is played fails, all ends the same', async () => {
    const failing = stage(20, async ({ crowd }) => {
      await crowd.gather();
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
  });

  test('when it is over while they are still connecting, all ends the same', async () => {
    await stage(300, async ({ crowd }) => {
      const gathering = crowd.gather();
      await until(() => crowd.here.length > 10);
      over.abort();
      await gathering;
      expect(crowd.here.length).toBeLessThan(300);
    });
  });
});
