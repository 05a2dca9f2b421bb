/** A node whose name another process takes while it is away: told from one that has died, and from nobody at all. */
import { expect, test } from 'vitest';
import { REPLACED } from '../../src/server/membership/endings.ts';
import { kick } from '../../src/sessions/kick.ts';
import { LEASE } from '../../src/sessions/nodes.ts';
import { nodeInfo, OTHER_INCARNATION } from '../helpers/floor.ts';
import { type Client, startNode } from '../helpers/node.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

const LEASE_KEY = 'ws:x:node:n1';

contract('A node that was away', (f) => {
  const other = nodeInfo({ incarnation: OTHER_INCARNATION });
  const loseLease = () => f.redis.client.del(LEASE_KEY);
  /** Another process takes the name, which its lease says for so long. */
  const otherTakes = async (ms: number) => {
    await loseLease();
    expect(await f.nodes.hold(other)).toBe('new');
    await f.redis.client.pexpire(LEASE_KEY, ms);
  };
  const isListed = async (client: Client) => (await f.directory.get(client.connection.id)) !== undefined;

  test('has lost its name once another process renews the lease: it is told so once, and renews no more', async () => {
    const { lease, connect, replaced } = await startNode(f);
    const client = await connect('kim');
    await otherTakes(4000);
    await lease.renew();
    expect([lease.held, replaced]).toEqual([false, []]);
    await f.nodes.hold(other);
    await lease.renew();
    expect(replaced).toMatchObject([{ code: 'node_name_taken', exit: 1 }]);
    expect(replaced[0]!.message).toMatch(/^node n1 is another process by now, which took the name while /);
    await loseLease();
    await lease.renew();
    expect([replaced.length, await f.redis.client.exists(LEASE_KEY)]).toEqual([1, 0]);
    expect(client.closed).toBeUndefined(); // whoever started it is told, and ends it
  });

  test('has not when the lease merely ran out, or Redis lost it', async () => {
    const { lease, connect, replaced } = await startNode(f);
    const client = await connect('kim');
    for (const lose of [loseLease, () => f.redis.client.flushall()]) {
      await lose();
      await lease.renew();
      expect([lease.held, replaced]).toEqual([true, []]);
      await until(() => isListed(client), 5000, 'it to be registered again');
    }
    expect(client.closed).toBeUndefined();
  });

  test('takes it back from a process that died: its lease ends when it was seen to, however often one looks', async () => {
    const { lease, connect, replaced } = await startNode(f);
    const client = await connect('kim');
    const session = (await f.directory.get(client.connection.id))!;
    await otherTakes(1200);
    await f.registry.purge(session); // reaped meanwhile
    await until(() => lease.renew().then(() => lease.held), 10_000, 'the lease to be held again');
    await until(() => isListed(client), 5000, 'it to be registered again');
    expect(replaced).toEqual([]);
    expect(client.closed).toBeUndefined();
    // What was seen then says nothing of the next time.
    await otherTakes(LEASE);
    await lease.renew();
    expect(replaced).toEqual([]);
  });

  test('is told that it lost it also by a third process, which took it from the second', async () => {
    const { lease, replaced } = await startNode(f);
    await otherTakes(2000);
    await lease.renew();
    await loseLease();
    await f.nodes.hold(nodeInfo({ incarnation: 'incarnation-0003' }));
    await lease.renew();
    expect(replaced).toHaveLength(1);
  });

  test('and was replaced closes a page at a time; who was purged meanwhile is told that, and nothing of the other’s goes', async () => {
    const { members, lease, connect, replaced, faults } = await startNode(f);
    const clients = await Promise.all(Array.from({ length: 700 }, (_, i) => connect(`u${i % 7}`)));
    const [purged, ...others] = clients as [Client, ...Client[]];
    const target = (await f.directory.get(purged.connection.id))!;
    await otherTakes(2000);
    await f.registry.register('theirs', {
      ...target.details!,
      incarnation: OTHER_INCARNATION,
    });
    await kick([target], f, { actionId: 'a-1', reason: 'because', purge: true, timeout: 1000 });
    await lease.renew();
    await f.nodes.hold(other);
    await lease.renew();
    expect(replaced).toHaveLength(1);

    let most = 0;
    let before = 0;
    const count = () => {
      const now = clients.filter(({ closed }) => closed).length;
      most = Math.max(most, now - before);
      before = now;
    };
    const watch = setInterval(count, 0);
    await members.drain({ ending: REPLACED });
    clearInterval(watch);
    count();
    expect(most).toBeLessThanOrEqual(400); // two pages, where a timer came late
    expect(purged.closed).toEqual({ code: 4001, reason: 'because' });
    expect(purged.received).toMatch(/^ERROR\nmessage:because\ncause:kicked\ncontent-type:text\/plain\naction-id:a-1\n/);
    for (const { closed, received } of others) {
      expect(closed).toEqual({ code: 1001, reason: REPLACED.reason });
      expect(received).toMatch(/^ERROR\nmessage:[^\n]+\ncause:shutdown\n.*Connect again\./s);
    }
    expect(await members.end()).toBe(true);
    expect(await f.redis.client.smembers('ws:sessions:all')).toEqual(['theirs']);
    expect(await f.redis.client.keys('ws:x:tombstone:*')).toEqual([]);
    expect((await f.redis.client.get(LEASE_KEY))?.slice(0, 16)).toBe(OTHER_INCARNATION);
    expect(faults).toEqual([]);
  });
});
