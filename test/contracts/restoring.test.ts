/** What a node does when whoever sweeps asks it to write sessions again. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/server/connection/connection.ts';
import { type Restoring, restore } from '../../src/server/membership/restoring.ts';
import { DAY, dump, endOf, HOUR, INCARNATION, makeDetails, nodeInfo, OTHER_INCARNATION } from '../helpers/floor.ts';
import { contract } from './stores.ts';

contract('Restoring', (f) => {
  const connections = new Map<string, Connection>();
  const faults: unknown[] = [];
  /** A socket whose client gave its last sign so long ago. */
  const socket = (id: string, idle = 0, state: Connection['state'] = 'open') => {
    const connection = { state, lastSign: performance.now() - idle } as Connection;
    connections.set(id, connection);
    return connection;
  };
  const asked = async (ids: string[], over: Partial<Restoring> = {}) =>
    Object.fromEntries(
      await restore(ids, {
        sessions: f,
        incarnation: INCARNATION,
        connections,
        forgetGhost: async () => {},
        rewrite: async () => {},
        fault: (error) => faults.push(error),
        ...over,
      }),
    );
  const own = `ws:x:own:${INCARNATION}`;

  beforeEach(async () => {
    connections.clear();
    faults.length = 0;
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', HOUR);
    await f.registry.register('s1', makeDetails());
  });

  test('what it has no socket for is unknown, what is coming or going is kept: nothing is written', async () => {
    socket('closing', 0, 'closed');
    socket('coming', 0, 'connecting');
    const before = await dump(f.redis);
    const outcomes = await asked(['s1', 'closing', 'coming']);
    expect(outcomes).toEqual({ s1: 'unknown', closing: 'kept', coming: 'kept' });
    expect(await dump(f.redis)).toEqual(before);
  });

  test.each([
    ['as its index says, where a refresh raised it', 2 * DAY, 2 * DAY],
    ['as the last sign of its client gives, where the index says less', HOUR / 2, DAY - HOUR],
  ])('a lost session key comes back with what it had left: %s', async (_, indexed, left) => {
    socket('s1', HOUR);
    await f.redis.client.del('ws:session:s1', 'ws:session:s1:role', 'ws:user:kim', 'ws:sessions:all');
    await f.redis.client.zadd(own, Date.now() + indexed, 's1');
    expect(await asked(['s1'])).toEqual({ s1: 'restored' });
    expect(Math.abs((await endOf(f.redis, 'ws:session:s1')) - Date.now() - left)).toBeLessThan(10_000);
    expect((await f.directory.sessionsOf('kim')).sessions).toMatchObject([{ id: 's1', role: 'AGENT' }]);
  });

  test('a session that lives keeps its user and its TTL; what lies beside it is written again', async () => {
    socket('s1');
    await f.redis.client.set('ws:session:s1', 'lee', 'PX', HOUR);
    await f.redis.client.zrem('ws:x:newest', 's1');
    await f.redis.client.zrem(own, 's1');
    expect(await asked(['s1'])).toEqual({ s1: 'restored' });
    expect(await f.redis.client.get('ws:session:s1')).toBe('lee');
    expect(Math.abs((await endOf(f.redis, 'ws:session:s1')) - Date.now() - HOUR)).toBeLessThan(10_000);
    expect(await f.redis.client.sismember('ws:user:lee', 's1')).toBe(1);
    expect(await f.redis.client.zscore('ws:x:newest', 's1')).not.toBeNull();
    expect(Number(await f.redis.client.zscore(own, 's1'))).toBe(await endOf(f.redis, 'ws:session:s1'));
  });

  test('one past its end is left to its own deadline, and one of another process to that', async () => {
    socket('s1', 2 * DAY);
    socket('t1');
    await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
    await f.registry.register('t1', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION }));
    await f.redis.client.del('ws:session:s1', 'ws:session:t1');
    await f.redis.client.zadd(own, Date.now() - HOUR, 's1');
    expect(await asked(['s1', 't1'])).toEqual({ s1: 'kept', t1: 'kept' });
    expect(await f.redis.client.exists('ws:session:s1', 'ws:session:t1')).toBe(0);
  });

  test('one that ends while it is written is removed again', async () => {
    const connection = socket('s1');
    await f.redis.client.del('ws:session:s1');
    const renew = f.registry.renew.bind(f.registry);
    const spy = vi.spyOn(f.registry, 'renew').mockImplementationOnce(async (...args) => {
      connection.state = 'closed'; // and its unregister is already on its way
      await f.registry.unregister('s1', 'kim', makeDetails());
      connections.delete('s1');
      return renew(...args);
    });
    f.later(() => spy.mockRestore());
    const forgetGhost = async (id: string) => {
      const found = await f.directory.get(id);
      if (found?.details) await f.registry.unregister(id, found.user, found.details);
    };
    await asked(['s1'], { forgetGhost });
    expect(await f.directory.get('s1')).toBeUndefined();
    expect(await f.redis.client.exists('ws:sessions:all', 'ws:user:kim', own)).toBe(0);
  });

  test('what Redis refuses is kept, and told', async () => {
    socket('s1');
    await f.redis.client.del('ws:session:s1', 'ws:user:kim');
    await f.redis.client.rpush('ws:user:kim', 'a list');
    expect(await asked(['s1'])).toEqual({ s1: 'kept' });
    expect(faults).toMatchObject([{ code: 'key_type' }]);
  });
});
