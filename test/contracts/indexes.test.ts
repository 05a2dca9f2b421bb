/** What the scripts keep beside the four families to count by: a process's own sessions, and the users. */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  DAY,
  endOf,
  HOUR,
  INCARNATION,
  makeDetails,
  nodeInfo,
  OTHER_INCARNATION,
  SLACK,
  writeByHand,
} from '../helpers/floor.ts';
import { contract } from './stores.ts';

const OWN = `ws:x:own:${INCARNATION}`;

contract('Indexes', (f) => {
  const end = (key: string) => endOf(f.redis, key);
  const score = async (key: string, member: string) => {
    const found = await f.redis.client.zscore(key, member);
    return found === null ? null : Number(found);
  };
  const sees = async (id: string) => (await f.directory.get(id))!;

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
  });

  describe('the own sessions of a process', () => {
    test.each([30 * DAY, DAY, HOUR])(
      'stand by the time at which their key ends, to the millisecond: a TTL of %i ms',
      async (ttl) => {
        await f.registry.register('s1', makeDetails({ ttl }));
        expect(await score(OWN, 's1')).toBe(await end('ws:session:s1'));
        await f.registry.renew('s1', 'kim', makeDetails({ ttl }), ttl + HOUR);
        expect(await score(OWN, 's1')).toBe(await end('ws:session:s1'));
        await f.registry.refresh(await sees('s1'), HOUR / 2);
        expect(await score(OWN, 's1')).toBe(await end('ws:session:s1'));
      },
    );

    test('a session whose key was made endless by another never expires, once its owner has seen it', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.persist('ws:session:s1');
      await f.registry.renew('s1', 'kim', makeDetails(), DAY);
      expect(await f.redis.client.zscore(OWN, 's1')).toBe('inf');
      expect(await end(OWN)).toBeGreaterThan(0);
    });

    test('refresh adds none: a foreign session, and one that its owner has forgotten, stay out', async () => {
      await writeByHand(f.redis, 'f1', 'kim');
      await f.registry.refresh(await sees('f1'), HOUR);
      await f.registry.register('s1', makeDetails());
      await f.redis.client.zrem(OWN, 's1');
      await f.registry.refresh(await sees('s1'), HOUR);
      expect((await f.redis.keys()).filter((key) => key.startsWith('ws:x:own'))).toEqual([]);
    });

    test('the index outlives the last of its members by the grace of the details, and only rises', async () => {
      await f.registry.register('long', makeDetails({ ttl: 7 * DAY }));
      const last = await end('ws:x:details:long');
      await f.registry.register('short', makeDetails({ ttl: HOUR }));
      await f.registry.unregister('long', 'kim', makeDetails({ ttl: 7 * DAY }));
      expect(Math.abs((await end(OWN)) - last)).toBeLessThanOrEqual(SLACK);
      await f.registry.refresh(await sees('short'), 30 * DAY);
      expect(Math.abs((await end(OWN)) - (await end('ws:x:details:short')))).toBeLessThanOrEqual(SLACK);
    });

    test('each process has its own; the last member takes the index along', async () => {
      const theirs = makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION });
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      await f.registry.register('s1', makeDetails());
      await f.registry.register('s2', theirs);
      expect(await f.redis.client.zrange(`ws:x:own:${OTHER_INCARNATION}`, 0, -1)).toEqual(['s2']);
      await f.registry.unregister('s2', 'kim', theirs);
      expect(await f.redis.client.exists(`ws:x:own:${OTHER_INCARNATION}`)).toBe(0);
      expect(await f.redis.client.zrange(OWN, 0, -1)).toEqual(['s1']);
    });

    test('purge takes a dead process out of its index', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:x:node:n1');
      expect(await f.registry.purge(await sees('s1'))).toBe(true);
      expect((await f.redis.keys()).filter((key) => !/^ws:x:(nodes|processes|schema)/.test(key))).toEqual([]);
    });
  });

  describe('users', () => {
    test('stand by their latest connect time; an older session that is written again lowers nothing', async () => {
      await f.registry.register('s1', makeDetails({ connectedAt: 2000 }));
      await f.registry.register('s2', makeDetails({ connectedAt: 3000 }));
      await f.registry.renew('s1', 'kim', makeDetails({ connectedAt: 2000 }), DAY);
      expect(await score('ws:x:users', 'kim')).toBe(3000);
    });

    test('go with their last session, whoever removes it', async () => {
      await f.registry.register('s1', makeDetails());
      await f.registry.register('s2', makeDetails());
      await writeByHand(f.redis, 'f1', 'lee');
      await f.registry.register('s3', makeDetails({ user: 'lee' }));
      await f.registry.unregister('s1', 'kim', makeDetails());
      await f.registry.unregister('s3', 'lee', makeDetails({ user: 'lee' }));
      expect(await f.redis.client.zrange('ws:x:users', 0, -1)).toEqual(['kim', 'lee']);
      await f.registry.unregister('s2', 'kim', makeDetails());
      await f.registry.purge(await sees('f1'));
      expect(await f.redis.client.exists('ws:x:users')).toBe(0);
    });

    test('of a session that another program gave to another user: neither stays', async () => {
      await f.registry.register('s1', makeDetails());
      await writeByHand(f.redis, 's1', 'lee');
      expect(await f.registry.renew('s1', 'kim', makeDetails(), DAY)).toBe('lee');
      expect(await f.redis.client.zrange('ws:x:users', 0, -1)).toEqual(['kim', 'lee']);
      await f.registry.unregister('s1', 'lee', makeDetails());
      expect(await f.redis.client.exists('ws:x:users', 'ws:user:kim', 'ws:user:lee')).toBe(0);
    });

    test('of a session whose key and set are gone: not named either', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:session:s1', 'ws:user:kim');
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.client.exists('ws:x:users')).toBe(0);
    });
  });

  test.each([OWN, 'ws:x:users'])(
    '%s of another type is not ours and stays; unregister removes the rest',
    async (key) => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del(key);
      await f.redis.client.rpush(key, 'a list');
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect((await f.redis.keys()).filter((one) => !/^ws:x:(node|processes|schema)/.test(one))).toEqual([key]);
    },
  );
});
