/** Reading sessions: exactly the ids that are listed and whose session key lives, checked when they are shown. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Directory } from '../../src/sessions/directory.ts';
import type { Session } from '../../src/sessions/model.ts';
import { countAll } from '../../src/sessions/stats.ts';
import type { Argument, Store } from '../../src/store/store.ts';
import { DAY, dump, HOUR, makeDetails, meddle, nodeInfo, writeByHand } from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

contract('Directory', (f) => {
  const walk = async (directory = f.directory) => {
    const whole = { ids: [] as string[], skipped: 0 };
    for await (const { sessions, skipped } of directory.walk()) {
      whole.ids.push(...sessions.map(({ id }) => id));
      whole.skipped += skipped;
    }
    return { ...whole, ids: whole.ids.sort() };
  };
  const ids = ({ sessions }: { sessions: Session[] }) => sessions.map(({ id }) => id).sort();
  const of = async (user: string) => ids(await f.directory.sessionsOf(user));
  /** Makes a key run out, and waits until it has. */
  const expire = async (...keys: string[]) => {
    for (const key of keys) await f.redis.client.pexpire(key, 1);
    await until(async () => (await f.redis.client.exists(...keys)) === 0, 1000, 'the keys to run out');
  };

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
  });

  test('an empty Redis: nothing, and nothing fails', async () => {
    await f.redis.client.flushall();
    expect(await walk()).toEqual({ ids: [], skipped: 0 });
    expect(await f.directory.count()).toEqual({ sessions: 0, users: 0, skipped: 0 });
    expect(await f.directory.newest(10)).toEqual([]);
    expect(await f.directory.sessionsOf('nobody')).toEqual({ sessions: [], skipped: 0 });
    expect(await f.directory.get('nothing')).toBeUndefined();
    expect(await f.directory.getAll([])).toEqual({ sessions: [], skipped: 0 });
    expect(await f.redis.keys()).toEqual([]);
  });

  test('three customers and two agents: list and counts agree', async () => {
    for (const [i, user] of ['cust01', 'cust02', 'cust03', 'agent1', 'agent2', 'cust01'].entries()) {
      await f.registry.register(`s${i}`, makeDetails({ user, role: user.slice(0, 4) }));
    }
    expect((await walk()).ids).toEqual(['s0', 's1', 's2', 's3', 's4', 's5']);
    expect(await f.directory.count()).toEqual({ sessions: 6, users: 5, skipped: 0 });
    expect(await of('cust01')).toEqual(['s0', 's5']);
    const stats = await countAll(f);
    expect(stats).toMatchObject({ sessions: 6, users: 5, nodes: 1, foreign: 0, withoutRole: 0 });
    expect([...stats.byRole]).toEqual(
      expect.arrayContaining([
        ['cust', 4],
        ['agen', 2],
      ]),
    );
    expect([...stats.byNode]).toEqual([['n1', 6]]);
  });

  test('a session whose key ran out is gone from every answer at once, though the sets still name it', async () => {
    await f.registry.register('s1', makeDetails());
    await f.registry.register('s2', makeDetails());
    await expire('ws:session:s1');
    expect(await walk()).toEqual({ ids: ['s2'], skipped: 0 });
    expect(await f.directory.count()).toEqual({ sessions: 1, users: 1, skipped: 0 });
    expect(await of('kim')).toEqual(['s2']);
    expect((await f.directory.newest(10)).map(({ id }) => id)).toEqual(['s2']);
    expect(await f.directory.get('s1')).toBeUndefined();
    expect(ids(await f.directory.getAll(['s1', 's2']))).toEqual(['s2']);
    expect((await countAll(f)).sessions).toBe(1);
    expect(await f.redis.client.smembers('ws:user:kim')).toHaveLength(2);
  });

  test('sessions written by hand are listed, counted and found by user, without a node', async () => {
    await writeByHand(f.redis, 'test123', 'testUser');
    await writeByHand(f.redis, 'endless', 'testUser', null);
    await f.redis.client.set('ws:session:test123:role', 'CUSTOMER');
    expect(await walk()).toEqual({ ids: ['endless', 'test123'], skipped: 0 });
    expect(await f.directory.count()).toEqual({ sessions: 2, users: 1, skipped: 0 });
    expect(await of('testUser')).toEqual(['endless', 'test123']);
    const session = (await f.directory.get('test123'))!;
    expect(session).toEqual({
      id: 'test123',
      user: 'testUser',
      role: 'CUSTOMER',
      ttl: session.ttl,
      details: null,
      packed: '',
    });
    expect(session.ttl).toBeGreaterThan(DAY - HOUR);
    expect(await f.directory.get('endless')).toMatchObject({ role: null, ttl: null });
    expect(await countAll(f)).toMatchObject({ sessions: 2, users: 1, foreign: 2, withoutRole: 1 });
    await f.redis.client.del('ws:session:test123');
    expect((await walk()).ids).toEqual(['endless']);
  });

  test('ids with a colon, of over 512 bytes, empty, not UTF-8, or with a key of another type: skipped and counted as that', async () => {
    const { client } = f.redis;
    const bad: (string | Buffer)[] = [
      'a:b',
      's1:role',
      'x'.repeat(513),
      '한'.repeat(171),
      '',
      Buffer.from([0x61, 0xff]),
    ];
    for (const id of bad) {
      await client.set(Buffer.concat([Buffer.from('ws:session:'), Buffer.from(id)]), 'kim');
      await client.sadd('ws:sessions:all', id);
      await client.sadd('ws:user:kim', id);
    }
    await client.rpush('ws:session:list', 'a list');
    await client.sadd('ws:sessions:all', 'list');
    await client.sadd('ws:user:kim', 'list');
    const longest = 'x'.repeat(512);
    await writeByHand(f.redis, longest, 'kim');
    expect(await walk()).toEqual({ ids: [longest], skipped: 7 });
    expect(await f.directory.count()).toEqual({ sessions: 1, users: 1, skipped: 7 });
    expect(await of('kim')).toEqual([longest]);
    expect((await f.directory.sessionsOf('kim')).skipped).toBeGreaterThanOrEqual(6);
    expect(await f.directory.get('a:b')).toBeUndefined();
    expect(await f.directory.getAll(['list', longest, 's1:role'])).toMatchObject({
      skipped: 2,
      sessions: [{ id: longest }],
    });
  });

  test('role and details of another type, or details that are no details, do no harm: no role, no node', async () => {
    await writeByHand(f.redis, 'f1', 'kim');
    await f.redis.client.rpush('ws:session:f1:role', 'x');
    await f.redis.client.rpush('ws:x:details:f1', 'x');
    await writeByHand(f.redis, 'f2', 'kim');
    await f.redis.client.set('ws:x:details:f2', '["n1"]');
    expect(await f.directory.get('f1')).toMatchObject({ user: 'kim', role: null, details: null, packed: '' });
    expect(await f.directory.get('f2')).toMatchObject({ user: 'kim', role: null, details: null, packed: '["n1"]' });
    expect((await walk()).ids).toEqual(['f1', 'f2']);
  });

  describe('sessionsOf', () => {
    test("an id in another user's set counts for the user that its session key names", async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.sadd('ws:user:lee', 's1');
      expect(await of('lee')).toEqual([]);
      expect(await of('kim')).toEqual(['s1']);
      await f.redis.client.set('ws:session:s1', 'lee', 'KEEPTTL');
      expect(await of('lee')).toEqual(['s1']);
      expect(await of('kim')).toEqual([]);
    });

    test('a session that the set of all does not list is not listed here either', async () => {
      await f.registry.register('s1', makeDetails());
      await f.registry.register('s2', makeDetails());
      await f.redis.client.srem('ws:sessions:all', 's1');
      expect(await of('kim')).toEqual(['s2']);
      expect((await walk()).ids).toEqual(['s2']);
      expect((await f.directory.newest(5)).map(({ id }) => id)).toEqual(['s2']);
      expect((await f.directory.get('s1'))?.id).toBe('s1'); // looked up by its id it is there
    });

    test('a user with more sessions than a page has: each once', async () => {
      for (let i = 0; i < 230; i++) await f.registry.register(`s${i}`, makeDetails());
      expect(new Set(await of('kim')).size).toBe(230);
      expect(await of('kim')).toHaveLength(230);
    });
  });

  test('getAll: each once, in the order asked for, over several pages', async () => {
    const wanted: string[] = [];
    for (let i = 0; i < 230; i++) {
      wanted.unshift(`s${i}`);
      await f.registry.register(`s${i}`, makeDetails());
    }
    const { sessions } = await f.directory.getAll([...wanted, 'unknown', ...wanted]);
    expect(sessions.map(({ id }) => id)).toEqual(wanted);
  });

  describe('walk', () => {
    test('yields what is there throughout exactly once, while others add and remove: 5,000 sessions', async () => {
      const { client } = f.redis;
      const write = async (names: string[]) => {
        const pipeline = client.pipeline();
        for (const id of names) pipeline.set(`ws:session:${id}`, 'kim').sadd('ws:sessions:all', id);
        await pipeline.exec();
      };
      const stay = Array.from({ length: 5000 }, (_, i) => `stay${i}`);
      const leave = Array.from({ length: 2000 }, (_, i) => `leave${i}`);
      await write([...stay, ...leave]);
      const seen: string[] = [];
      let come = 0;
      for await (const { sessions } of f.directory.walk()) {
        seen.push(...sessions.map(({ id }) => id));
        await write(Array.from({ length: 100 }, () => `come${come++}`)); // grows past a rehash
        const go = leave.splice(0, 50);
        if (go.length > 0) await client.srem('ws:sessions:all', ...go);
        if (come === 2000) await client.srem('ws:sessions:all', ...Array.from({ length: 1500 }, (_, i) => `come${i}`));
      }
      expect(come).toBeGreaterThan(4000);
      expect(seen.filter((id) => id.startsWith('stay')).sort()).toEqual(stay.sort());
      expect(new Set(seen).size).toBe(seen.length);
    });

    test('names each once, though SSCAN names some twice, as it may when the set is rehashed', async () => {
      for (let i = 0; i < 300; i++) await f.registry.register(`s${i}`, makeDetails());
      const before: string[] = [];
      const call = async (name: string, ...args: Argument[]) => {
        const answer = await f.store.call<[string, string[]]>(name, ...args);
        if (name !== 'SSCAN') return answer;
        const again = before.slice(0, 50);
        before.push(...answer[1]);
        return [answer[0], [...answer[1], ...again]];
      };
      const stuttering = new Proxy(f.store, {
        get: (store, name) => {
          const value: unknown = store[name as keyof Store];
          return name === 'call' ? call : typeof value === 'function' ? value.bind(store) : value;
        },
      });
      const { ids: seen } = await walk(new Directory(stuttering, f.keys));
      expect(before).toHaveLength(300);
      expect(seen).toHaveLength(300);
      expect(new Set(seen).size).toBe(300);
    });

    test('yields pages of at most 100, also of a small set that comes whole', async () => {
      for (let i = 0; i < 300; i++) {
        await f.redis.client.set(`ws:session:${i}`, 'kim');
        await f.redis.client.sadd('ws:sessions:all', i); // whole numbers: the densest encoding
      }
      const sizes: number[] = [];
      for await (const { sessions } of f.directory.walk()) sizes.push(sessions.length);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
      expect(sizes.reduce((sum, size) => sum + size)).toBe(300);
    });
  });

  describe('newest', () => {
    test('newest first, the dead left out and made up for, as many as asked for', async () => {
      for (let i = 0; i < 250; i++)
        await f.registry.register(`s${i}`, makeDetails({ connectedAt: 1_763_761_000_000 + i }));
      for (let i = 100; i < 240; i++) await f.redis.client.del(`ws:session:s${i}`);
      await writeByHand(f.redis, 'foreign', 'kim');
      const newest = (await f.directory.newest(30)).map(({ id }) => id);
      const alive = [
        ...Array.from({ length: 10 }, (_, i) => `s${249 - i}`),
        ...Array.from({ length: 20 }, (_, i) => `s${99 - i}`),
      ];
      expect(newest).toEqual(alive);
      expect(await f.directory.newest(1000)).toHaveLength(110);
      expect(await f.directory.newest(0)).toEqual([]);
    });

    test('names each once, though others connect between two pages', async () => {
      for (let i = 0; i < 150; i++)
        await f.registry.register(`s${i}`, makeDetails({ connectedAt: 1_763_761_000_000 + i }));
      let come = 0;
      const meddled = new Directory(
        meddle(f.store, 'call', async (name: string) => {
          if (name !== 'ZRANGE') return;
          for (let i = 0; i < 5; i++)
            await f.registry.register(`come${come}`, makeDetails({ connectedAt: 1_763_762_000_000 + come++ }));
        }),
        f.keys,
      );
      const seen = (await meddled.newest(150)).map(({ id }) => id);
      expect(come).toBeGreaterThan(5);
      expect(seen).toHaveLength(new Set(seen).size);
    });
  });

  describe('longestTtl', () => {
    test('the longest of the members, which may be dead, foreign or own', async () => {
      await f.registry.register('s1', makeDetails({ ttl: HOUR }));
      await writeByHand(f.redis, 'f1', 'kim', 7 * 86_400);
      await f.redis.client.sadd('ws:user:kim', 'dead');
      const longest = await f.directory.longestTtl('kim');
      expect(longest).toBeGreaterThan(7 * DAY - HOUR);
      expect(longest).toBeLessThanOrEqual(7 * DAY);
    });

    test('none when a member has no end; no more than a moment when all are dead', async () => {
      await writeByHand(f.redis, 'f1', 'kim', null);
      await f.registry.register('s1', makeDetails());
      expect(await f.directory.longestTtl('kim')).toBe('none');
      await f.redis.client.sadd('ws:user:lee', 'dead');
      expect(await f.directory.longestTtl('lee')).toBe(1);
    });
  });

  test('reading changes nothing', async () => {
    await f.registry.register('s1', makeDetails());
    await f.registry.register('dead', makeDetails());
    await writeByHand(f.redis, 'f1', 'kim');
    await f.redis.client.sadd('ws:sessions:all', 'a:b', 'orphan');
    await expire('ws:session:dead');
    const before = await dump(f.redis);
    await walk();
    await f.directory.count();
    await f.directory.newest(5);
    await f.directory.sessionsOf('kim');
    await f.directory.getAll(['s1', 'dead', 'orphan']);
    await f.directory.longestTtl('kim');
    await f.nodes.list();
    await countAll(f);
    expect(await dump(f.redis)).toEqual(before);
  });

  test('no command takes time in proportion to the number of sessions: no KEYS, no SMEMBERS, no unbounded range', async () => {
    for (let i = 0; i < 250; i++) await f.registry.register(`s${i}`, makeDetails());
    await f.redis.client.config('RESETSTAT');
    await walk();
    await f.directory.count();
    await f.directory.newest(120);
    await f.directory.sessionsOf('kim');
    await f.directory.longestTtl('kim');
    const stats = await f.redis.client.info('commandstats');
    const used = [...stats.matchAll(/^cmdstat_([a-z_|]+):/gm)].map(([, name]) => name!);
    expect(used).toEqual(expect.arrayContaining(['sscan', 'evalsha_ro', 'mget', 'zrange']));
    for (const slow of ['keys', 'smembers', 'sort', 'sunion', 'sinter', 'sdiff', 'lrange'])
      expect(used).not.toContain(slow);
  });
});
