/** Walks by cursor that a failover interrupts: a cursor of the old master means something else to the new one. */
import { afterEach, expect, test } from 'vitest';
import { countSessions } from '../../src/sessions/counts.ts';
import { openSessions, type Sessions } from '../../src/sessions/sessions.ts';
import { pass } from '../../src/sessions/sweep/pass.ts';
import { connect } from '../../src/store/connect.ts';
import { type FaultProxy, startFaultProxy } from '../helpers/fault-proxy.ts';
import { INCARNATION, meddle } from '../helpers/floor.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until } from '../helpers/wait.ts';

const IDS = Array.from({ length: 3000 }, (_, i) => `s${i}`);

describeWithRedis('a walk over a failover', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  /** Two masters that hold the same, each with a hash seed of its own; the first serves. */
  const start = async () => {
    const masters: TestRedis[] = [];
    for (let i = 0; i < 2; i++) {
      const redis = await startRedis();
      ends.unshift(() => redis.stop());
      masters.push(redis);
      await redis.client.mset(...IDS.flatMap((id) => [`ws:session:${id}`, 'kim']));
      await redis.client.sadd('ws:sessions:all', ...IDS);
      await redis.client.sadd('ws:user:kim', ...IDS);
      await redis.client.zadd(`ws:x:own:${INCARNATION}`, ...IDS.flatMap((id) => [1, id]));
    }
    const proxy = await startFaultProxy(masters[0]!.port);
    ends.unshift(() => proxy.close());
    const store = await connect({ url: proxy.url, source: 'test', prefix: 'ws', timeout: 5000, lasting: true });
    ends.unshift(() => store.close());
    return { proxy, masters, sessions: openSessions(store, 'ws') };
  };
  const failOver = async (proxy: FaultProxy, { port }: TestRedis, { store }: Sessions) => {
    const { epoch } = store;
    proxy.to(port);
    proxy.reset();
    await until(() => store.epoch > epoch && store.ready, 10_000, 'the new master');
  };

  test.each([
    ['the set of all', (f: Sessions) => f.directory.allIds()],
    ['the set of a user', (f: Sessions) => f.directory.idsOf('kim')],
    ['the index of a process', (f: Sessions) => f.directory.idsOwnedBy(INCARNATION)],
    ['the live sessions', (f: Sessions) => f.directory.liveIds()],
  ])('of %s: nothing is passed over', async (_, walk) => {
    const { proxy, masters, sessions } = await start();
    const seen = new Set<string>();
    let pages = 0;
    for await (const page of walk(sessions)) {
      if (++pages === 12) await failOver(proxy, masters[1]!, sessions);
      for (const id of Array.isArray(page) ? page : page.live.map((one) => one.id)) seen.add(id);
    }
    expect(seen.size).toBe(IDS.length);
  });

  test('of a count: each is counted once', async () => {
    const { proxy, masters, sessions } = await start();
    const { store } = sessions;
    let calls = 0;
    const spied = meddle(store, 'call', async (command: string) => {
      if (command === 'MGET' && ++calls === 12) await failOver(proxy, masters[1]!, sessions);
    });
    const counts = await countSessions(openSessions(spied, 'ws'));
    expect(counts).toMatchObject({ sessions: IDS.length, users: 1, exact: true });
  });

  test('of a sweep: what it counted isn’t told as the whole', async () => {
    const { proxy, masters, sessions } = await start();
    const sweep = (floor: Sessions) => pass(floor, { share: 1, grace: 0, walked: 100 });
    let calls = 0;
    const spied = meddle(sessions.store, 'call', async (command: string) => {
      if (command === 'SSCAN' && ++calls === 12) await failOver(proxy, masters[1]!, sessions);
    });
    await sweep(openSessions(spied, 'ws'));
    expect(await masters[1]!.client.get('ws:x:swept')).toBeNull();
    await sweep(sessions);
    expect(JSON.parse((await masters[1]!.client.get('ws:x:swept'))!)).toMatchObject({ withoutRole: IDS.length });
  });
});
