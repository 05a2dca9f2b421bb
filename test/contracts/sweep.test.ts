/** The sweep: what it finds wrong with sets and indexes, what it mends, and what it leaves alone. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RestoreOutcome } from '../../src/sessions/control.ts';
import type { Details } from '../../src/sessions/model.ts';
import { reapProcess } from '../../src/sessions/sweep/dead.ts';
import { Examiner } from '../../src/sessions/sweep/examine.ts';
import { countForeign } from '../../src/sessions/sweep/foreign.ts';
import { mend } from '../../src/sessions/sweep/mend.ts';
import { type PassOptions, pass } from '../../src/sessions/sweep/pass.ts';
import {
  DAY,
  dump,
  endOf,
  HOUR,
  INCARNATION,
  makeDetails,
  nodeInfo,
  OTHER_INCARNATION,
  writeByHand,
} from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

const OWN = `ws:x:own:${INCARNATION}`;
const THEIRS = `ws:x:own:${OTHER_INCARNATION}`;
const NOTHING = { ghosts: 0, expired: 0, entries: 0, restored: 0, relisted: 0 };

contract('The sweep', (f) => {
  const theirs = (over: Partial<Details> = {}) => makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION, ...over });
  const other = nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION });
  const sweep = async (options: PassOptions = {}) => {
    const { met: _, ...mended } = await pass(f, { share: 1, grace: 0, ...options });
    return mended;
  };
  /** What lies in Redis but for what nodes say of themselves, and the traces of what was reaped. */
  const left = async () =>
    (await f.redis.keys()).filter((key) => !/^ws:x:(schema|nodes|processes|sweeper)$|^ws:x:(node|lost):/.test(key));
  const kill = async (name: string) => void (await f.redis.client.del(`ws:x:node:${name}`));
  /** The process answers: it has sockets for these sessions. */
  const answers = async (incarnation: string, sockets: Record<string, Details>) => {
    const asked: string[] = [];
    const stop = await f.control.listen(
      incarnation,
      {
        kick: async () => [],
        describe: async () => [],
        async restore({ sessions }) {
          asked.push(...sessions);
          return Promise.all(
            sessions.map(async (id): Promise<{ session_id: string; outcome: RestoreOutcome }> => {
              const details = Object.hasOwn(sockets, id) ? sockets[id] : undefined;
              if (!details) return { session_id: id, outcome: 'unknown' };
              await f.registry.renew(id, details.user, details, details.ttl);
              return { session_id: id, outcome: 'restored' };
            }),
          );
        },
      },
      (error) => {
        throw error;
      },
    );
    f.later(stop);
    return asked;
  };

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', HOUR);
  });

  describe('a process that died', () => {
    test.each([1, 49, 50, 51, 170])(
      'leaves %i sessions: all of them go, from everywhere, and then it',
      async (count) => {
        await f.nodes.hold(other);
        await f.registry.register('mine', makeDetails());
        for (let i = 0; i < count; i++) await f.registry.register(`t${i}`, theirs({ user: `u${i % 7}` }));
        expect(await f.nodes.processes()).toHaveLength(2);
        await kill('n2');
        const dead = (await f.nodes.processes()).filter(({ alive }) => !alive);
        expect(dead).toEqual([{ name: 'n2', incarnation: OTHER_INCARNATION, alive: false }]);
        expect(await reapProcess(dead[0]!, f)).toBe(count);
        expect(await f.nodes.processes()).toEqual([{ name: 'n1', incarnation: INCARNATION, alive: true }]);
        await f.registry.unregister('mine', 'kim', makeDetails());
        expect(await left()).toEqual([]);
      },
    );

    test('and whose name another process has now is told from it', async () => {
      await f.nodes.hold(other);
      await f.registry.register('old', theirs());
      await kill('n2');
      const again = nodeInfo({ name: 'n2', incarnation: 'incarnation-0003' });
      await f.nodes.hold(again);
      await f.registry.register('new', theirs({ incarnation: again.incarnation }));
      expect(await reapProcess(other, f)).toBe(1);
      expect((await f.directory.getAll(['old', 'new'])).sessions.map(({ id }) => id)).toEqual(['new']);
    });

    test('a process that lives loses nothing, also when it comes back in the middle', async () => {
      await f.nodes.hold(other);
      for (let i = 0; i < 120; i++) await f.registry.register(`t${i}`, theirs());
      const before = await dump(f.redis);
      expect(await reapProcess(other, f)).toBe(0);
      expect((await dump(f.redis))['ws:sessions:all']).toEqual(before['ws:sessions:all']);
      await kill('n2');
      const reap = f.registry.reap.bind(f.registry);
      const spy = vi.spyOn(f.registry, 'reap').mockImplementationOnce(reap);
      spy.mockImplementationOnce(async (gone) => {
        await f.nodes.hold(other);
        return reap(gone);
      });
      f.later(() => spy.mockRestore());
      expect(await reapProcess(other, f)).toBe(50);
      expect(await f.redis.client.scard('ws:sessions:all')).toBe(70);
      expect(await f.redis.client.zcard(THEIRS)).toBe(70);
    });

    test('what changed hands keeps all it has; entries that name no session go', async () => {
      await f.nodes.hold(other);
      await f.registry.register('mine', makeDetails());
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.zadd(THEIRS, 1, 'mine', 2, 'f1', 3, 'nobody', 4, 'not:usable', Date.now() + DAY, 'other');
      await f.redis.client.rpush('ws:session:other', 'a list');
      await kill('n2');
      const before = await dump(f.redis);
      expect(await reapProcess(other, f)).toBe(1); // nobody
      const { [THEIRS]: gone, 'ws:x:processes': _, ...rest } = before;
      expect(gone).toBeDefined();
      expect(await dump(f.redis)).toEqual({ ...rest, 'ws:x:processes': expect.anything() });
    });

    test('entries that can be no session’s go, whatever stands behind them; one that can’t be named holds nobody up', async () => {
      await f.nodes.hold(other);
      for (let i = 0; i < 60; i++) await f.registry.register(`t${i}`, theirs());
      await f.redis.client.zadd(THEIRS, 0, '', 1, 'not:usable', 2, 'x'.repeat(513), 3, 'listed');
      await f.redis.client.zadd(THEIRS, 4, Buffer.from([0xff, 0x41]));
      const behind = ['ws:session:', 'ws:session:not:usable', 'ws:x:details:', 'ws:x:details:listed'];
      for (const key of behind) await f.redis.client.set(key, 'lee');
      await f.redis.client.rpush('ws:session:listed', 'a list');
      await kill('n2');
      expect(await reapProcess(other, f)).toBe(60);
      expect(await f.redis.client.zrange(THEIRS, 0, -1)).toEqual(['\ufffdA']);
      expect((await left()).sort()).toEqual([...behind, 'ws:session:listed', THEIRS].sort());
    });

    describe('and whose session id another program uses again, for another user', () => {
      /** What a Spring service writes, in its order. It has a TTL of its own: here nothing takes a millisecond. */
      const reuse = async (id: string, user: string, role: string | null = 'GUEST') => {
        await f.redis.client.setex(`ws:session:${id}`, 80_000, user);
        if (role !== null) await f.redis.client.setex(`ws:session:${id}:role`, 80_000, role);
        await f.redis.client.sadd(`ws:user:${user}`, id);
        await f.redis.client.sadd('ws:sessions:all', id);
      };
      /** The foreign session is whole, and nothing is left of what n2 knew of it. */
      const isForeign = async (id: string, user: string, role: string | null = 'GUEST') => {
        const { sessions } = await f.directory.sessionsOf(user);
        expect(sessions).toMatchObject([{ id, user, role, details: null, packed: '' }]);
        expect(await f.redis.client.sismember('ws:user:kim', id)).toBe(0);
        expect(await f.redis.client.zscore('ws:x:newest', id)).toBeNull();
        expect(await f.redis.client.zscore(THEIRS, id)).toBeNull();
      };
      const ids = Array.from({ length: 110 }, (_, i) => `t${i}`);
      beforeEach(async () => {
        await f.nodes.hold(other);
      });

      test('it stays, among others that go, and so does its TTL; what the process left of it goes', async () => {
        for (const id of ids) await f.registry.register(id, theirs());
        const roles = { t0: 'GUEST', t60: null, t109: 'AGENT' };
        for (const [id, role] of Object.entries(roles)) await reuse(id, `lee-${id}`, role);
        await f.redis.client.expire('ws:session:t0', 100);
        await kill('n2');
        expect(await reapProcess(other, f)).toBe(ids.length - 3);
        for (const [id, role] of Object.entries(roles)) await isForeign(id, `lee-${id}`, role);
        expect(await f.redis.client.ttl('ws:session:t0')).toBeLessThanOrEqual(100);
        expect((await f.redis.client.smembers('ws:sessions:all')).sort()).toEqual(['t0', 't109', 't60']);
        expect(await f.redis.client.exists('ws:user:kim', 'ws:x:users', 'ws:x:newest', THEIRS)).toBe(0);
        expect(await f.nodes.processes()).toHaveLength(1);
        expect(await sweep()).toEqual(NOTHING);
      });

      test('once its TTL ran out, and only details are left: a pass removes these, and the session stays', async () => {
        await f.registry.register('t1', theirs());
        await kill('n2');
        await f.redis.client.del('ws:session:t1', 'ws:session:t1:role', THEIRS);
        await reuse('t1', 'lee', null);
        expect(await sweep()).toEqual({ ...NOTHING, entries: 1 });
        await isForeign('t1', 'lee', null);
        expect(await sweep()).toEqual(NOTHING);
      });

      test('while a pass waits to remove what is left: it is left alone, and the next pass mends', async () => {
        await f.registry.register('t1', theirs());
        await kill('n2');
        await f.redis.client.del('ws:session:t1');
        const { findings } = await new Examiner(f).examine(['t1']);
        await reuse('t1', 'lee');
        expect(await mend(findings, f)).toEqual(NOTHING);
        expect(await sweep()).toEqual({ ...NOTHING, entries: 1 });
        await isForeign('t1', 'lee');
      });

      test('whose process lives and has no such session: the same', async () => {
        await answers(OTHER_INCARNATION, {});
        await f.redis.client.pexpire('ws:x:node:n2', HOUR);
        await f.registry.register('t1', theirs());
        await reuse('t1', 'lee');
        await f.redis.client.zrem('ws:x:newest', 't1');
        expect(await sweep()).toEqual({ ...NOTHING, entries: 1 });
        await isForeign('t1', 'lee');
      });

      test('of the same user it can not be told from one that was renewed elsewhere: it goes', async () => {
        await f.registry.register('t1', theirs());
        await reuse('t1', 'kim');
        await kill('n2');
        expect(await reapProcess(other, f)).toBe(1);
        expect(await left()).toEqual([]);
      });

      test('purged by an operator it goes, as any foreign one', async () => {
        await f.registry.register('t1', theirs());
        await reuse('t1', 'lee');
        await kill('n2');
        expect(await f.registry.purge((await f.directory.get('t1'))!)).toBe(true);
        expect(await left()).toEqual([]);
      });
    });

    test('sessions that its index does not hold are met by a pass', async () => {
      await f.nodes.hold(other);
      for (const id of ['t1', 't2']) await f.registry.register(id, theirs());
      await f.redis.client.del('ws:session:t2');
      await kill('n2');
      await f.redis.client.del(THEIRS);
      expect(await sweep()).toEqual({ ...NOTHING, ghosts: 1, expired: 1 });
      expect(await left()).toEqual([]);
    });
  });

  describe('ids without a session', () => {
    test('of another program go from the set of all and from the set of their user', async () => {
      for (const id of ['f1', 'f2']) await writeByHand(f.redis, id, 'lee');
      await writeByHand(f.redis, 'f3', 'han');
      const { met } = await pass(f, { share: 1, grace: 0 });
      expect([...met].sort()).toEqual(['han', 'lee']);
      await f.redis.client.del('ws:session:f1', 'ws:session:f3');
      // han has no session any more: that a pass before met one is how it is known.
      expect(await sweep({ met })).toEqual({ ...NOTHING, expired: 4 });
      expect(await left()).toEqual(['ws:session:f2', 'ws:sessions:all', 'ws:user:lee']);
      expect(await f.redis.client.smembers('ws:user:lee')).toEqual(['f2']);
      expect(await sweep()).toEqual(NOTHING);
    });

    test('stay for as long as another program may be writing them key by key', async () => {
      await f.redis.client.sadd('ws:sessions:all', 'f1');
      await f.redis.client.sadd('ws:user:lee', 'f1', 'f2');
      await writeByHand(f.redis, 'f2', 'lee');
      await f.redis.client.del('ws:session:f2');
      const prune = vi.spyOn(f.registry, 'prune');
      const reap = vi.spyOn(f.registry, 'reap');
      const inspect = vi.spyOn(f.directory, 'inspect');
      const began = performance.now();
      const swept = sweep({ grace: 500, met: new Set(['lee']) });
      await until(() => inspect.mock.calls.length > 0);
      await f.redis.client.set('ws:session:f1', 'lee');
      expect([prune, reap].map((spy) => spy.mock.calls.length)).toEqual([0, 0]);
      expect(await swept).toEqual({ ...NOTHING, expired: 2 });
      expect(performance.now() - began).toBeGreaterThan(400);
      expect((await f.directory.sessionsOf('lee')).sessions.map(({ id }) => id)).toEqual(['f1']);
      for (const spy of [prune, reap, inspect]) spy.mockRestore();
    });

    test('one whose session key comes while it waits is left alone', async () => {
      await f.redis.client.sadd('ws:sessions:all', 'f1', 'f2');
      await f.redis.client.sadd('ws:user:lee', 'f1', 'f2');
      const { findings } = await new Examiner(f).examine(['f1', 'f2']);
      expect(findings.map(({ fault, act, gone }) => [gone.id, fault, act])).toEqual([
        ['f1', 'expired_id', 'reap'],
        ['f2', 'expired_id', 'reap'],
      ]);
      await f.redis.client.set('ws:session:f1', 'lee');
      expect(await mend(findings, f)).toEqual({ ...NOTHING, expired: 1 });
      expect(await f.redis.client.smembers('ws:sessions:all')).toEqual(['f1']);
      expect(await f.registry.prune('lee', ['f1', 'f2'])).toBe(1);
      expect(await f.redis.client.smembers('ws:user:lee')).toEqual(['f1']);
    });

    test('what can not be shown, and keys of another type, stay', async () => {
      await f.redis.client.sadd('ws:sessions:all', 'not:usable', 'listed');
      await f.redis.client.rpush('ws:session:listed', 'a list');
      await f.redis.client.rpush('ws:user:lee', 'a list');
      await writeByHand(f.redis, 'f1', 'han');
      await f.redis.client.set('ws:session:f1', 'lee');
      const before = await dump(f.redis);
      expect(await sweep()).toEqual({ ...NOTHING, expired: 0 });
      expect(await dump(f.redis)).toEqual(before);
    });

    test('of indexes go: newest, users, a process that lives', async () => {
      await answers(INCARNATION, {});
      await f.registry.register('s1', makeDetails());
      await f.redis.client.zadd('ws:x:newest', 1, 'n1', 2, 'n2');
      await f.redis.client.zadd('ws:x:users', 1, 'nobody');
      await f.redis.client.zadd(OWN, 1, 'o1', Date.now() + DAY, 'o2');
      expect(await sweep()).toMatchObject({ ghosts: 0 });
      expect(await f.redis.client.zrange('ws:x:newest', 0, -1)).toEqual(['s1']);
      expect(await f.redis.client.zrange('ws:x:users', 0, -1)).toEqual(['kim']);
      expect(await f.redis.client.zrange(OWN, 0, -1)).toEqual(['s1']);
      expect(await sweep()).toEqual(NOTHING);
    });

    test('in an index that belong to another: the entry goes, the session stays', async () => {
      await answers(INCARNATION, {});
      await f.nodes.hold(other);
      await f.registry.register('t1', theirs());
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.zadd('ws:x:newest', 5, 'f1');
      await f.redis.client.zadd(OWN, Date.now() + DAY, 't1', Date.now() + DAY, 'f1');
      await sweep();
      expect(await sweep()).toEqual(NOTHING);
      expect(await f.redis.client.exists(OWN)).toBe(0);
      expect(await f.redis.client.zrange('ws:x:newest', 0, -1)).toEqual(['t1']);
      expect((await f.directory.count()).sessions).toBe(2);
    });
  });

  describe('a session of a process that lives', () => {
    const LOSSES: [string, (...keys: never[]) => Promise<unknown>][] = [
      ['its session key', () => f.redis.client.del('ws:session:s1')],
      ['its role', () => f.redis.client.del('ws:session:s1:role')],
      ['its place in the set of all', () => f.redis.client.srem('ws:sessions:all', 's1')],
      ['its place in the set of its user', () => f.redis.client.srem('ws:user:kim', 's1')],
      ['its place among the newest', () => f.redis.client.zrem('ws:x:newest', 's1')],
      ['its place among the own', () => f.redis.client.zrem(OWN, 's1')],
      ['its user', () => f.redis.client.zrem('ws:x:users', 'kim')],
      ['its details', () => f.redis.client.del('ws:x:details:s1')],
      ['its details to garbage', () => f.redis.client.set('ws:x:details:s1', 'garbage')],
      [
        'its details to a list',
        async () => {
          await f.redis.client.del('ws:x:details:s1');
          await f.redis.client.rpush('ws:x:details:s1', 'a list');
        },
      ],
      ['its key and its details', () => f.redis.client.del('ws:session:s1', 'ws:x:details:s1')],
      ['the set of all', () => f.redis.client.del('ws:sessions:all')],
      [
        'all four families',
        () => f.redis.client.del('ws:session:s1', 'ws:session:s1:role', 'ws:user:kim', 'ws:sessions:all'),
      ],
      ['all indexes', () => f.redis.client.del(OWN, 'ws:x:newest', 'ws:x:users')],
    ];
    const whole = async () => {
      const keys = await dump(f.redis);
      return Object.fromEntries(
        Object.entries(keys).map(([key, [type, value]]) => [key, /own/.test(key) ? type : value]),
      );
    };

    test.each(LOSSES)('that lost %s is written again by its owner', async (_, lose) => {
      const asked = await answers(INCARNATION, { s1: makeDetails(), s2: makeDetails() });
      for (const id of ['s1', 's2']) await f.registry.register(id, makeDetails());
      const before = await whole();
      await lose();
      const mended = await sweep();
      expect(mended).toMatchObject({ ghosts: 0, expired: 0, entries: 0 });
      expect(mended.restored).toBeGreaterThan(0);
      expect(await whole()).toEqual(before);
      expect(asked).toContain('s1');
      expect(await sweep()).toEqual(NOTHING);
    });

    test('that is whole is not asked for', async () => {
      const asked = await answers(INCARNATION, {});
      await f.registry.register('s1', makeDetails());
      await f.registry.register('s2', makeDetails({ role: null, userAgent: null }));
      await writeByHand(f.redis, 's2', 'lee'); // given to another user, which is another program's right
      await f.registry.renew('s2', 'lee', makeDetails({ role: null, userAgent: null }), DAY);
      const before = await dump(f.redis);
      expect(await sweep()).toEqual({ ...NOTHING, expired: 1 }); // in the set of kim
      expect(asked).toEqual([]);
      expect(await dump(f.redis)).toEqual({ ...before, 'ws:user:kim': expect.anything() });
    });

    test('that its owner does not know is removed', async () => {
      await answers(INCARNATION, { s1: makeDetails() });
      for (const id of ['s1', 's2', 's3']) await f.registry.register(id, makeDetails());
      await f.redis.client.del('ws:session:s2');
      await f.redis.client.zrem(OWN, 's3');
      expect(await sweep()).toEqual({ ...NOTHING, ghosts: 1, expired: 1 });
      expect((await f.directory.sessionsOf('kim')).sessions.map(({ id }) => id)).toEqual(['s1']);
      expect(await f.redis.client.exists('ws:x:details:s2', 'ws:x:details:s3')).toBe(0);
    });

    test('that expired is left to its owner for some seconds, then asked for', async () => {
      const asked = await answers(INCARNATION, {});
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:session:s1');
      await f.redis.client.zadd(OWN, Date.now() - 1000, 's1');
      expect(await sweep()).toEqual(NOTHING);
      await f.redis.client.zadd(OWN, Date.now() - 10_000, 's1');
      expect(await sweep()).toEqual({ ...NOTHING, expired: 1 });
      expect(asked).toEqual(['s1']);
      expect(await left()).toEqual([]);
    });

    test('whose owner does not answer stays', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:session:s1');
      const before = await dump(f.redis);
      expect(await sweep()).toEqual(NOTHING);
      expect(await dump(f.redis)).toEqual(before);
    });
  });

  describe('a session of another program whose user’s set does not hold it', () => {
    const KIM = 'ws:user:kim';
    const online = async () => (await f.directory.sessionsOf('kim')).sessions.map(({ id }) => id).sort();

    test('is put in when the set ran out; the set lasts as long as the last of its members', async () => {
      await writeByHand(f.redis, 'f1', 'kim', 3600);
      await writeByHand(f.redis, 'f2', 'kim');
      await f.registry.refresh((await f.directory.get('f1'))!, HOUR); // the set has a TTL from now on
      await f.redis.client.del(KIM);
      expect(await online()).toEqual([]);
      expect(await sweep()).toEqual({ ...NOTHING, relisted: 2 });
      expect(await online()).toEqual(['f1', 'f2']);
      expect(await endOf(f.redis, KIM)).toBe(await endOf(f.redis, 'ws:session:f2'));
      const before = await dump(f.redis);
      expect(await sweep()).toEqual(NOTHING);
      expect(await dump(f.redis)).toEqual(before);
    });

    test('leaves a set that is there its longer TTL, or none; and one without an end gets a set without one', async () => {
      await writeByHand(f.redis, 'f1', 'kim', 3600);
      await writeByHand(f.redis, 'f2', 'kim', 1800);
      const later = Date.now() + DAY;
      const lose = (id: string) => f.redis.client.srem(KIM, id);
      await f.redis.client.pexpireat(KIM, later);
      await lose('f2');
      expect(await sweep()).toEqual({ ...NOTHING, relisted: 1 });
      expect(await endOf(f.redis, KIM)).toBe(later);
      await f.redis.client.persist(KIM);
      await lose('f2');
      expect(await sweep()).toEqual({ ...NOTHING, relisted: 1 });
      expect(await endOf(f.redis, KIM)).toBe(-1);
      await f.redis.client.pexpireat(KIM, later);
      await writeByHand(f.redis, 'f3', 'kim', null);
      await lose('f3');
      expect(await sweep()).toEqual({ ...NOTHING, relisted: 1 });
      expect(await endOf(f.redis, KIM)).toBe(-1);
      expect(await online()).toEqual(['f1', 'f2', 'f3']);
    });

    test('must look so for the grace: what its program writes or removes meanwhile is left to it', async () => {
      for (const id of ['f1', 'f2', 'f3', 'f4']) await writeByHand(f.redis, id, 'kim');
      await f.redis.client.del(KIM);
      const { findings } = await new Examiner(f).examine(['f1', 'f2', 'f3', 'f4']);
      expect(findings.map(({ fault, act, gone }) => [gone.id, fault, act])).toEqual(
        ['f1', 'f2', 'f3', 'f4'].map((id) => [id, 'missing_index', 'relist']),
      );
      const inspect = vi.spyOn(f.directory, 'inspect');
      f.later(() => inspect.mockRestore());
      const swept = sweep({ grace: 1000 });
      await until(() => inspect.mock.calls.length > 0);
      await inspect.mock.results[0]!.value;
      expect(await f.redis.client.exists(KIM)).toBe(0);
      await f.redis.client.sadd(KIM, 'f1');
      await f.redis.client.del('ws:session:f2');
      await f.redis.client.set('ws:session:f3', 'lee');
      await f.redis.client.sadd('ws:user:lee', 'f3');
      expect(await swept).toEqual({ ...NOTHING, relisted: 1 });
      expect((await f.redis.client.smembers(KIM)).sort()).toEqual(['f1', 'f4']);
      expect(await f.redis.client.smembers('ws:user:lee')).toEqual(['f3']);
      expect(await mend(findings, f)).toEqual(NOTHING);
    });

    test('is counted meanwhile, once; what another program made of the set stays', async () => {
      for (const id of ['f1', 'f2']) await writeByHand(f.redis, id, 'kim');
      await f.redis.client.del(KIM);
      await f.redis.client.rpush(KIM, 'a list');
      expect(await sweep({ walked: 0 })).toEqual(NOTHING);
      expect(await countForeign(f)).toMatchObject({ sessions: 2, users: 1, withoutRole: 2 });
      await f.redis.client.del(KIM);
      expect(await sweep({ walked: 0 })).toEqual({ ...NOTHING, relisted: 2 });
      expect(await countForeign(f)).toMatchObject({ sessions: 2, users: 1, withoutRole: 2 });
    });

    test('costs one SISMEMBER a session, and nothing is written where nothing is wrong', async () => {
      for (let i = 0; i < 150; i++) await writeByHand(f.redis, `f${i}`, `u${i % 40}`);
      const attempt = vi.spyOn(f.store, 'attempt');
      const runAll = vi.spyOn(f.store, 'runAll');
      f.later(() => [attempt, runAll].forEach((spy) => void spy.mockRestore()));
      expect(await sweep()).toEqual(NOTHING);
      const asked = attempt.mock.calls.flatMap(([commands]) => commands.filter(([name]) => name === 'SISMEMBER'));
      expect(asked).toHaveLength(150);
      expect(runAll.mock.calls.filter(([, runs]) => runs.length > 0)).toEqual([]);
    });
  });

  test('a pass that is told to end does so', async () => {
    const end = new AbortController();
    for (let i = 0; i < 300; i++) await f.redis.client.sadd('ws:sessions:all', `f${i}`);
    end.abort();
    expect(await sweep({ signal: end.signal })).toEqual(NOTHING);
    expect(await f.redis.client.scard('ws:sessions:all')).toBe(300);
  });
});
