/** Asking a node while Redis fails: never a hang, and never "not done" for what may be done. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Handlers } from '../../src/sessions/control.ts';
import { openSessions, type Sessions } from '../../src/sessions/sessions.ts';
import { connect } from '../../src/store/connect.ts';
import { faultOf, INCARNATION, openFloor } from '../helpers/floor.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until, within } from '../helpers/wait.ts';

/** Milliseconds that a command may take. */
const TIMEOUT = 500;
const kick = { sessions: ['s1'], action_id: '01ACTION', reason: null };

/** A node that writes down what it is asked. */
const notes = (asked: unknown[]): Handlers => ({
  async kick(asks) {
    asked.push(asks);
    return [];
  },
  describe: async () => [],
});

describeWithRedis('Control, when Redis', () => {
  let redis: TestRedis;
  const opened: Sessions[] = [];
  const open = async (lasting: boolean): Promise<Sessions> => {
    const store = await connect({ url: redis.url, source: 'test', timeout: TIMEOUT, lasting });
    opened.push(openSessions(store, 'ws'));
    return opened.at(-1)!;
  };
  const waiting = () =>
    until(
      async () => /cmd=blpop/.test(String(await redis.client.client('LIST'))),
      5000,
      'the caller to wait for its answer',
    );

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    redis.resume();
    for (const { store } of opened.splice(0)) store.close();
    await redis.stop();
  });

  test.each([false, true])('dies while an answer is waited for: unknown (lasting: %s)', async (lasting) => {
    const { control } = await open(lasting);
    const asking = control.ask(INCARNATION, 'kick', kick, 60_000);
    await waiting();
    await redis.kill();
    expect(await within(asking, 10_000)).toEqual({ outcome: 'unknown' });
  });

  test.each([false, true])('stops while an answer is waited for: unknown (lasting: %s)', async (lasting) => {
    const { control } = await open(lasting);
    const asking = control.ask(INCARNATION, 'kick', kick, 1000);
    await waiting();
    redis.pause();
    expect(await within(asking, 5 * (1000 + 2 * TIMEOUT))).toEqual({ outcome: 'unknown' });
  });

  test('is gone before the request was sent: an error, since nothing was asked', async () => {
    const { control, store } = await open(true);
    await redis.kill();
    await until(() => !store.ready, 5000, 'the loss to be noticed');
    expect((await within(faultOf(control.ask(INCARNATION, 'kick', kick, 60_000)), 10_000)).code).toBe(
      'redis_unreachable',
    );
  });

  test('stops as the request is sent: unknown, for Redis may still write it when it goes on', async () => {
    const { control } = await open(false);
    const node = await openFloor(redis);
    opened.push(node);
    const asked: unknown[] = [];
    await node.control.listen(INCARNATION, notes(asked), () => {});
    redis.pause();
    const outcome = within(control.ask(INCARNATION, 'kick', kick, 1000), 10_000).catch((error) => error.code);
    const told = await outcome;
    redis.resume();
    expect(told).toEqual({ outcome: 'unknown' });
  });

  test('is back: a node that listened is asked again', async () => {
    const { control } = await open(true);
    const node = await open(true);
    const asked: unknown[] = [];
    await node.control.listen(INCARNATION, notes(asked), () => {});
    await redis.kill();
    await redis.restart();
    await until(
      async () => (await redis.client.pubsub('NUMSUB', `ws:x:wake:${INCARNATION}`))[1] === 1,
      10_000,
      'the node to listen',
    );
    await until(() => control && opened.every(({ store }) => store.ready), 10_000, 'the stores to be ready');
    expect(await control.ask(INCARNATION, 'kick', kick, 5000)).toEqual({ outcome: 'answered', results: [] });
    expect(asked).toEqual([kick]);
  });
});
