/** Leases: one living process a name, and the names of the last day. */
import { describe, expect, test } from 'vitest';
import { LEASE, NO_LOAD, RENEW_EVERY } from '../../src/sessions/nodes.ts';
import { DAY, dump, endOf, faultOf, HOUR, INCARNATION, nodeInfo, OTHER_INCARNATION, timed } from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

contract('Nodes', (f) => {
  const other = nodeInfo({ incarnation: OTHER_INCARNATION, pid: 4712 });
  const expire = async (key: string) => {
    await f.redis.client.pexpire(key, 1);
    await until(async () => (await f.redis.client.exists(key)) === 0, 1000, `${key} to run out`);
  };

  test('a lease lasts 8 s, is renewed every 2 s, and writes nothing outside ws:x:', async () => {
    expect([LEASE, RENEW_EVERY]).toEqual([8000, 2000]);
    const set = await timed(async () => expect(await f.nodes.hold(nodeInfo())).toBe('new'));
    set(await endOf(f.redis, 'ws:x:node:n1'), 8000);
    expect(await f.redis.keys()).toEqual(['ws:x:node:n1', 'ws:x:nodes', 'ws:x:processes', 'ws:x:schema']);
    expect(await f.redis.client.get('ws:x:node:n1')).toMatch(new RegExp(`^${INCARNATION}\\{`));
  });

  test('the holder renews it, with what it says of itself now', async () => {
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', 5000);
    const set = await timed(async () => expect(await f.nodes.hold(nodeInfo({ sessions: 9 }))).toBe('renewed'));
    set(await endOf(f.redis, 'ws:x:node:n1'), LEASE);
    expect((await f.nodes.list())[0]?.info).toEqual(nodeInfo({ sessions: 9 }));
  });

  test('another process of that name is told how long the lease has left, and changes nothing', async () => {
    await f.nodes.hold(nodeInfo());
    const before = await dump(f.redis);
    const left = await f.nodes.hold(other);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(LEASE);
    expect(await dump(f.redis)).toEqual(before);
    await f.redis.client.persist('ws:x:node:n1'); // by hand: a lease without an end is held all the same
    expect(await f.nodes.hold(other)).toBeGreaterThan(0);
  });

  test('another process takes the lease over once it has run out; the first one can then not renew it', async () => {
    await f.nodes.hold(nodeInfo());
    await expire('ws:x:node:n1');
    expect(await f.nodes.hold(other)).toBe('new');
    expect(await f.nodes.hold(nodeInfo())).toBeGreaterThan(0);
    expect((await f.nodes.list())[0]?.info?.incarnation).toBe(OTHER_INCARNATION);
  });

  test('a lease given back is gone, and the node forgotten', async () => {
    await f.nodes.hold(nodeInfo());
    await f.nodes.release(nodeInfo());
    expect(await f.nodes.list()).toEqual([]);
    expect(await f.redis.keys()).toEqual(['ws:x:schema']);
    await f.nodes.release(nodeInfo());
    expect(await f.nodes.hold(other)).toBe('new');
  });

  test('what belongs to a later process is not given back', async () => {
    await f.nodes.hold(other);
    const before = await dump(f.redis);
    await f.nodes.release(nodeInfo());
    expect(await dump(f.redis)).toEqual(before);
  });

  describe('list', () => {
    test('names living and dead nodes by name, and when each was last seen', async () => {
      const before = Date.now();
      for (const name of ['web-2', 'web-1', 'a.b_c']) await f.nodes.hold(nodeInfo({ name }));
      const after = Date.now();
      await expire('ws:x:node:web-1');
      const list = await f.nodes.list();
      expect(list.map(({ name, alive, info }) => [name, alive, info?.name])).toEqual([
        ['a.b_c', true, 'a.b_c'],
        ['web-1', false, undefined],
        ['web-2', true, 'web-2'],
      ]);
      for (const { seenAt } of list) {
        expect(seenAt).toBeGreaterThanOrEqual(before);
        expect(seenAt).toBeLessThanOrEqual(after);
      }
    });

    test('a node that was not seen for a day is no longer named, nor kept; one of 23 hours is', async () => {
      const now = Date.now();
      await f.redis.client.zadd('ws:x:nodes', now - DAY - 60_000, 'old', now - DAY + HOUR, 'recent');
      await f.nodes.hold(nodeInfo());
      expect((await f.nodes.list()).map(({ name }) => name)).toEqual(['n1', 'recent']);
      expect(await f.redis.client.zscore('ws:x:nodes', 'old')).toBeNull();
    });

    test.each([
      'short',
      `${INCARNATION}{"sess`,
      `${INCARNATION}null`,
      `${INCARNATION}[1]`,
      `${INCARNATION}"text"`,
      `${INCARNATION}{"connects":"many","cpu":null,"rss":{}}`,
      INCARNATION,
    ])('the lease %j of who knows what version is a lease, and does no harm', async (value) => {
      await f.nodes.hold(nodeInfo());
      await f.redis.client.set('ws:x:node:n1', value, 'PX', LEASE);
      const [node] = await f.nodes.list();
      expect(node).toMatchObject({ name: 'n1', alive: true });
      expect(node?.info).toMatchObject({ incarnation: value.slice(0, 16), pid: 0, sessions: 0, url: '', ...NO_LOAD });
      expect(await f.nodes.living(['n1'])).toEqual(new Map([['n1', value.slice(0, 16)]]));
    });

    test('what another wrote into the set of nodes, or over a lease, is no node', async () => {
      await f.nodes.hold(nodeInfo());
      await f.redis.client.zadd('ws:x:nodes', Date.now(), 'two\nlines', Date.now(), 'x'.repeat(65), Date.now(), 'n2');
      await f.redis.client.rpush('ws:x:node:n2', 'a list');
      expect((await f.nodes.list()).map(({ name, alive }) => [name, alive])).toEqual([
        ['n1', true],
        ['n2', false],
      ]);
    });

    test('of a lease, what is not of its type is as if it were not said', async () => {
      const hostile = {
        url: 5,
        host: {},
        pid: 'x',
        version: [],
        started_at: 7,
        sessions: null,
        draining: 1,
        cpu: 'x',
        more: 1,
      };
      for (const said of [
        hostile,
        'text',
        [1, 2],
        Object.fromEntries(Object.keys(hostile).map((name) => [name, null])),
      ]) {
        await f.nodes.hold(nodeInfo());
        await f.redis.client.set('ws:x:node:n1', INCARNATION + JSON.stringify(said));
        const nothing = { url: '', host: '', pid: 0, version: '', started_at: '', sessions: 0, draining: undefined };
        const expected = { name: 'n1', incarnation: INCARNATION, ...nothing, ...NO_LOAD };
        expect((await f.nodes.list())[0]?.info).toEqual(expected);
      }
    });

    test('a node whose name is a number keeps its own time', async () => {
      await f.nodes.hold(nodeInfo());
      await f.redis.client.zadd('ws:x:nodes', 1000, 'n0', 5000, '1000');
      const list = await f.nodes.list();
      expect(list.find(({ name }) => name === '1000')?.seenAt).toBe(5000);
    });
  });

  test('living tells name and incarnation of those whose lease lives, of those it was asked for', async () => {
    await f.nodes.hold(nodeInfo());
    await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
    expect(await f.nodes.living(['n2', 'n2', 'n9'])).toEqual(new Map([['n2', OTHER_INCARNATION]]));
    expect(await f.nodes.living([])).toEqual(new Map());
  });

  test.each(['ws:x:node:n1', 'ws:x:nodes', 'ws:x:schema', 'ws:x:processes'])(
    'with %s of another type: key_type, nothing written by hold',
    async (key) => {
      await f.redis.client.rpush(key, 'a list');
      const before = await dump(f.redis);
      expect((await faultOf(f.nodes.hold(nodeInfo()))).code).toBe('key_type');
      expect(await dump(f.redis)).toEqual(before);
    },
  );
});
