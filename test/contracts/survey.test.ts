/** The survey tells what the indexes of living nodes don't hold. */
import { beforeEach, expect, test } from 'vitest';
import { type Progress, survey } from '../../src/sessions/survey.ts';
import { Surveyor } from '../../src/sessions/surveyor.ts';
import { dump, faultOf, INCARNATION, makeDetails, nodeInfo, OTHER_INCARNATION, writeByHand } from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

contract('Survey', (f) => {
  const all = async (options = {}): Promise<Progress[]> => {
    const seen: Progress[] = [];
    for await (const progress of survey(f, { pace: 1, ...options })) seen.push(progress);
    return seen;
  };

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
  });

  test('of nothing is done at once', async () => {
    expect(await all()).toEqual([
      { scanned: 0, listed: 0, foreign: 0, foreignUsers: 0, orphans: 0, dead: 0, sample: [], done: true },
    ]);
  });

  test('classes each id: own, foreign, orphan, dead, not to be shown', async () => {
    await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
    for (let i = 0; i < 3; i++) await f.registry.register(`s${i}`, makeDetails());
    const theirs = makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION, user: 'choi' });
    for (let i = 0; i < 2; i++) await f.registry.register(`t${i}`, theirs);
    await f.redis.client.del('ws:x:node:n2');
    await f.redis.client.zrem(`ws:x:own:${INCARNATION}`, 's0'); // as a node of an older build leaves it
    await writeByHand(f.redis, 'f1', 'kim'); // a user of own sessions
    await writeByHand(f.redis, 'f2', 'lee');
    await writeByHand(f.redis, 'f3', 'lee');
    await f.redis.client.sadd('ws:sessions:all', 'dead', 'not:usable');
    const before = await dump(f.redis);
    const last = (await all()).at(-1)!;
    expect(last).toMatchObject({
      scanned: 10,
      listed: 10,
      foreign: 3,
      foreignUsers: 1,
      orphans: 3,
      dead: 1,
      done: true,
    });
    expect(last.sample.map(({ id }) => id).sort()).toEqual(['f1', 'f2', 'f3']);
    expect(await dump(f.redis)).toEqual(before);
  });

  test('goes page by page, keeps a sample of 1,000, and tells its progress', async () => {
    const pipeline = f.redis.client.pipeline();
    for (let i = 0; i < 1200; i++) pipeline.set(`ws:session:f${i}`, `u${i % 7}`).sadd('ws:sessions:all', `f${i}`);
    await pipeline.exec();
    const seen = await all();
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.map(({ done }) => done).indexOf(true)).toBe(seen.length - 1);
    for (const [i, { scanned }] of seen.entries()) expect(scanned).toBeGreaterThanOrEqual(seen[i - 1]?.scanned ?? 0);
    expect(seen.at(-1)).toMatchObject({ scanned: 1200, foreign: 1200, foreignUsers: 7 });
    expect(new Set(seen.at(-1)!.sample.map(({ id }) => id)).size).toBe(1000);
  });

  test('ends when it is told to, without having come to its end', async () => {
    const pipeline = f.redis.client.pipeline();
    for (let i = 0; i < 700; i++) pipeline.sadd('ws:sessions:all', `f${i}`);
    await pipeline.exec();
    const controller = new AbortController();
    let pages = 0;
    for await (const { done } of survey(f, { signal: controller.signal, pace: 0.01 })) {
      expect(done).toBe(false);
      if (++pages === 2) controller.abort();
    }
    expect(pages).toBe(2);
  });
});

contract('Surveyor', (f) => {
  test('adds nothing where the indexes explain all, else what the first survey found, waited for', async () => {
    await f.nodes.hold(nodeInfo());
    const surveyor = new Surveyor(f);
    f.later(() => surveyor.stop());
    await f.registry.register('s1', makeDetails());
    expect(await surveyor.unindexed(await f.overview.frame())).toEqual({ sessions: 0, users: 0, whole: true });
    await writeByHand(f.redis, 'f1', 'kim');
    await writeByHand(f.redis, 'f2', 'lee');
    await f.redis.client.sadd('ws:sessions:all', 'dead');
    expect(await surveyor.unindexed(await f.overview.frame())).toEqual({ sessions: 2, users: 1, whole: true });
  });

  test('a set that is too large to wait for is told as far as it is known', async () => {
    await writeByHand(f.redis, 'f1', 'kim');
    const surveyor = new Surveyor(f);
    f.later(() => surveyor.stop());
    const large = { own: 0, listed: 1_000_000 };
    expect(await surveyor.unindexed(large)).toEqual({ sessions: 0, users: 0, whole: false });
    const told = { sessions: 1, users: 1, whole: true };
    await until(async () => (await surveyor.unindexed(large)).whole, 5000, 'the survey');
    expect(await surveyor.unindexed(large)).toEqual(told);
  });

  test('tells what a survey failed with, once, and surveys again', async () => {
    await f.redis.client.set('ws:sessions:all', 'no set');
    const surveyor = new Surveyor(f);
    f.later(() => surveyor.stop());
    expect((await faultOf(surveyor.unindexed({ own: 0, listed: 1 }))).code).toBe('key_type');
  });
});
