/** Exact and inexact counts where there are too many to walk, and the index of foreign sessions that they take. */
import { beforeEach, describe, expect, test } from 'vitest';
import { countSessions } from '../../src/sessions/counts.ts';
import { countAll } from '../../src/sessions/stats.ts';
import { fromSweep } from '../../src/sessions/survey.ts';
import { countForeign, WALKED } from '../../src/sessions/sweep/foreign.ts';
import { pass } from '../../src/sessions/sweep/pass.ts';
import { giveBackRight, holdRight, RIGHT } from '../../src/sessions/sweep/right.ts';
import {
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

const INDEX = ['ws:x:foreign', 'ws:x:foreign-users', 'ws:x:swept'];

contract('The index of foreign sessions', (f) => {
  const sweep = (walked = 0) => pass(f, { share: 1, grace: 0, walked });
  const known = async () => {
    const { at: _, ...found } = (await countForeign(f))!;
    return found;
  };

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', HOUR);
  });

  test('holds their ids by expiry and their users, and counts roles, of the nodes too', async () => {
    await f.registry.register('s1', makeDetails());
    await writeByHand(f.redis, 'f1', 'kim'); // a user of a node's session: counted there
    await writeByHand(f.redis, 'f2', 'lee');
    await writeByHand(f.redis, 'f3', 'lee', null);
    await f.redis.client.set('ws:session:f2:role', 'BOT');
    await f.redis.client.sadd('ws:sessions:all', 'not:usable', 'dead');
    await sweep();
    expect(await f.redis.client.zscore('ws:x:foreign', 'f3')).toBe('inf');
    const score = Number(await f.redis.client.zscore('ws:x:foreign', 'f2'));
    expect(Math.abs(score - (await endOf(f.redis, 'ws:session:f2')))).toBeLessThan(2000);
    const { byRole, ...rest } = await known();
    expect(rest).toEqual({ sessions: 3, users: 1, skipped: 1, withoutRole: 2 });
    expect(byRole.sort()).toEqual([
      ['AGENT', 1],
      ['BOT', 1],
    ]);
    for (const key of INDEX) expect(await f.redis.client.pttl(key)).toBeGreaterThan(0);
    expect(await fromSweep(f)).toBeUndefined(); // few enough to walk
  });

  test('follows: what expires is not counted at once, what is deleted when the sweep meets it', async () => {
    await writeByHand(f.redis, 'f1', 'kim', 1);
    for (const id of ['f2', 'f3', 'f4']) await writeByHand(f.redis, id, 'lee');
    await sweep();
    await f.redis.client.zadd('ws:x:foreign', 'XX', 1000, 'f1'); // a time that is over
    expect(await known()).toMatchObject({ sessions: 3, users: 2 });
    await f.redis.client.del('ws:session:f1', 'ws:session:f2');
    await f.redis.client.srem('ws:sessions:all', 'f3');
    await f.redis.client.zadd('ws:x:foreign-users', 1, 'nobody');
    await sweep();
    expect(await f.redis.client.zrange('ws:x:foreign', 0, -1)).toEqual(['f4']);
    expect(await f.redis.client.zrange('ws:x:foreign-users', 0, -1)).toEqual(['lee']);
    await f.registry.register('f4x', makeDetails({ user: 'lee' }));
    expect(await known()).toMatchObject({ sessions: 1, users: 1 });
  });

  test('goes when all can be walked again, and soon after nobody sweeps', async () => {
    await writeByHand(f.redis, 'f1', 'kim');
    await sweep();
    expect(await f.redis.client.exists(...INDEX)).toBe(3);
    await sweep(WALKED);
    expect(await f.redis.client.exists(...INDEX)).toBe(0);
    await sweep();
    await f.redis.client.pexpire('ws:x:swept', 1000);
    expect(await holdRight(INCARNATION, f)).toBe(true);
    for (const key of INDEX) {
      const left = await f.redis.client.pttl(key);
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(60_000);
    }
  });

  test('that another has written something else into tells nothing', async () => {
    await sweep();
    for (const text of ['', '[]', '{}', 'null', '{"at":"x","skipped":0,"withoutRole":0,"byRole":[]}']) {
      await f.redis.client.set('ws:x:swept', text);
      expect(await countForeign(f)).toBeUndefined();
    }
  });
});

contract('The right to sweep', (f) => {
  test('one process has it, renews it, and gives back only its own', async () => {
    expect(await holdRight(INCARNATION, f)).toBe(true);
    expect(await holdRight(OTHER_INCARNATION, f)).toBe(false);
    await f.redis.client.pexpire('ws:x:sweeper', 1000);
    expect(await holdRight(INCARNATION, f)).toBe(true);
    expect(await f.redis.client.pttl('ws:x:sweeper')).toBeGreaterThan(RIGHT - 1000);
    await giveBackRight(OTHER_INCARNATION, f);
    expect(await f.redis.client.get('ws:x:sweeper')).toBe(INCARNATION);
    await giveBackRight(INCARNATION, f);
    expect(await f.redis.keys()).toEqual([]);
    expect(await holdRight(OTHER_INCARNATION, f)).toBe(true);
  });

  test('is nobody’s who knows an older layout than lies there, and can be given back all the same', async () => {
    expect(await holdRight(INCARNATION, f)).toBe(true);
    for (const newer of ['2', 'x', '', ' ']) {
      await f.redis.client.set('ws:x:schema', newer);
      for (const process of [INCARNATION, OTHER_INCARNATION]) {
        const asked = holdRight(process, f);
        if (process === INCARNATION) await expect(asked).rejects.toMatchObject({ code: 'schema_newer' });
        else expect(await asked).toBe(false);
      }
    }
    await giveBackRight(INCARNATION, f);
    await expect(holdRight(OTHER_INCARNATION, f)).rejects.toMatchObject({ code: 'schema_newer' });
    expect(await f.redis.keys()).toEqual(['ws:x:schema']);
    await f.redis.client.set('ws:x:schema', '1');
    expect(await holdRight(INCARNATION, f)).toBe(true);
  });

  test('that a key of another type keeps is nobody’s', async () => {
    await f.redis.client.rpush('ws:x:sweeper', 'a list');
    await expect(holdRight(INCARNATION, f)).rejects.toMatchObject({ code: 'key_type' });
  });
});

