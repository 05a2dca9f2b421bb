/** Kicking: of each session what really happened. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Handlers } from '../../src/sessions/control.ts';
import {
  isDone,
  isUnanswered,
  type KickOptions,
  type KickResult,
  kick,
  type Outcome,
} from '../../src/sessions/kick.ts';
import type { Session } from '../../src/sessions/model.ts';
import {
  dump,
  INCARNATION,
  makeDetails,
  nodeInfo,
  OTHER_INCARNATION,
  openFloor,
  writeByHand,
} from '../helpers/floor.ts';
import { until, within } from '../helpers/wait.ts';
import { contract } from './stores.ts';

contract('kick', (f) => {
  const options: KickOptions = { actionId: '01ACTION', reason: 'because', purge: false, timeout: 5000 };
  const target = async (id: string): Promise<Session> => (await f.directory.get(id))!;
  const act = (targets: Session[], over: Partial<KickOptions> = {}) => kick(targets, f, { ...options, ...over });
  const startNode = async (answer: Handlers['kick'], incarnation = INCARNATION) => {
    const own = await openFloor(f.redis);
    f.later(() => own.store.close());
    f.later(await own.control.listen(incarnation, { kick: answer, describe: async () => [] }, () => {}));
  };
  const kicksAll: Handlers['kick'] = async ({ sessions }) =>
    sessions.map((session_id) => ({ session_id, outcome: 'kicked' }));

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
  });

  test('kicked, already_gone, and unknown for one of which the node says nothing', async () => {
    for (const id of ['s1', 's2', 's3']) await f.registry.register(id, makeDetails());
    const asked: unknown[] = [];
    await startNode(async (asks) => {
      asked.push(asks);
      return [
        { session_id: 's2', outcome: 'already_gone' },
        { session_id: 's1', outcome: 'kicked' },
      ];
    });
    const results = await act([await target('s1'), await target('s2'), await target('s3')]);
    expect(asked).toEqual([{ sessions: ['s1', 's2', 's3'], action_id: '01ACTION', reason: 'because' }]);
    const row = (session_id: string, outcome: Outcome) => ({
      session_id,
      user: 'kim',
      node: 'n1',
      outcome,
      purged: false,
      took: expect.any(Number),
    });
    expect(results).toEqual([row('s1', 'kicked'), row('s2', 'already_gone'), row('s3', 'unknown')]);
  });

  test('a foreign session: no_owner and nothing changed; with purge its keys are gone', async () => {
    await writeByHand(f.redis, 'f1', 'testUser');
    const before = await dump(f.redis);
    const row = { session_id: 'f1', user: 'testUser', node: null, outcome: 'no_owner', took: expect.any(Number) };
    expect(await act([await target('f1')])).toEqual([{ ...row, purged: false }]);
    expect(await dump(f.redis)).toEqual(before);
    expect(await act([await target('f1')], { purge: true })).toEqual([{ ...row, purged: true }]);
    expect((await f.redis.keys()).filter((key) => !key.startsWith('ws:x:'))).toEqual([]);
  });

  test('a foreign session that changed since it was looked up is not purged', async () => {
    await writeByHand(f.redis, 'f1', 'testUser');
    const stale = await target('f1');
    await writeByHand(f.redis, 'f1', 'lee');
    expect(await act([stale], { purge: true })).toMatchObject([{ outcome: 'no_owner', purged: false }]);
    expect(await f.redis.client.get('ws:session:f1')).toBe('lee');
  });

  test.each([
    ['gone', async () => f.redis.client.del('ws:x:node:n1')],
    [
      'of a later process of that name',
      async () => {
        await f.redis.client.del('ws:x:node:n1');
        await f.nodes.hold(nodeInfo({ incarnation: OTHER_INCARNATION }));
      },
    ],
  ])(
    'the lease of its node is %s: node_unreachable and nothing changed; with purge its keys are gone',
    async (_, die) => {
      await f.registry.register('s1', makeDetails());
      await die();
      const before = await dump(f.redis);
      const row = { session_id: 's1', user: 'kim', node: 'n1', outcome: 'node_unreachable', took: expect.any(Number) };
      expect(await act([await target('s1')])).toEqual([{ ...row, purged: false }]);
      expect(await dump(f.redis)).toEqual(before);
      expect(await act([await target('s1')], { purge: true })).toEqual([{ ...row, purged: true }]);
      expect((await f.redis.keys()).filter((key) => !/^ws:x:(node|processes|schema|tombstone:s1$)/.test(key))).toEqual(
        [],
      );
    },
  );

  test('purge leaves the sessions of living nodes to them, answered or not', async () => {
    await f.registry.register('s1', makeDetails());
    expect(await act([await target('s1')], { purge: true, timeout: 50 })).toMatchObject([
      { outcome: 'timeout', purged: false },
    ]);
    expect(await target('s1')).toMatchObject({ user: 'kim' });
  });

  test('its node lives and does not take the request: timeout, nothing changed, no request left', async () => {
    await f.registry.register('s1', makeDetails());
    const before = await dump(f.redis);
    expect(await act([await target('s1')], { timeout: 50 })).toMatchObject([{ session_id: 's1', outcome: 'timeout' }]);
    expect(await dump(f.redis)).toEqual(before);
  });

  test('the lease of its node ends while it is waited for: node_unreachable; with purge its keys are gone', async () => {
    await f.registry.register('s1', makeDetails());
    const kicking = act([await target('s1')], { timeout: 60_000, purge: true });
    await until(async () => (await f.redis.client.keys('ws:x:request:*')).length === 1, 5000, 'the request');
    await f.redis.client.del('ws:x:node:n1');
    expect(await within(kicking, 15_000)).toMatchObject([
      { session_id: 's1', outcome: 'node_unreachable', purged: true },
    ]);
    expect((await f.redis.keys()).filter((key) => !/^ws:x:(nodes|processes|schema|tombstone:s1$)/.test(key))).toEqual(
      [],
    );
  });

  test('its node takes the request and never answers: unknown', async () => {
    await f.registry.register('s1', makeDetails());
    await startNode(() => new Promise(() => {}));
    expect(await act([await target('s1')], { timeout: 1000 })).toMatchObject([
      { session_id: 's1', outcome: 'unknown' },
    ]);
  });

  test('nodes are asked at the same time: a silent one does not hold up the others', async () => {
    await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
    await f.registry.register('s1', makeDetails());
    await f.registry.register('s2', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION }));
    let answered = false;
    await startNode(async (asks) => {
      answered = true;
      return kicksAll(asks);
    }, OTHER_INCARNATION);
    const kicking = act([await target('s1'), await target('s2')], { timeout: 3000 });
    let over = false;
    void kicking.then(() => {
      over = true;
    });
    await until(() => answered, 15_000, 'the node that answers to be asked');
    expect(over).toBe(false);
    expect(await kicking).toMatchObject([
      { session_id: 's2', outcome: 'kicked' },
      { session_id: 's1', outcome: 'timeout' },
    ]);
  });

  test('what has ended since it was looked up is already_gone, whoever owned it', async () => {
    await f.registry.register('s1', makeDetails());
    await writeByHand(f.redis, 'f1', 'testUser');
    const targets = [await target('s1'), await target('f1')];
    await f.registry.unregister('s1', 'kim', makeDetails());
    await f.redis.client.del('ws:session:f1');
    expect(await act(targets)).toMatchObject([
      { session_id: 'f1', outcome: 'already_gone' },
      { session_id: 's1', outcome: 'already_gone' },
    ]);
  });

  test('many sessions are asked for in pages of 100, each target has one result', async () => {
    const targets: Session[] = [];
    for (let i = 0; i < 230; i++) {
      await f.registry.register(`s${i}`, makeDetails());
      targets.push(await target(`s${i}`));
    }
    const pages: number[] = [];
    await startNode(async (asks) => {
      pages.push(asks.sessions.length);
      return kicksAll(asks);
    });
    const results = await act(targets);
    expect(pages).toEqual([100, 100, 30]);
    expect(results.map(({ session_id }) => session_id)).toEqual(targets.map(({ id }) => id));
    expect(results.every(({ outcome }) => outcome === 'kicked')).toBe(true);
  });

  test('no targets: no results, nobody is asked', async () => {
    expect(await act([])).toEqual([]);
  });

  describe('what an outcome means', () => {
    test.each<[Outcome, boolean, { done: boolean; unanswered: boolean }]>([
      ['kicked', false, { done: true, unanswered: false }],
      ['already_gone', false, { done: true, unanswered: false }],
      ['not_found', false, { done: false, unanswered: false }],
      ['no_owner', false, { done: false, unanswered: false }],
      ['no_owner', true, { done: true, unanswered: false }],
      ['node_unreachable', false, { done: false, unanswered: true }],
      ['node_unreachable', true, { done: true, unanswered: false }],
      ['timeout', false, { done: false, unanswered: true }],
      ['unknown', false, { done: false, unanswered: true }],
    ])('%s, purged: %s', (outcome, purged, { done, unanswered }) => {
      const result: KickResult = { session_id: 's1', user: null, node: null, outcome, purged, took: 0 };
      expect(isDone(result)).toBe(done);
      expect(isUnanswered(result)).toBe(unanswered);
    });
  });
});
