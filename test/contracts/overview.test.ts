/** Frames: counts, nodes and windows that stay in place while entries come and go. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Asks, type Found, Overview, type Window } from '../../src/sessions/overview.ts';
import {
  DAY,
  dump,
  faultOf,
  HOUR,
  INCARNATION,
  makeDetails,
  meddle,
  nodeInfo,
  OTHER_INCARNATION,
  writeByHand,
} from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

contract('Overview', (f) => {
  let overview: Overview;
  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
    overview = new Overview(f);
  });

  /** Sessions s0, s1, … of as many users, one a second; s0 is the oldest. */
  const fill = async (count: number, from = 0) => {
    for (let i = from; i < from + count; i++) {
      await f.registry.register(`s${i}`, makeDetails({ user: `u${i}`, connectedAt: at(i) }));
    }
  };
  const at = (i: number) => 1_763_761_000_000 + i * 1000;
  const end = async (i: number) =>
    f.registry.unregister(`s${i}`, `u${i}`, makeDetails({ user: `u${i}`, connectedAt: at(i) }));
  const window = (over: Partial<Window> = {}): Window => ({ top: 0, rows: 3, oldestFirst: false, ...over });
  const sessions = async (over: Partial<Window> = {}, asks: Asks = {}) =>
    (await overview.frame({ ...asks, sessions: window(over) })).sessions!;
  const ids = ({ rows }: Found<{ id: string }>) => rows.map(({ id }) => id).join(' ');
  const expire = async (...keys: string[]) => {
    for (const key of keys) await f.redis.client.pexpire(key, 1);
    await until(async () => (await f.redis.client.exists(...keys)) === 0, 1000, 'the keys to run out');
  };

  test('an empty Redis: zeros, and nothing is written', async () => {
    await f.redis.client.flushall();
    const before = Date.now();
    const frame = await overview.frame({ sessions: window(), users: window(), look: ['s1'] });
    const empty = { top: 0, to: 0, total: 0, keptAt: null, rows: [], ranks: [] };
    expect(frame).toEqual({
      at: frame.at,
      took: frame.took,
      listed: 0,
      own: 0,
      users: 0,
      nodes: [],
      sessions: empty,
      userRows: empty,
      looked: new Map(),
    });
    expect(frame.took).toBeGreaterThanOrEqual(0);
    expect(frame.at).toBeGreaterThanOrEqual(before - 1000);
    expect(frame.at).toBeLessThanOrEqual(Date.now() + 1000);
    expect(await f.redis.keys()).toEqual([]);
  });

  test('reads only: the keys stay as they are', async () => {
    await fill(5);
    const before = await dump(f.redis);
    await overview.frame({
      sessions: window({ keep: { id: 's1', score: at(1), row: 1 } }),
      users: window(),
      look: ['s1'],
    });
    expect(await dump(f.redis)).toEqual(before);
  });

  test('what is not asked for is not there', async () => {
    await fill(1);
    const frame = await overview.frame();
    expect(frame).toMatchObject({ listed: 1, own: 1, users: 1 });
    expect(Object.keys(frame)).not.toEqual(expect.arrayContaining(['sessions']));
    expect(frame.userRows).toBeUndefined();
  });

  describe('counts', () => {
    test('own: live sessions of living nodes; listed: what the set holds', async () => {
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      await fill(3);
      await f.registry.register('t1', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION }));
      await writeByHand(f.redis, 'f1', 'kim');
      const counts = async () => {
        const { listed, own, users, nodes } = await overview.frame();
        return { listed, own, users, nodes: nodes.map(({ name, alive, sessions: n }) => `${name} ${alive} ${n}`) };
      };
      expect(await counts()).toEqual({ listed: 5, own: 4, users: 4, nodes: ['n1 true 3', 'n2 true 1'] });

      await f.redis.client.zadd(`ws:x:own:${INCARNATION}`, Date.now() - 2000, 's0'); // expired
      await expire('ws:x:node:n2');
      expect(await counts()).toEqual({ listed: 5, own: 2, users: 4, nodes: ['n1 true 2', 'n2 false 0'] });
    });

    test('a session counts until its time, a TTL of 30 days too', async () => {
      await f.registry.register('s1', makeDetails({ ttl: 30 * DAY }));
      await f.registry.register('s2', makeDetails({ ttl: 300 }));
      expect((await overview.frame()).own).toBe(2);
      await until(async () => (await overview.frame()).own === 1, 5000, 's2 to expire');
    });
  });

  describe('nodes', () => {
    test('tell what their lease says, from the first frame on', async () => {
      await f.nodes.hold(nodeInfo({ connects: 7, loop_delay_ms: 2.5 }));
      const [node] = (await overview.frame()).nodes;
      expect(node).toMatchObject({ name: 'n1', alive: true, sessions: 0 });
      expect(node!.info).toEqual(nodeInfo({ connects: 7, loop_delay_ms: 2.5 }));
      expect(Math.abs(node!.seenAt - Date.now())).toBeLessThan(5000);
    });

    test('come, die, come back under another incarnation, and are forgotten: each seen in the next frame', async () => {
      await f.registry.register('s1', makeDetails());
      const seen = async () =>
        (await overview.frame()).nodes.map(({ name, alive, sessions: n, info }) => [name, alive, n, info?.incarnation]);
      expect(await seen()).toEqual([['n1', true, 1, INCARNATION]]);

      await f.nodes.hold(nodeInfo({ name: 'a', incarnation: 'incarnation-000a' }));
      expect(await seen()).toEqual([
        ['a', true, 0, 'incarnation-000a'],
        ['n1', true, 1, INCARNATION],
      ]);
      await f.nodes.release(nodeInfo({ name: 'a', incarnation: 'incarnation-000a' }));
      await expire('ws:x:node:n1');
      for (let i = 0; i < 2; i++) expect(await seen()).toEqual([['n1', false, 0, undefined]]);

      await f.nodes.hold(nodeInfo({ incarnation: OTHER_INCARNATION }));
      await f.registry.register('s2', makeDetails({ incarnation: OTHER_INCARNATION }));
      expect(await seen()).toEqual([['n1', true, 1, OTHER_INCARNATION]]);

      await f.redis.client.del('ws:x:node:n1');
      await f.nodes.hold(nodeInfo());
      expect(await seen()).toEqual([['n1', true, 1, INCARNATION]]);
      await f.nodes.release(nodeInfo());
      expect(await seen()).toEqual([]);
    });

    test('leases and names that another wrote do no harm', async () => {
      await f.redis.client.zadd('ws:x:nodes', Date.now(), 'two\nlines', Date.now(), 'n2', Date.now(), 'n3');
      await f.redis.client.rpush('ws:x:node:n2', 'a list');
      await f.redis.client.set('ws:x:node:n3', 'short');
      await f.redis.client.set('ws:x:own:short', 'no sorted set');
      for (let i = 0; i < 2; i++) {
        const { nodes } = await overview.frame();
        expect(nodes.map(({ name, alive }) => [name, alive])).toEqual([
          ['n1', true],
          ['n2', false],
          ['n3', true],
        ]);
      }
    });
  });

  describe('a window of sessions', () => {
    test('is a stretch by rank, newest or oldest first, with the whole session in each row', async () => {
      await fill(7);
      expect(await sessions()).toMatchObject({ top: 0, total: 7, keptAt: null, ranks: [0, 1, 2] });
      expect(ids(await sessions())).toBe('s6 s5 s4');
      expect(ids(await sessions({ top: 2 }))).toBe('s4 s3 s2');
      expect(ids(await sessions({ top: 1, oldestFirst: true }))).toBe('s1 s2 s3');
      const [row] = (await sessions()).rows;
      expect(row).toEqual({ ...(await f.directory.get('s6')), ttl: expect.any(Number) });
    });

    test.each([
      [5, 4],
      [100, 4],
      [-3, 0],
    ])('that begins at %i of 7 begins at %i', async (asked, top) => {
      await fill(7);
      expect((await sessions({ top: asked })).top).toBe(top);
    });

    test('larger than all there are, and one of a single row', async () => {
      await fill(2);
      expect(await sessions({ rows: 500, top: 1 })).toMatchObject({ top: 0, ranks: [0, 1] });
      expect(ids(await sessions({ rows: 1, top: 1 }))).toBe('s0');
    });

    test('leaves out what lives no more and what is not listed, and keeps the ranks of the others', async () => {
      await fill(7);
      await f.redis.client.del('ws:session:s5');
      await f.redis.client.srem('ws:sessions:all', 's3');
      const found = await sessions({ rows: 5 });
      expect([ids(found), found.ranks, found.total]).toEqual(['s6 s4 s2', [0, 2, 4], 7]);
    });

    test('reads on, below and above, where most of it is dead', async () => {
      await fill(120);
      for (let i = 100; i < 120; i++) await f.redis.client.del(`ws:session:s${i}`);
      const found = await sessions({ rows: 10 });
      expect(found.ranks).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
      expect(ids(found)).toBe('s99 s98 s97 s96 s95 s94 s93 s92 s91 s90');
      const oldest = await sessions({ rows: 10, oldestFirst: true, top: 108 });
      expect(ids(oldest)).toBe('s90 s91 s92 s93 s94 s95 s96 s97 s98 s99');
      expect([oldest.top, oldest.to, oldest.ranks[0]]).toEqual([90, 120, 90]);
    });

    /** Ids that live no more, newer than all of fill's. */
    const addDead = async (count: number, score = at(1_000_000)) => {
      const pipeline = f.redis.client.pipeline();
      for (let i = 0; i < count; i++) {
        const id = `dead${String(i).padStart(5, '0')}`;
        pipeline.sadd('ws:sessions:all', id).zadd('ws:x:newest', score + i, id);
      }
      await pipeline.exec();
    };

    test('a killed node leaves 700 at the top: the living ones are found behind them, and remembered', async () => {
      await fill(6);
      await addDead(700);
      let calls = 0;
      overview = new Overview({ ...f, store: meddle(f.store, 'call', () => calls++) });
      const found = await sessions({ rows: 5 });
      expect([ids(found), found.ranks[0], found.top, found.total]).toEqual(['s5 s4 s3 s2 s1', 700, 0, 706]);
      calls = 0;
      expect(ids(await sessions({ rows: 5 }))).toBe('s5 s4 s3 s2 s1');
      expect(calls).toBeLessThan(6);
      // Entries come above them and go among them: nothing living is passed over for long.
      await fill(1, 2_000_000);
      await f.redis.client.zrem('ws:x:newest', 'dead00300');
      await f.registry.register('amid', makeDetails({ connectedAt: at(1_000_000) + 301 }));
      await until(async () => ids(await sessions({ rows: 5 })) === 's2000000 amid s5 s4 s3', 5000, 'all to be found');
    });

    test('who connects while it reads on is no second row', async () => {
      await fill(40);
      await addDead(12);
      let calls = 0;
      const store = meddle(f.store, 'call', async () => {
        if (++calls === 2) await fill(5, 5_000_000);
      });
      const found = (await new Overview({ ...f, store }).frame({ sessions: window({ rows: 20 }) })).sessions!;
      expect(new Set(found.rows.map(({ id }) => id)).size).toBe(found.rows.length);
    });

    test('what a frame may read is bounded: the next ones go on from there', async () => {
      await fill(3);
      await addDead(2500);
      const first = await sessions({ rows: 3 });
      expect([first.rows, first.to]).toEqual([[], 1003]);
      expect((await sessions({ rows: 3 })).to).toBe(2003);
      expect(ids(await sessions({ rows: 3 }))).toBe('s2 s1 s0');
    });

    test('what must stay in sight does so when the dead ones above it are purged', async () => {
      await fill(40);
      await addDead(400, at(20) + 1);
      const keep = { id: 's15', score: at(15), row: 424 - 10 };
      expect(ids(await sessions({ top: 10, rows: 10, keep }))).toContain('s15');
      await f.redis.client.zremrangebyscore('ws:x:newest', at(20) + 1, at(20) + 500);
      const found = await sessions({ top: 10, rows: 10, keep });
      expect([ids(found).includes('s15'), found.keptAt]).toEqual([true, 24]);
    });
  });

  describe('the member that must stay in sight', () => {
    const keep = (i: number, row: number) => ({ id: `s${i}`, score: at(i), row });

    test('at the top: the window stays at the newest while the member is within it', async () => {
      await fill(7);
      expect(await sessions({ keep: keep(6, 0) })).toMatchObject({ top: 0, keptAt: 0 });
      await fill(2, 7);
      const found = await sessions({ keep: keep(6, 0) });
      expect([found.top, found.keptAt, ids(found)]).toEqual([0, 2, 's8 s7 s6']);
    });

    test('at the top: when newer ones would push it out, it keeps its row', async () => {
      await fill(12);
      const found = await sessions({ keep: keep(6, 2) });
      expect([found.top, found.keptAt, ids(found)]).toEqual([3, 5, 's8 s7 s6']);
    });

    test('further down: it keeps its row, whoever comes or goes above and below', async () => {
      await fill(12);
      const before = await sessions({ top: 4, keep: keep(6, 1) });
      expect([before.top, before.keptAt, ids(before)]).toEqual([4, 5, 's7 s6 s5']);
      await fill(3, 12);
      await end(9);
      await end(2);
      const after = await sessions({ top: 4, keep: keep(6, 1) });
      expect([after.top, after.keptAt, ids(after)]).toEqual([6, 7, 's7 s6 s5']);
    });

    test('oldest first too', async () => {
      await fill(12);
      await end(0);
      const found = await sessions({ top: 4, oldestFirst: true, keep: keep(6, 1) });
      expect([found.top, found.keptAt, ids(found)]).toEqual([4, 5, 's5 s6 s7']);
    });

    test('gone: its place is found by its time, and keptAt is null', async () => {
      await fill(12);
      await end(6);
      await fill(1, 12);
      for (const oldestFirst of [false, true]) {
        const found = await sessions({ top: 4, oldestFirst, keep: keep(6, 1) });
        expect([found.keptAt, ids(found)]).toEqual([null, oldestFirst ? 's5 s7 s8' : 's7 s5 s4']);
      }
    });

    test('at the ends the window stays full', async () => {
      await fill(7);
      expect((await sessions({ top: 3, keep: keep(0, 0) })).top).toBe(4);
      expect((await sessions({ top: 3, keep: keep(6, 2) })).top).toBe(0);
    });
  });

  describe('a window of users', () => {
    const users = async (over: Partial<Window> = {}) =>
      (await overview.frame({ users: window({ rows: 10, ...over }) })).userRows!;

    test('by their latest connect, with their live sessions', async () => {
      await fill(3);
      await f.registry.register('t1', makeDetails({ user: 'u0', connectedAt: at(9) }));
      await writeByHand(f.redis, 'f1', 'u0');
      await f.redis.client.sadd('ws:user:u0', 'dead', 's1'); // s1 is u1's
      expect(await users()).toEqual({
        top: 0,
        to: 3,
        total: 3,
        keptAt: null,
        rows: [
          { user: 'u0', sessions: 3, more: false, newestAt: at(9) },
          { user: 'u2', sessions: 1, more: false, newestAt: at(2) },
          { user: 'u1', sessions: 1, more: false, newestAt: at(1) },
        ],
        ranks: [0, 1, 2],
      });
      expect((await users({ rows: 1, top: 1, keep: { id: 'u2', score: at(2), row: 0 } })).rows[0]!.user).toBe('u2');
    });

    test('one without a live session is left out; more than 100 are told as more', async () => {
      await fill(2);
      await f.redis.client.del('ws:session:s1');
      for (let i = 0; i < 140; i++) await writeByHand(f.redis, `f${i}`, 'u0');
      const { rows, ranks, total } = await users();
      expect({ rows: rows.map(({ user, more }) => [user, more]), ranks, total }).toEqual({
        rows: [['u0', true]],
        ranks: [1],
        total: 2,
      });
      expect(rows[0]!.sessions).toBe(100);
    });

    test.each(['ws:sessions:all', 'ws:x:newest', 'ws:x:users', 'ws:x:nodes'])(
      '%s of another type is named, by a frame that reads it',
      async (key) => {
        await f.redis.client.del(key);
        await f.redis.client.set(key, 'x');
        expect(await faultOf(f.overview.frame({ users: window({ rows: 10 }) }))).toMatchObject({
          code: 'key_type',
          message: expect.stringMatching(`${key.slice(2)} holds another type of value$`),
        });
      },
    );

    test('a set that another program made something else of harms no frame', async () => {
      await fill(2);
      await f.redis.client.del('ws:user:u1');
      await f.redis.client.rpush('ws:user:u1', 'a list');
      expect((await users()).rows.map(({ user }) => user)).toEqual(['u0']);
    });
  });

  test('look tells which of some ids live, foreign and unlisted ones too', async () => {
    await fill(3);
    await writeByHand(f.redis, 'f1', 'kim', HOUR / 1000);
    await f.redis.client.srem('ws:sessions:all', 's1');
    const { looked } = await overview.frame({ sessions: window(), look: ['s1', 'f1', 'nobody', 's1', 'a:b'] });
    expect([...looked.keys()]).toEqual(['s1', 'f1']);
    expect(looked.get('f1')).toMatchObject({ user: 'kim', details: null });
    const many = Array.from({ length: 230 }, (_, i) => `m${i}`);
    for (const id of many) await f.redis.client.set(`ws:session:${id}`, 'kim');
    expect([...(await overview.frame({ look: many })).looked.keys()]).toEqual(many);
  });
});