contract('Counts of more than can be walked', (f) => {
  const MANY = WALKED + 500;
  /** A set of all that is too large to walk; the ids are sessions only where a test says so. */
  const fill = async (count = MANY) => {
    for (let from = 0; from < count; from += 10_000) {
      const ids = Array.from({ length: Math.min(10_000, count - from) }, (_, i) => `m${from + i}`);
      await f.redis.client.sadd('ws:sessions:all', ...ids);
    }
  };
  /** All of them own sessions of a node, as far as indexes say. */
  const own = async (count = MANY) => {
    await f.nodes.hold(nodeInfo());
    await f.redis.client.pexpire('ws:x:node:n1', HOUR);
    for (let from = 0; from < count; from += 10_000) {
      const length = Math.min(10_000, count - from);
      const entries = Array.from({ length }, (_, i) => [Date.now() + HOUR, `m${from + i}`]);
      await f.redis.client.zadd(`ws:x:own:${INCARNATION}`, ...entries.flat());
    }
    await f.redis.client.zadd('ws:x:users', 1, 'kim', 2, 'lee');
  };
  const swept = async () => {
    const told = { at: 1_763_761_914_000, skipped: 3, withoutRole: 400, byRole: [['AGENT', 7]] };
    await f.redis.client.set('ws:x:swept', JSON.stringify(told));
    await f.redis.client.zadd('ws:x:foreign', Date.now() + HOUR, 'f1', Date.now() + HOUR, 'f2', 1000, 'f3');
    await f.redis.client.zadd('ws:x:foreign-users', 1, 'han');
  };

  test('up to 50,000 the set is walked, whatever the indexes say', async () => {
    await own(1);
    await swept();
    await writeByHand(f.redis, 'f9', 'han');
    expect(await countSessions(f)).toEqual({ sessions: 1, users: 1, skipped: 0, exact: true, asOf: null });
    expect(await countAll(f)).toMatchObject({ sessions: 1, foreign: 1, exact: true, asOf: null });
  });

  test('where the nodes explain all that is listed, that is the answer', async () => {
    await Promise.all([fill(), own()]);
    expect(await countSessions(f)).toEqual({ sessions: MANY, users: 2, skipped: 0, exact: true, asOf: null });
    expect(await fromSweep(f)).toBeUndefined();
    await swept();
    expect(await countSessions(f)).toMatchObject({ sessions: MANY, exact: true });
    // Roles are as old as the sweep that counted them.
    const stats = await countAll(f);
    expect(stats).toMatchObject({
      sessions: MANY,
      users: 2,
      nodes: 1,
      exact: false,
      asOf: 1_763_761_914_000,
      foreign: 0,
    });
    expect([...stats.byNode, ...stats.byRole]).toEqual([
      ['n1', MANY],
      ['AGENT', 7],
    ]);
  });

  test('else the foreign sessions are added as the sweep knows them, and the answer says as of when', async () => {
    await Promise.all([fill(), own(MANY - 100), swept()]);
    const before = await dump(f.redis);
    const asOf = 1_763_761_914_000;
    expect(await countSessions(f)).toEqual({ sessions: MANY - 98, users: 3, skipped: 3, exact: false, asOf });
    expect(await countAll(f)).toMatchObject({ sessions: MANY - 98, users: 3, foreign: 2, exact: false, asOf });
    expect(await fromSweep(f)).toMatchObject({ listed: MANY, foreign: 2, foreignUsers: 1, orphans: 0, done: true });
    expect(await dump(f.redis)).toEqual(before);
  });

  test('and where nobody sweeps, the set is walked at any size, and nothing is written', async () => {
    await fill();
    await writeByHand(f.redis, 'f1', 'kim');
    const before = await f.redis.keys();
    expect(await countSessions(f)).toEqual({ sessions: 1, users: 1, skipped: 0, exact: true, asOf: null });
    expect(await countAll(f)).toMatchObject({ sessions: 1, users: 1, exact: true, asOf: null });
    expect(await f.redis.keys()).toEqual(before);
  });

  describe('swept for real', () => {
    test('agree with a walk', async () => {
      await f.nodes.hold(nodeInfo());
      await f.redis.client.pexpire('ws:x:node:n1', HOUR);
      for (let i = 0; i < 50; i++) await f.registry.register(`s${i}`, makeDetails({ user: `u${i % 9}` }));
      for (let i = 0; i < 30; i++) await writeByHand(f.redis, `f${i}`, `v${i % 7}`);
      await writeByHand(f.redis, 'g1', 'u1');
      await pass(f, { share: 1, grace: 0, walked: 10 });
      const { sessions, users } = (await countForeign(f))!;
      const frame = await f.overview.frame();
      const walked = await f.directory.count();
      expect([frame.own + sessions, frame.users + users]).toEqual([walked.sessions, walked.users]);
    });
  });
});
