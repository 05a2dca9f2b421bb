/** Asking a node for its list and to drain: what is asked arrives, what is none is refused and never acted on. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type DrainAsks, MAX_REASON, MOST_SESSIONS } from '../../src/sessions/control.ts';
import { askDrain, findNode, watchDrain } from '../../src/sessions/drain.ts';
import { faultOf, HOUR, INCARNATION, makeDetails, nodeInfo, OTHER_INCARNATION } from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

const PROCESS = { name: 'n1', incarnation: INCARNATION };

contract('A node that is asked to list and to drain', (f) => {
  let asked: unknown[] = [];
  const none = async () => [];
  const listen = async (knows = true) => {
    asked = [];
    const more = {
      list: async (asks: { after: string; limit: number }) => {
        asked.push(asks);
        return [{ session_id: 's1', user: 'kim' }];
      },
      drain: async (asks: DrainAsks) => {
        asked.push(asks);
        return [{ draining: !asks.undo, stopping: false, sessions: 7 }];
      },
    };
    const handlers = { kick: none, describe: none, ...(knows ? more : {}) };
    f.later(await f.control.listen(INCARNATION, handlers, () => {}));
  };
  /** Puts a request there by hand, wakes the node, and gives its answer. */
  const ask = async (request: object) => {
    await f.redis.client.del('ws:x:answer:r1');
    await f.redis.client.set('ws:x:request:r1', JSON.stringify({ v: 1, ...request }), 'PX', 10_000);
    await f.redis.client.publish(`ws:x:wake:${INCARNATION}`, 'r1');
    await until(() => f.redis.client.exists('ws:x:answer:r1'), 5000, 'an answer');
    return JSON.parse((await f.redis.client.lindex('ws:x:answer:r1', 0))!);
  };
  const refused = { v: 1, error: { code: 'bad_request', message: expect.any(String) } };
  const hold = async (over = {}) => {
    await f.nodes.hold(nodeInfo(over));
    await f.redis.client.pexpire(`ws:x:node:${nodeInfo(over).name}`, HOUR);
  };

  beforeEach(async () => {
    await hold();
  });

  test('what is asked arrives, with what was left out', async () => {
    await listen();
    expect(await ask({ op: 'list', limit: 500 })).toEqual({ v: 1, results: [{ session_id: 's1', user: 'kim' }] });
    expect(await ask({ op: 'drain' })).toEqual({ v: 1, results: [{ draining: true, stopping: false, sessions: 7 }] });
    await ask({ op: 'drain', rate: 0.5, reason: 'x'.repeat(MAX_REASON), undo: true });
    expect(asked).toEqual([
      { after: '', limit: 500 },
      { rate: null, reason: null, undo: false },
      { rate: 0.5, reason: 'x'.repeat(MAX_REASON), undo: true },
    ]);
  });

  test.each<[string, object]>([
    ['a list without a limit', { op: 'list', after: '' }],
    ['a list of none', { op: 'list', limit: 0 }],
    ['a list of too many', { op: 'list', limit: MOST_SESSIONS + 1 }],
    ['a list of half a session', { op: 'list', limit: 1.5 }],
    ['a list after a number', { op: 'list', limit: 5, after: 5 }],
    ['a rate of none', { op: 'drain', rate: 0 }],
    ['a rate below none', { op: 'drain', rate: -1 }],
    ['a rate beyond all', { op: 'drain', rate: 1e12 }],
    ['a rate in words', { op: 'drain', rate: '50/s' }],
    ['a reason that is too long', { op: 'drain', reason: `${'x'.repeat(MAX_REASON)}가` }],
    ['a reason that is no text', { op: 'drain', reason: {} }],
    ['an undo in words', { op: 'drain', undo: 'yes' }],
  ])('%s is refused', async (_, request) => {
    await listen();
    expect(await ask(request)).toEqual(refused);
    expect(asked).toEqual([]);
  });

  test('a node of an older version refuses, which is told as not answered', async () => {
    await listen(false);
    expect(await ask({ op: 'drain' })).toEqual(refused);
    const fault = await faultOf(askDrain(PROCESS, f, { rate: null, reason: null, undo: false }));
    expect([fault.code, fault.message]).toEqual(['node_unreachable', expect.stringContaining('too old')]);
  });

  test('one that never takes the request, and one whose lease ends meanwhile', async () => {
    const asks = { rate: null, reason: null, undo: false };
    const silent = await faultOf(askDrain(PROCESS, f, asks, 300));
    expect(silent.message).toContain('will not act on it any more');
    const dying = faultOf(askDrain(PROCESS, f, asks, 20_000));
    await f.redis.client.del('ws:x:node:n1');
    expect((await dying).message).toContain('lost its lease before it took the request: nothing was done');
    expect((await f.redis.keys()).filter((key) => key.includes(':request:'))).toEqual([]);
  });

  test('a node is found by its name; others count that take connections', async () => {
    expect((await faultOf(findNode('n9', f))).code).toBe('node_not_found');
    expect(await findNode('n1', f)).toEqual({ process: PROCESS, sessions: 0, others: 0 });
    await f.registry.register('s1', makeDetails());
    await hold({ name: 'n2', incarnation: OTHER_INCARNATION });
    await hold({ name: 'n3', incarnation: 'incarnation-0003', draining: true });
    expect(await findNode('n1', f)).toEqual({ process: PROCESS, sessions: 1, others: 1 });
    await f.redis.client.del('ws:x:node:n1');
    expect((await faultOf(findNode('n1', f))).code).toBe('node_unreachable');
    await f.redis.client.rpush('ws:x:node:n1', 'a list');
    expect((await faultOf(findNode('n1', f))).message).toMatch(/:x:node:n1 holds another type of value$/);
  });

  describe('the wait', () => {
    const seen = async () => {
      const states: [string, number][] = [];
      for await (const { state, sessions } of watchDrain(PROCESS, f)) states.push([state, sessions]);
      return states.at(-1);
    };
    const infos = [
      ['drained', 0, { draining: true, sessions: 0 }],
      ['undone', 4, { sessions: 4 }],
    ] as const;

    test.each(infos)('ends when it is %s', async (state, sessions, info) => {
      await hold({ draining: true, sessions: 5 });
      const ended = seen();
      await hold(info);
      expect(await ended).toEqual([state, sessions]);
    });

    test('ends when its process has ended, or died with sessions, or is another', async () => {
      await hold({ draining: true, sessions: 5 });
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:x:node:n1');
      expect(await seen()).toEqual(['lost', 1]);
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await seen()).toEqual(['ended', 0]);
      await hold({ incarnation: OTHER_INCARNATION, draining: true, sessions: 2 });
      expect(await seen()).toEqual(['ended', 0]);
    });
  });

  test('what a lease says of draining is true or nothing', async () => {
    await f.redis.client.set('ws:x:node:n1', `${INCARNATION}{"draining":"yes","sessions":3}`);
    expect((await f.nodes.info(PROCESS))?.draining).toBeUndefined();
    await hold({ draining: true });
    expect((await f.nodes.list()).map(({ info }) => info?.draining)).toEqual([true]);
  });
});
