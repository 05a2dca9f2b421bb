/**
 * The doctor: each fault made by hand is found, classed and mended; a second look finds nothing; what lives goes on.
 * WSSESS_TEST_RUNS multiplies the number of runs.
 */
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type CheckOptions, check, type Report } from '../../src/sessions/doctor/doctor.ts';
import { Look } from '../../src/sessions/doctor/look.ts';
import { remedy } from '../../src/sessions/doctor/remedy.ts';
import { type Details, packDetails } from '../../src/sessions/model.ts';
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
import { contract } from './stores.ts';

const TIMES = Number(process.env.WSSESS_TEST_RUNS ?? 1);
const RUNS = 60 * TIMES;
const OWN = `ws:x:own:${INCARNATION}`;

contract('The doctor', (f) => {
  const look = (options: CheckOptions = {}) => check(f, { share: 1, grace: 0, ...options });
  const fix = (options: CheckOptions = {}) => look({ fix: true, ...options });
  const short = ({ faults }: Report) => faults.map(({ fault, session_id, fixed }) => [fault, session_id, fixed]);
  /** Finds nothing, and all that it could. */
  const clean = async () => {
    const report = await look();
    expect({ faults: report.faults, total: report.total, complete: report.complete }).toEqual({
      faults: [],
      total: 0,
      complete: true,
    });
  };
  /** Keys with their values, and whether they end. */
  const shape = async () =>
    Object.fromEntries(
      Object.entries(await dump(f.redis)).map(([key, [type, value, end]]) => [
        key,
        [type, key.startsWith('ws:x:own') ? 'ends' : value, end > 0],
      ]),
    );

  /** Sockets of the process n1, which answers. */
  let sockets: Map<string, Details>;
  const answer = async (incarnation: string, has: Map<string, Details>, over: object = {}) => {
    const known = (id: string) => has.has(id);
    f.later(
      await f.control.listen(
        incarnation,
        {
          kick: async () => [],
          describe: async ({ sessions }) => {
            const none = { idle_ms: 0, subscriptions: 0, destinations: [] };
            const counters = { recv_cnt: 0, send_cnt: 0, recv_oct: 0, send_oct: 0 };
            return sessions.filter(known).map((session_id) => ({ session_id, ...none, ...counters }));
          },
          list: async ({ after, limit }) =>
            [...has]
              .map(([session_id, { user }]) => ({ session_id, user }))
              .filter(({ session_id }) => session_id > after)
              .sort((a, b) => (a.session_id < b.session_id ? -1 : 1))
              .slice(0, limit),
          restore: async ({ sessions }) =>
            Promise.all(
              sessions.map(async (id) => {
                const details = has.get(id);
                if (!details) return { session_id: id, outcome: 'unknown' as const };
                const user = (await f.redis.client.get(`ws:session:${id}`)) ?? details.user;
                await f.registry.renew(id, user, details, details.ttl);
                return { session_id: id, outcome: 'restored' as const };
              }),
            ),
          ...over,
        },
        (error) => {
          throw error;
        },
      ),
    );
  };
  const connect = async (id: string, over: Partial<Details> = {}) => {
    const details = makeDetails(over);
    sockets.set(id, details);
    await f.registry.register(id, details);
  };

  beforeEach(async () => {
    sockets = new Map();
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', HOUR);
    await answer(INCARNATION, sockets);
  });

  test('of an empty Redis, and of what is whole: nothing; nothing is written but requests', async () => {
    await clean();
    await connect('s1');
    await connect('s2', { role: null, user: 'lee' });
    await writeByHand(f.redis, 'f1', 'lee');
    const before = await dump(f.redis);
    const report = await look();
    expect(report).toMatchObject({
      complete: true,
      nodesMissing: [],
      checked: { sessions: 3, users: 2, endless: 0 },
      total: 0,
      counts: { ghost: 0, bad_id: 0 },
    });
    expect(await dump(f.redis)).toEqual(before);
    await fix();
    expect(await dump(f.redis)).toEqual(before);
  });

  describe('a session of a living node', () => {
    const FAULTS: [string, string, () => Promise<unknown>][] = [
      ['its session key', 'expired_id', () => f.redis.client.del('ws:session:s1')],
      ['its role', 'missing_index', () => f.redis.client.del('ws:session:s1:role')],
      ['its place in the set of all', 'unlisted', () => f.redis.client.srem('ws:sessions:all', 's1')],
      ['its place in the set of its user', 'missing_index', () => f.redis.client.srem('ws:user:kim', 's1')],
      ['its place among the newest', 'missing_index', () => f.redis.client.zrem('ws:x:newest', 's1')],
      ['its place among the own', 'missing_index', () => f.redis.client.zrem(OWN, 's1')],
      ['its user', 'missing_index', () => f.redis.client.zrem('ws:x:users', 'kim')],
      ['its details', 'missing_index', () => f.redis.client.del('ws:x:details:s1')],
      ['its details to nothing', 'missing_index', () => f.redis.client.set('ws:x:details:s1', '')],
      ['its details to garbage', 'missing_index', () => f.redis.client.set('ws:x:details:s1', 'garbage')],
      [
        'its details to bytes',
        'missing_index',
        () => f.redis.client.set('ws:x:details:s1', Buffer.from('["\xff', 'latin1')),
      ],
      [
        'its details to a figure that cannot be',
        'missing_index',
        () => f.redis.client.set('ws:x:details:s1', packDetails(makeDetails({ ttl: 0 }))),
      ],
      [
        'its details to a list',
        'missing_index',
        async () => {
          await f.redis.client.del('ws:x:details:s1');
          await f.redis.client.rpush('ws:x:details:s1', 'a', 'list');
        },
      ],
      [
        'its details to garbage, and its place among the own',
        'missing_index',
        async () => {
          await f.redis.client.set('ws:x:details:s1', 'garbage');
          await f.redis.client.zrem(OWN, 's1');
        },
      ],
      ['its TTL', 'no_ttl', () => f.redis.client.persist('ws:session:s1')],
      ['the TTL of its role', 'no_ttl', () => f.redis.client.persist('ws:session:s1:role')],
      ['the TTL of the set of its user', 'no_ttl', () => f.redis.client.persist('ws:user:kim')],
      [
        'all TTLs',
        'no_ttl',
        async () => {
          for (const key of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim']) await f.redis.client.persist(key);
        },
      ],
      [
        'all there was of it',
        'unlisted',
        async () => {
          await f.redis.client.del('ws:session:s1', 'ws:session:s1:role', 'ws:x:details:s1', 'ws:user:kim');
          await f.redis.client.srem('ws:sessions:all', 's1');
          for (const key of ['ws:x:newest', OWN, 'ws:x:users']) await f.redis.client.zrem(key, 's1', 'kim');
        },
      ],
      [
        'all but its session key',
        'unlisted',
        async () => {
          await f.redis.client.del('ws:x:details:s1', 'ws:user:kim', 'ws:session:s1:role');
          await f.redis.client.srem('ws:sessions:all', 's1');
          for (const key of ['ws:x:newest', OWN, 'ws:x:users']) await f.redis.client.zrem(key, 's1', 'kim');
        },
      ],
    ];

    test.each(FAULTS)('that lost %s: %s, and it is whole again', async (_, fault, damage) => {
      await connect('s1');
      await connect('s2', { user: 'lee' });
      const before = await shape();
      await damage();
      const damaged = await dump(f.redis);
      const found = await look();
      expect(found.faults.map((one) => [one.fault, one.fixed])).toContainEqual([fault, false]);
      expect(found.fixed).toBe(0);
      expect(found.mendable).toBe(found.total);
      expect(await dump(f.redis)).toEqual(damaged);
      const mended = await fix();
      expect([mended.total, mended.fixed]).toEqual([mended.total, mended.total]);
      await clean();
      expect(await shape()).toEqual(before);
    });

    test('details that its owner writes anew while it looks stay', async () => {
      await connect('s1');
      for (const garbage of ['garbage', '', Buffer.from([0xff])]) {
        await f.redis.client.set('ws:x:details:s1', garbage);
        const { found } = await new Look(f).at({ what: 'all', members: ['s1'] });
        expect(found.map(({ fault }) => fault)).toContain('missing_index');
        await f.redis.client.set('ws:x:details:s1', packDetails(sockets.get('s1')!), 'EX', 60);
        const end = await endOf(f.redis, 'ws:x:details:s1');
        sockets.delete('s1'); // its owner writes nothing now
        await remedy(found, f, new Set());
        sockets.set('s1', makeDetails());
        const left = [await f.redis.client.get('ws:x:details:s1'), await endOf(f.redis, 'ws:x:details:s1')];
        expect(left).toEqual([packDetails(makeDetails()), end]);
      }
    });

    test('without a socket is a ghost, and goes; its neighbour stays', async () => {
      await connect('s1');
      await connect('s2');
      sockets.delete('s1');
      expect((await look()).faults).toEqual([
        { fault: 'ghost', session_id: 's1', user: 'kim', key: f.keys.session('s1'), node: 'n1', fixed: false },
      ]);
      expect(short(await fix())).toEqual([['ghost', 's1', true]]);
      await clean();
      expect((await f.directory.sessionsOf('kim')).sessions.map(({ id }) => id)).toEqual(['s2']);
    });

    test('that ends or comes while it looks is no fault', async () => {
      await connect('s1');
      await connect('s2');
      sockets.delete('s1'); // about to be unregistered
      sockets.set('s3', makeDetails()); // about to be registered
      const looking = look({ grace: 400 });
      setTimeout(() => {
        void f.registry.unregister('s1', 'kim', makeDetails());
        void f.registry.register('s3', makeDetails());
      }, 100);
      expect(await looking).toMatchObject({ total: 0, complete: true });
    });

    test('a TTL that another gave it is not shortened', async () => {
      await connect('s1', { ttl: HOUR });
      await f.redis.client.pexpire('ws:session:s1', 7 * DAY);
      const end = await endOf(f.redis, 'ws:session:s1');
      await f.redis.client.persist('ws:user:kim');
      await f.redis.client.persist('ws:session:s1:role');
      await f.redis.client.zrem('ws:x:newest', 's1');
      await fix();
      await clean();
      for (const key of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim'])
        expect(Math.abs((await endOf(f.redis, key)) - end)).toBeLessThan(1000);
    });
  });

  describe('what a dead node left', () => {
    const theirs = makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION, user: 'lee' });
    beforeEach(async () => {
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      for (const id of ['t1', 't2', 't3']) await f.registry.register(id, theirs);
      await f.redis.client.del('ws:x:node:n2');
    });

    test('are ghosts, and go with its index', async () => {
      await connect('s1');
      await f.redis.client.del('ws:session:t2');
      await f.redis.client.zadd(`ws:x:own:${OTHER_INCARNATION}`, 1, 'nobody', 2, 's1');
      const found = await look();
      expect(found.counts).toMatchObject({ ghost: 2, orphan_index: 1 });
      expect(found.counts.expired_id).toBeGreaterThan(0);
      const mended = await fix();
      expect(mended.fixed).toBe(mended.total);
      await clean();
      expect((await f.redis.keys()).filter((key) => /lee|:t\d|incarnation-0002/.test(key))).toEqual([
        'ws:x:lost:t1', // no fault: they may come back with it
        'ws:x:lost:t3',
      ]);
      expect((await f.directory.count()).sessions).toBe(1);
    });

    test('whose node comes back while it looks are none', async () => {
      const has = new Map(['t1', 't2', 't3'].map((id) => [id, theirs]));
      await answer(OTHER_INCARNATION, has);
      const looking = fix({ grace: 1200 });
      setTimeout(() => void f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION })), 100);
      expect(await looking).toMatchObject({ total: 0, complete: true });
      expect((await f.directory.count()).sessions).toBe(3);
    });
  });

  describe('a foreign session', () => {
    test('that the sets lack is put into them again, with a TTL that is only raised', async () => {
      await writeByHand(f.redis, 'f1', 'lee');
      await writeByHand(f.redis, 'f2', 'lee');
      await f.redis.client.pexpire('ws:user:lee', HOUR);
      await writeByHand(f.redis, 'f3', 'han', 3600);
      await f.redis.client.srem('ws:sessions:all', 'f1', 'f3');
      await f.redis.client.srem('ws:user:lee', 'f2');
      await f.redis.client.srem('ws:user:han', 'f3');
      expect(short(await look()).sort()).toEqual([
        ['missing_index', 'f2', false],
        ['unlisted', 'f1', false],
        ['unlisted', 'f3', false],
      ]);
      expect((await fix()).fixed).toBe(3);
      await clean();
      expect((await f.redis.client.smembers('ws:sessions:all')).sort()).toEqual(['f1', 'f2', 'f3']);
      expect((await f.redis.client.smembers('ws:user:lee')).sort()).toEqual(['f1', 'f2']);
      for (const [set, id] of [
        ['ws:user:lee', 'f2'],
        ['ws:user:han', 'f3'],
      ] as const)
        expect(await endOf(f.redis, set)).toBe(await endOf(f.redis, `ws:session:${id}`));
    });

    test('without an end is what its program wants: no fault, and never ended', async () => {
      await writeByHand(f.redis, 'f1', 'lee', null);
      await f.redis.client.set('ws:session:f1:role', 'AGENT');
      await writeByHand(f.redis, 'f2', 'han', null);
      await f.redis.client.srem('ws:user:han', 'f2');
      await f.redis.client.sadd('ws:user:han', 'f3');
      await f.redis.client.expire('ws:user:han', 100);
      const report = await fix();
      expect(report.checked.endless).toBe(2);
      expect(report.fixed).toBe(report.total);
      await clean();
      for (const key of ['ws:session:f1', 'ws:session:f1:role', 'ws:user:lee', 'ws:session:f2', 'ws:user:han'])
        expect([key, await endOf(f.redis, key)]).toEqual([key, -1]);
    });

    test('that takes the id of one that is being mended gets no end, and stays', async () => {
      await connect('s1');
      await f.redis.client.persist('ws:session:s1');
      const { found } = await new Look(f).at({ what: 'all', members: ['s1'] });
      expect(found.map(({ fault }) => fault)).toContain('no_ttl');
      await f.registry.unregister('s1', 'kim', sockets.get('s1')!);
      sockets.delete('s1');
      await writeByHand(f.redis, 's1', 'kim', null);
      await remedy(found, f, new Set());
      expect(await endOf(f.redis, 'ws:session:s1')).toBe(-1);
      expect(await f.redis.client.sismember('ws:sessions:all', 's1')).toBe(1);
    });

    test('whose role, or whose user’s set, never ends: these get an end', async () => {
      await writeByHand(f.redis, 'f1', 'lee');
      await writeByHand(f.redis, 'f2', 'lee', 600);
      await f.redis.client.set('ws:session:f1:role', 'AGENT');
      const end = await endOf(f.redis, 'ws:session:f1');
      expect((await look()).faults).toEqual([
        { fault: 'no_ttl', session_id: 'f1', user: 'lee', key: f.keys.role('f1'), node: null, fixed: false },
        { fault: 'no_ttl', session_id: null, user: 'lee', key: f.keys.user('lee'), node: null, fixed: false },
      ]);
      await fix();
      await clean();
      expect(await endOf(f.redis, 'ws:session:f1:role')).toBe(end);
      expect(Math.abs((await endOf(f.redis, 'ws:user:lee')) - end)).toBeLessThan(1000);
    });

    describe('whose user’s set never ends, which is given one at the moment that', () => {
      const MEDDLING: [string, number, () => Promise<unknown>][] = [
        ['another joins that never ends', -1, () => writeByHand(f.redis, 'f3', 'lee', null)],
        ['one loses its end', -1, () => f.redis.client.persist('ws:session:f1')],
        ['one is renewed for longer', 7 * DAY, () => f.redis.client.pexpire('ws:session:f1', 7 * DAY)],
        ['one that was dead comes back', 7 * DAY, () => f.redis.client.set('ws:session:f0', 'lee', 'PX', 7 * DAY)],
        [
          'the last one goes',
          600_000,
          async () => {
            await f.redis.client.del('ws:session:f2');
            for (const set of ['ws:user:lee', 'ws:sessions:all']) await f.redis.client.srem(set, 'f2');
          },
        ],
        ['it gets one', HOUR, () => f.redis.client.pexpire('ws:user:lee', HOUR)],
      ];
      test.each(MEDDLING)('%s: no end that is too early, and the next run mends it', async (_, ttl, meddle) => {
        await writeByHand(f.redis, 'f1', 'lee', 600);
        await writeByHand(f.redis, 'f2', 'lee', 5000);
        await f.redis.client.sadd('ws:user:lee', 'f0');
        const { found } = await new Look(f).at({ what: 'users', members: ['lee'] });
        const run = f.store.run.bind(f.store);
        const spy = vi.spyOn(f.store, 'run').mockImplementation((async (...words: Parameters<typeof run>) => {
          if (words[0].name === 'boundset') await meddle();
          return run(...words);
        }) as typeof run);
        await remedy(
          found.filter(({ remedy: { act } }) => act === 'boundSet'),
          f,
          new Set(),
        );
        spy.mockRestore();
        const wanted = ttl === -1 ? -1 : Date.now() + ttl;
        const end = await endOf(f.redis, 'ws:user:lee');
        expect([-1, wanted].map((one) => Math.abs(one - end) < 5000)).toContain(true);
        await fix();
        await clean();
        expect(Math.abs((await endOf(f.redis, 'ws:user:lee')) - wanted)).toBeLessThan(5000);
      });
    });

    test('whose user has more than fit a page: the set ends with the one that ends last', async () => {
      for (let i = 0; i < 250; i++) await writeByHand(f.redis, `f${i}`, 'lee', 600 + i);
      expect((await fix()).counts.no_ttl).toBe(1);
      await clean();
      expect(await endOf(f.redis, 'ws:user:lee')).toBe(await endOf(f.redis, 'ws:session:f249'));
    });

    test('that is being written key by key while it looks is no fault', async () => {
      await f.redis.client.set('ws:session:f1', 'lee', 'EX', 60);
      await f.redis.client.sadd('ws:sessions:all', 'f2');
      const looking = look({ grace: 400 });
      setTimeout(async () => {
        await f.redis.client.set('ws:session:f2', 'lee', 'EX', 60);
        await f.redis.client.sadd('ws:user:lee', 'f1', 'f2');
        await f.redis.client.expire('ws:user:lee', 60);
        await f.redis.client.sadd('ws:sessions:all', 'f1');
      }, 100);
      expect(await looking).toMatchObject({ total: 0 });
    });
  });

  describe('ids and entries', () => {
    test('whose session key is gone go from the sets, and an orphaned role with them', async () => {
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.set('ws:session:f1:role', 'AGENT');
      await f.redis.client.set('ws:session:f2:role', 'AGENT');
      await f.redis.client.del('ws:session:f1');
      const report = await look();
      expect(report.counts).toMatchObject({ expired_id: 2, orphan_index: 1 });
      expect((await fix()).fixed).toBe(3);
      await clean();
      expect((await f.redis.keys()).filter((key) => !key.startsWith('ws:x:'))).toEqual([]);
    });

    test('of indexes that name nobody go', async () => {
      await connect('s1');
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.zadd('ws:x:newest', 1, 'n1', 2, 'f1');
      await f.redis.client.zadd('ws:x:users', 1, 'nobody');
      await f.redis.client.zadd(OWN, 1, 'o1', Date.now() + DAY, 'o2', Date.now() + DAY, 'f1');
      const report = await fix();
      expect(report.total).toBeGreaterThan(4);
      expect(report.fixed).toBe(report.total);
      await clean();
      expect(await f.redis.client.zrange('ws:x:newest', 0, -1)).toEqual(['s1']);
      expect(await f.redis.client.zrange(OWN, 0, -1)).toEqual(['s1']);
      expect(await f.redis.client.zrange('ws:x:users', 0, -1)).toEqual(['kim']);
    });

    test('of another user in a user’s set go from there; the session stays', async () => {
      await connect('s1');
      await f.redis.client.sadd('ws:user:lee', 's1');
      await f.redis.client.expire('ws:user:lee', 60);
      expect((await fix()).faults).toEqual([
        { fault: 'orphan_index', session_id: 's1', user: 'lee', key: f.keys.user('lee'), node: null, fixed: true },
      ]);
      await clean();
      expect((await f.directory.sessionsOf('kim')).sessions).toHaveLength(1);
    });

    test('that can be no session’s go where nothing stands behind them; the rest is for a person', async () => {
      const long = 'x'.repeat(513);
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.expire('ws:user:lee', 60);
      for (const set of ['ws:sessions:all', 'ws:user:lee']) await f.redis.client.sadd(set, '', 'a:b', long);
      await f.redis.client.sadd('ws:sessions:all', 'f1:role', 'listed');
      await f.redis.client.set('ws:session:f1:role', 'AGENT', 'EX', 86_400);
      await f.redis.client.sadd('ws:sessions:all', Buffer.from([0xff, 0x41]));
      await f.redis.client.set('ws:session:c:d', 'lee', 'EX', 60);
      await f.redis.client.rpush('ws:session:listed', 'a list');
      await f.redis.client.rpush('ws:user:han', 'a list');
      const before = await look();
      expect(before.counts).toEqual({ ...before.counts, bad_id: 11, ghost: 0, expired_id: 0, unlisted: 0 });
      expect([before.total, before.mendable, before.byHand]).toEqual([11, 6, { key: 3, member: 2 }]);
      const mended = await fix();
      expect([mended.total, mended.fixed, mended.mendable]).toEqual([11, 6, 0]);
      expect((await look()).faults.map(({ fault, session_id, key }) => [fault, session_id, key]).sort()).toEqual([
        ['bad_id', null, f.keys.user('han')],
        ['bad_id', 'c:d', f.keys.session('c:d')],
        ['bad_id', 'f1:role', f.keys.all],
        ['bad_id', 'listed', f.keys.session('listed')],
        ['bad_id', '\ufffdA', f.keys.all],
      ]);
      expect((await f.directory.getAll(['f1'])).sessions).toHaveLength(1);
      expect(await f.redis.client.smembers('ws:user:lee')).toEqual(['f1']);
      expect(await f.redis.client.exists('ws:session:c:d', 'ws:session:listed', 'ws:user:han')).toBe(3);
    });

    test('of another type under all that is looked at: these are named, and nothing else is touched', async () => {
      await connect('s1');
      await f.redis.client.set('ws:session:f1', 'lee', 'EX', 60); // unlisted
      const single = ['sessions:all', 'x:newest', 'x:users', 'x:nodes', 'x:processes', 'x:sweeper', 'x:foreign'];
      const names = [...single, 'x:foreign-users', 'x:swept', 'x:node:n1'].map((name) => `ws:${name}`);
      for (const key of [...names, OWN]) {
        await f.redis.client.del('ws:kept');
        if ((await f.redis.client.exists(key)) === 1) await f.redis.client.rename(key, 'ws:kept');
        await f.redis.client.rpush(key, 'a list');
        const { faults, ...report } = await fix();
        expect(
          faults.map((one) => [one.fault, one.fixed]),
          key,
        ).toEqual([['bad_id', false]]);
        expect(faults[0]!.key!.endsWith(key.slice(2)), key).toBe(true);
        expect(report).toMatchObject({ cut: true, complete: false, mendable: 0, byHand: { key: 1, member: 0 } });
        expect(await f.redis.client.lrange(key, 0, 9)).toEqual(['a list']);
        await f.redis.client.del(key);
        if ((await f.redis.client.exists('ws:kept')) === 1) await f.redis.client.rename('ws:kept', key);
      }
      expect((await look()).faults).toMatchObject([{ fault: 'unlisted', session_id: 'f1' }]);
    });

    test('of another type, but not for long: all is looked at', async () => {
      await f.redis.client.set('ws:session:f1', 'lee', 'EX', 60); // unlisted
      await f.redis.client.rpush('ws:x:newest', 'a list');
      const looking = look({ grace: 400 });
      setTimeout(() => void f.redis.client.del('ws:x:newest'), 100);
      expect(await looking).toMatchObject({ total: 1, cut: false, complete: true, counts: { unlisted: 1 } });
    });

    test('a role of another type is for a person, named, and the only fault of its session', async () => {
      await connect('s1');
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.expire('ws:user:lee', 60);
      for (const id of ['s1', 'f1']) {
        await f.redis.client.del(`ws:session:${id}:role`);
        await f.redis.client.rpush(`ws:session:${id}:role`, 'a list');
      }
      const { faults, ...report } = await fix();
      const named = (id: string, user: string, node: string | null) =>
        ({ fault: 'bad_id', session_id: id, user, key: f.keys.role(id), node, fixed: false }) as const;
      expect(faults.sort((a, b) => (a.session_id! < b.session_id! ? -1 : 1))).toEqual([
        named('f1', 'lee', null),
        named('s1', 'kim', 'n1'),
      ]);
      expect(report).toMatchObject({ complete: true, mendable: 0, byHand: { key: 2 } });
      await f.redis.client.del('ws:session:s1:role', 'ws:session:f1:role');
      expect((await fix()).fixed).toBe(1); // its owner knows the role
      await clean();
    });

    test('details beside a foreign session that cannot be read go', async () => {
      for (const id of ['f1', 'f2', 'f3']) await writeByHand(f.redis, id, 'lee');
      await f.redis.client.expire('ws:user:lee', 86_400);
      await f.redis.client.set('ws:x:details:f1', 'garbage');
      await f.redis.client.rpush('ws:x:details:f2', 'a list');
      const { faults } = await fix();
      expect(faults.map(({ fault, key, fixed }) => [fault, key, fixed]).sort()).toEqual([
        ['orphan_index', f.keys.details('f1'), true],
        ['orphan_index', f.keys.details('f2'), true],
      ]);
      await clean();
      expect((await f.directory.count()).sessions).toBe(3);
    });

    test('that can be no session’s go from the indexes, whatever stands behind them', async () => {
      await connect('s1');
      const theirIndex = `ws:x:own:${OTHER_INCARNATION}`;
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      await f.redis.client.del('ws:x:node:n2');
      for (const index of ['ws:x:newest', OWN, theirIndex]) {
        await f.redis.client.zadd(index, Date.now() + DAY, '', Date.now() + DAY, 'a:b');
        await f.redis.client.zadd(index, Date.now() + DAY, Buffer.from([0xff, 0x41]));
      }
      await f.redis.client.set('ws:x:details:a:b', 'lee', 'EX', 60);
      const report = await fix();
      expect([report.total, report.fixed, report.counts.bad_id, report.mendable]).toEqual([9, 6, 9, 0]);
      for (const index of ['ws:x:newest', OWN, theirIndex])
        expect((await f.redis.client.zrange(index, 0, -1)).filter((id) => id !== 's1')).toEqual(['\ufffdA']);
      expect(await look()).toMatchObject({ total: 3, mendable: 0 });
      expect((await f.directory.count()).sessions).toBe(1);
    });

    test('are all counted, and as many named as wanted', async () => {
      for (let i = 0; i < 250; i++) await f.redis.client.sadd('ws:sessions:all', `f${i}`);
      const report = await look({ limit: 7 });
      expect([report.total, report.counts.expired_id, report.faults.length]).toEqual([250, 250, 7]);
      expect(await fix()).toMatchObject({ total: 250, fixed: 250 });
      await clean();
    });

    test('thousands in one user’s set are met too', async () => {
      await writeByHand(f.redis, 'f1', 'lee');
      await f.redis.client.sadd('ws:user:lee', ...Array.from({ length: 2500 }, (_, i) => `gone${i}`));
      expect((await fix({ limit: 1 })).fixed).toBe(2501); // and its TTL
      await clean();
      expect(await f.redis.client.smembers('ws:user:lee')).toEqual(['f1']);
    });
  });

  test('a node that does not answer is missing, and no clean bill is given', async () => {
    await f.nodes.hold(nodeInfo({ name: 'mute', incarnation: OTHER_INCARNATION }));
    await f.redis.client.pexpire('ws:x:node:mute', HOUR);
    await f.registry.register('t1', makeDetails({ node: 'mute', incarnation: OTHER_INCARNATION }));
    await connect('s1');
    sockets.delete('s1');
    const report = await fix();
    expect(report).toMatchObject({ complete: false, nodesMissing: ['mute'], total: 1, fixed: 1 });
    expect((await f.directory.count()).sessions).toBe(1);
  });

  test('a node that does not mend what it is asked for: that is left, and the node missing', async () => {
    await f.nodes.hold(nodeInfo({ name: 'old', incarnation: OTHER_INCARNATION }));
    await f.redis.client.pexpire('ws:x:node:old', HOUR);
    const theirs = makeDetails({ node: 'old', incarnation: OTHER_INCARNATION });
    const has = new Map([['t1', theirs]]);
    await answer(OTHER_INCARNATION, has, { restore: undefined });
    for (const id of ['t1', 't2']) await f.registry.register(id, theirs);
    await f.redis.client.zrem('ws:x:newest', 't1');
    expect((await look()).total).toBe(2);
    const report = await fix();
    expect(short(report)).toContainEqual(['missing_index', 't1', false]);
    expect(report).toMatchObject({ fixed: 0, complete: false, nodesMissing: ['old'] });
    await f.redis.client.zadd('ws:x:newest', 1, 't1');
    const ghost = await fix(); // answers until it is asked to mend
    expect(short(ghost)).toEqual([['ghost', 't2', false]]);
    expect(ghost).toMatchObject({ fixed: 0, complete: false, nodesMissing: ['old'] });
    expect((await f.directory.count()).sessions).toBe(2);
  });

  test('more sessions than fit one page of a node’s list', async () => {
    for (let i = 0; i < 230; i++) await connect(`s${i}`);
    await f.redis.client.del('ws:session:s77', 'ws:session:s77:role', 'ws:x:details:s77');
    await f.redis.client.srem('ws:sessions:all', 's77');
    await f.redis.client.srem('ws:user:kim', 's77');
    for (const key of ['ws:x:newest', OWN]) await f.redis.client.zrem(key, 's77');
    sockets.delete('s78');
    expect(short(await fix()).sort()).toEqual([
      ['ghost', 's78', true],
      ['unlisted', 's77', true],
    ]);
    await clean();
    expect((await f.directory.count()).sessions).toBe(229);
  });

  test('told to stop, it does, and gives no clean bill', async () => {
    const end = new AbortController();
    end.abort();
    expect(await look({ signal: end.signal })).toMatchObject({ complete: false });
  });

  test('told to stop among keys of others, it goes no further', async () => {
    const others = Array.from({ length: 5000 }, (_, i) => [`ws:x:other:${i}`, '']).flat();
    await f.redis.client.mset(...others);
    const end = new AbortController();
    const call = f.store.call.bind(f.store);
    let scans = 0;
    const spy = vi.spyOn(f.store, 'call').mockImplementation(((...words: Parameters<typeof call>) => {
      if (words[0] === 'SCAN' && ++scans === 2) end.abort();
      return call(...words);
    }) as typeof call);
    f.later(() => spy.mockRestore());
    expect(await look({ signal: end.signal })).toMatchObject({ complete: false });
    expect(scans).toBe(2);
  });

  test(
    'random damage: mended, a second look finds nothing, and nothing that lives was ended',
    async () => {
      const own = ['o1', 'o2', 'o3'];
      const foreign = ['f1', 'f2', 'f3'];
      const users = ['kim', 'lee', '__proto__'];
      const id = fc.constantFrom(...own, ...foreign, 'nobody', 'a:b', '');
      const user = fc.constantFrom(...users);
      const set = fc.constantFrom('ws:sessions:all', ...users.map((one) => `ws:user:${one}`));
      const zset = fc.constantFrom('ws:x:newest', 'ws:x:users', OWN, `ws:x:own:${OTHER_INCARNATION}`);
      const key = fc.oneof(
        set,
        zset,
        id.map((one) => `ws:session:${one}`),
        id.map((one) => `ws:session:${one}:role`),
        id.map((one) => `ws:x:details:${one}`),
      );
      const damage = fc.oneof(
        fc.tuple(fc.constant('sadd'), set, id),
        fc.tuple(fc.constant('srem'), set, id),
        fc.tuple(fc.constant('zadd'), zset, fc.constantFrom('1', '+inf'), fc.oneof(id, user)),
        fc.tuple(fc.constant('zrem'), zset, fc.oneof(id, user)),
        fc.tuple(fc.constant('del'), key),
        fc.tuple(fc.constant('persist'), key),
        fc.tuple(
          fc.constant('set'),
          id.map((one) => `ws:session:${one}`),
          user,
          fc.constant('EX'),
          fc.constant('5000'),
        ),
        fc.tuple(
          fc.constant('set'),
          id.map((one) => `ws:session:${one}`),
          user,
        ),
        fc.tuple(
          fc.constant('set'),
          id.map((one) => `ws:session:${one}:role`),
          fc.constant('X'),
        ),
        fc.tuple(fc.constant('unplug'), fc.constantFrom(...own)),
      );
      const run = fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 14 }), async (steps) => {
        await f.redis.client.flushall();
        sockets.clear();
        await f.nodes.hold(nodeInfo());
        await f.redis.client.pexpire('ws:x:node:n1', HOUR);
        await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
        for (const [i, one] of own.entries()) await connect(one, { user: users[i]!, role: i === 1 ? null : 'AGENT' });
        await f.registry.register('dead', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION }));
        await f.redis.client.del('ws:x:node:n2');
        for (const [i, one] of foreign.entries()) await writeByHand(f.redis, one, users[i]!, i === 2 ? null : 5000);
        for (const [command, ...args] of steps) {
          if (command === 'unplug') sockets.delete(args[0]!);
          else await f.redis.client.call(command, ...args);
        }
        const living = new Map<string, number>();
        for (const one of [...foreign, 'nobody']) {
          const end = await endOf(f.redis, `ws:session:${one}`);
          // What the details of a node name is the node's, as far as can be known.
          if (end !== -2) living.set(one, end);
        }
        const mended = await fix();
        const left = mended.faults.filter(({ fixed, fault }) => !fixed && fault !== 'bad_id');
        expect(left).toEqual([]);
        const again = await look();
        expect(again.faults.filter(({ fault }) => fault !== 'bad_id')).toEqual([]);
        expect([again.mendable, again.complete]).toEqual([0, true]);
        for (const one of sockets.keys()) {
          const name = await f.redis.client.get(`ws:session:${one}`);
          expect([one, name]).toEqual([one, expect.any(String)]);
          expect(await f.redis.client.sismember('ws:sessions:all', one)).toBe(1);
          expect(await f.redis.client.sismember(`ws:user:${name}`, one)).toBe(1);
          expect(await endOf(f.redis, `ws:session:${one}`)).toBeGreaterThan(Date.now());
        }
        for (const [one, end] of living) expect([one, await endOf(f.redis, `ws:session:${one}`)]).toEqual([one, end]);
        expect(await f.redis.client.exists('ws:session:dead')).toBe(0);
      });
      await fc.assert(run, { numRuns: RUNS });
    },
    120_000 * TIMES,
  );
});
