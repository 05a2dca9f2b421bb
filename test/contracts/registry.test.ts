/** Writing sessions: the four families byte for byte, each mutation whole or not at all. */
import { beforeEach, describe, expect, test } from 'vitest';
import { packDetails, type Session } from '../../src/sessions/model.ts';
import { Registry } from '../../src/sessions/registry.ts';
import { ensureWritable } from '../../src/sessions/schema.ts';
import {
  DAY,
  dump,
  endOf,
  faultOf,
  HOUR,
  INCARNATION,
  makeDetails,
  meddle,
  nodeInfo,
  OTHER_INCARNATION,
  openFloor,
  SECOND,
  SLACK,
  timed,
  writeByHand,
} from '../helpers/floor.ts';
import { contract } from './stores.ts';

const OWN = `ws:x:own:${INCARNATION}`;

contract('Registry', (f) => {
  const end = (key: string) => endOf(f.redis, key);
  const snapshot = () => dump(f.redis);
  const sees = async (id: string): Promise<Session> => (await f.directory.get(id))!;
  const members = async (key: string) => (await f.redis.client.smembers(key)).sort();
  /** A Registry before whose every script another client does something. */
  const meddled = (act: () => unknown) => new Registry(meddle(f.store, 'run', act), f.keys, f.directory);

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
  });

  describe('register', () => {
    test('writes the four families with their values and TTLs, and nothing else outside ws:x:', async () => {
      const details = makeDetails({ ttl: DAY });
      const before = await f.redis.keys();
      const set = await timed(() => f.registry.register('s1', details));
      const { client } = f.redis;
      expect(await client.get('ws:session:s1')).toBe('kim');
      expect(await client.get('ws:session:s1:role')).toBe('AGENT');
      expect(await members('ws:user:kim')).toEqual(['s1']);
      expect(await members('ws:sessions:all')).toEqual(['s1']);
      for (const key of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim']) set(await end(key), DAY);
      expect(await end('ws:sessions:all')).toBe(-1);

      const added = (await f.redis.keys()).filter((key) => !before.includes(key));
      expect(added.filter((key) => !key.startsWith('ws:x:'))).toEqual(
        ['ws:session:s1', 'ws:session:s1:role', 'ws:sessions:all', 'ws:user:kim'].sort(),
      );
      expect(added.filter((key) => key.startsWith('ws:x:'))).toEqual([
        'ws:x:details:s1',
        'ws:x:newest',
        OWN,
        'ws:x:users',
      ]);
      expect(await client.get('ws:x:details:s1')).toBe(packDetails(details));
      expect(await client.zscore('ws:x:newest', 's1')).toBe(String(details.connectedAt));
      expect(await client.zscore('ws:x:users', 'kim')).toBe(String(details.connectedAt));
      expect(await client.zscore(OWN, 's1')).toBe(String(await end('ws:session:s1')));
      expect(await end(OWN)).toBeGreaterThanOrEqual((await end('ws:x:details:s1')) - SLACK);
    });

    test('lets the details outlive their session, so that whoever reaps it knows whose it was', async () => {
      await f.registry.register('s1', makeDetails());
      const details = await end('ws:x:details:s1');
      expect(details).toBeGreaterThan(await end('ws:session:s1'));
    });

    test('writes no role key without a role', async () => {
      await f.registry.register('s1', makeDetails({ role: null }));
      expect(await f.redis.client.keys('ws:session:*')).toEqual(['ws:session:s1']);
      expect((await sees('s1')).role).toBeNull();
    });

    test('does not inherit the role that somebody left behind under its id', async () => {
      await f.redis.client.set('ws:session:s1:role', 'ADMIN');
      await f.registry.register('s1', makeDetails({ role: null }));
      expect((await sees('s1')).role).toBeNull();
      await f.redis.client.set('ws:session:s2:role', 'ADMIN');
      await f.registry.register('s2', makeDetails({ role: 'CUSTOMER' }));
      expect((await sees('s2')).role).toBe('CUSTOMER');
    });

    test('the session read back is the one that was registered', async () => {
      const details = makeDetails({ userAgent: null });
      await f.registry.register('s1', details);
      const session = await sees('s1');
      expect(session).toEqual({
        id: 's1',
        user: 'kim',
        role: 'AGENT',
        ttl: session.ttl,
        details,
        packed: packDetails(details),
      });
      expect(session.ttl).toBeGreaterThan(DAY - HOUR);
    });

    test('an own id that is taken: session_taken, nothing written, not even by the owner itself', async () => {
      await f.registry.register('s1', makeDetails());
      const before = await snapshot();
      for (const details of [makeDetails(), makeDetails({ user: 'lee', connectedAt: 1 })]) {
        expect((await faultOf(f.registry.register('s1', details))).code).toBe('session_taken');
      }
      expect(await snapshot()).toEqual(before);
    });

    test('a foreign id that is taken: session_taken, nothing written', async () => {
      await writeByHand(f.redis, 's1', 'testUser');
      const before = await snapshot();
      expect((await faultOf(f.registry.register('s1', makeDetails()))).code).toBe('session_taken');
      expect(await snapshot()).toEqual(before);
    });

    test('an id whose session key ran out but whose details are there is still taken', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:session:s1');
      const before = await snapshot();
      expect((await faultOf(f.registry.register('s1', makeDetails({ user: 'lee' })))).code).toBe('session_taken');
      expect(await snapshot()).toEqual(before);
    });

    test('a user who has as many sessions as allowed: too_many_sessions, nothing written; another user may', async () => {
      await f.registry.register('s1', makeDetails(), 2);
      await writeByHand(f.redis, 'foreign', 'kim');
      const before = await snapshot();
      expect((await faultOf(f.registry.register('s2', makeDetails(), 2))).code).toBe('too_many_sessions');
      expect(await snapshot()).toEqual(before);
      await f.registry.register('s2', makeDetails({ user: 'lee' }), 2);
      await f.registry.register('s3', makeDetails(), 3);
      // The owner may always write again what it has.
      expect(await f.registry.renew('s1', 'kim', makeDetails(), DAY)).toBe('kim');
    });

    test("ids in the user's set that are no session of the user don't count, and leave it; unusable ones stay", async () => {
      const { client } = f.redis;
      await f.registry.register('s1', makeDetails());
      await client.sadd('ws:user:kim', ...Array.from({ length: 250 }, (_, i) => `gone-${i}`), 'lees', 'queue', 'a:b');
      await client.set('ws:session:lees', 'lee');
      await client.rpush('ws:session:queue', 'a list');
      expect((await faultOf(f.registry.register('s2', makeDetails(), 2))).code).toBe('too_many_sessions');
      expect((await client.smembers('ws:user:kim')).sort()).toEqual(['a:b', 's1']);
      await f.registry.register('s2', makeDetails(), 3);
      expect((await f.directory.sessionsOf('kim')).sessions.map(({ id }) => id).sort()).toEqual(['s1', 's2']);
    });

    test('of many that come at once, as many as allowed are registered', async () => {
      const ids = Array.from({ length: 12 }, (_, i) => `s${i}`);
      const answers = await Promise.allSettled(ids.map((id) => f.registry.register(id, makeDetails(), 5)));
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      expect((await f.directory.sessionsOf('kim')).sessions).toHaveLength(5);
    });

    test.each([
      ['missing', async () => f.redis.client.del('ws:x:node:n1')],
      [
        'of a later process',
        async () => {
          await f.redis.client.del('ws:x:node:n1');
          await f.nodes.hold(nodeInfo({ incarnation: OTHER_INCARNATION }));
        },
      ],
    ])('with the lease %s: lease_lost, nothing written, by renew neither', async (_, lose) => {
      await lose();
      const before = await snapshot();
      expect((await faultOf(f.registry.register('s1', makeDetails()))).code).toBe('lease_lost');
      expect((await faultOf(f.registry.renew('s1', 'kim', makeDetails(), DAY))).code).toBe('lease_lost');
      expect(await snapshot()).toEqual(before);
    });

    test.each([
      'ws:session:s1',
      'ws:session:s1:role',
      'ws:user:kim',
      'ws:sessions:all',
      'ws:x:details:s1',
      'ws:x:newest',
      OWN,
      'ws:x:users',
    ])('with %s of another type: key_type names it, nothing written, by renew neither', async (key) => {
      await f.redis.client.rpush(key, 'a list');
      const before = await snapshot();
      for (const act of [
        () => f.registry.register('s1', makeDetails()),
        () => f.registry.renew('s1', 'kim', makeDetails(), DAY),
      ]) {
        const fault = await faultOf(act);
        expect(fault.code).toBe('key_type');
        expect(fault.message.split(' ')).toContain(key.replace('ws', f.redis.prefix ?? 'ws'));
      }
      expect(await snapshot()).toEqual(before);
    });

    test.each([
      ['30 days', 30 * DAY],
      ['7 days', 7 * DAY],
      ['6 hours', 6 * HOUR],
      ['a second', SECOND],
    ])('a TTL of %s is exact', async (_, ttl) => {
      const set = await timed(() => f.registry.register('s1', makeDetails({ ttl })));
      for (const key of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim']) set(await end(key), ttl);
    });

    test.each([
      '__proto__',
      'constructor',
      'two\nlines',
      'spa ces and\ttabs',
      '👩‍👧 김철수',
      '{ws}:user:*?[a-z]',
      'x'.repeat(500),
      '한'.repeat(166),
      '\u0000\u001b[31m',
    ])('user %j is stored, found and removed like any other', async (user) => {
      const before = await f.redis.keys();
      await f.registry.register('s1', makeDetails({ user, role: user }));
      expect(await f.redis.client.get('ws:session:s1')).toBe(user);
      expect(await members(`ws:user:${user}`)).toEqual(['s1']);
      const { sessions } = await f.directory.sessionsOf(user);
      expect(sessions.map(({ id, user: whose, role }) => [id, whose, role])).toEqual([['s1', user, user]]);
      expect(await f.directory.count()).toMatchObject({ sessions: 1, users: 1 });
      expect(await f.registry.refresh(sessions[0]!, HOUR)).toBe(user);
      await f.registry.unregister('s1', user, makeDetails({ user, role: user }));
      expect(await f.redis.keys()).toEqual(before);
    });

    test('all keys of a hash-tagged prefix carry the tag', async () => {
      await f.redis.client.flushall();
      const tagged = await openFloor(f.redis, '{ws}');
      f.later(() => tagged.store.close());
      await tagged.nodes.hold(nodeInfo());
      await tagged.registry.register('s1', makeDetails());
      expect(await f.redis.client.get('{ws}:session:s1')).toBe('kim');
      expect((await f.redis.keys()).filter((key) => !key.startsWith('{ws}:'))).toEqual([]);
      expect((await tagged.directory.sessionsOf('kim')).sessions).toHaveLength(1);
      expect(await f.directory.count()).toMatchObject({ sessions: 0, users: 0 });
      await tagged.registry.unregister('s1', 'kim', makeDetails());
      await tagged.nodes.release(nodeInfo());
      expect(await f.redis.keys()).toEqual(['{ws}:x:schema']);
    });
  });

  describe("the TTL of a user's set", () => {
    test('is raised by a longer session, never lowered by a shorter one', async () => {
      const set = await timed(() => f.registry.register('long', makeDetails({ ttl: 7 * DAY })));
      await f.registry.register('short', makeDetails({ ttl: HOUR }));
      set(await end('ws:user:kim'), 7 * DAY);
      const raised = await timed(() => f.registry.register('longest', makeDetails({ ttl: 30 * DAY })));
      raised(await end('ws:user:kim'), 30 * DAY);
      set(await end('ws:session:long'), 7 * DAY);
    });

    test('a set without one gets one at register: that of the longest member', async () => {
      const set = await timed(async () => {
        await writeByHand(f.redis, 'f1', 'kim', 3 * 86_400);
        await writeByHand(f.redis, 'f2', 'kim', 60);
        await f.registry.register('s1', makeDetails({ ttl: DAY }));
      });
      set(await end('ws:user:kim'), 3 * DAY);
    });

    test('a set without one gets one at register: the new one, where that is the longest', async () => {
      const set = await timed(async () => {
        await writeByHand(f.redis, 'f1', 'kim', 60);
        await f.registry.register('s1', makeDetails({ ttl: DAY }));
      });
      set(await end('ws:user:kim'), DAY);
    });

    test('a set without one, whose members are dead, gets the new one', async () => {
      await f.redis.client.sadd('ws:user:kim', 'dead1', 'dead2');
      const set = await timed(() => f.registry.register('s1', makeDetails({ ttl: DAY })));
      set(await end('ws:user:kim'), DAY);
    });

    test('a set without one gets one at refresh, of a foreign session too', async () => {
      const set = await timed(async () => {
        await writeByHand(f.redis, 'f1', 'kim', 3 * 86_400);
        await writeByHand(f.redis, 'f2', 'kim', 60);
        await f.registry.refresh(await sees('f2'), HOUR);
      });
      set(await end('ws:user:kim'), 3 * DAY);
      set(await end('ws:session:f2'), HOUR);
    });

    test('a set without one gets one at renew', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.persist('ws:user:kim');
      const set = await timed(() => f.registry.renew('s1', 'kim', makeDetails(), 2 * DAY));
      set(await end('ws:user:kim'), 2 * DAY);
    });

    test('a member without an end leaves the set endless, at register, refresh and renew', async () => {
      await writeByHand(f.redis, 'endless', 'kim', null);
      await f.registry.register('s1', makeDetails());
      expect(await end('ws:user:kim')).toBe(-1);
      await f.registry.refresh(await sees('s1'), 7 * DAY);
      expect(await end('ws:user:kim')).toBe(-1);
      await f.registry.renew('s1', 'kim', makeDetails(), 8 * DAY);
      expect(await end('ws:user:kim')).toBe(-1);
      expect(await members('ws:user:kim')).toEqual(['endless', 's1']);
    });

    test('a set that lost its TTL while it was being read gets one all the same', async () => {
      await f.registry.register('s1', makeDetails({ ttl: 7 * DAY }));
      let meddled = false;
      const registry = new Registry(
        meddle(f.store, 'run', async () => {
          if (!meddled) await f.redis.client.persist('ws:user:kim');
          meddled = true;
        }),
        f.keys,
        f.directory,
      );
      await registry.register('s2', makeDetails({ ttl: HOUR }));
      expect(await end('ws:user:kim')).toBeGreaterThanOrEqual(await end('ws:session:s1'));
    });
  });

  describe('unregister', () => {
    test('removes everything: the keys are those of before', async () => {
      const before = await f.redis.keys();
      await f.registry.register('s1', makeDetails());
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.keys()).toEqual(before);
    });

    test("leaves the other device, and the TTL of the user's set; the last one takes the set along", async () => {
      await f.registry.register('s1', makeDetails({ ttl: 7 * DAY }));
      await f.registry.register('s2', makeDetails({ ttl: HOUR }));
      const set = await end('ws:user:kim');
      const other = await end('ws:session:s2');
      await f.registry.unregister('s1', 'kim', makeDetails({ ttl: 7 * DAY }));
      expect(await end('ws:user:kim')).toBe(set);
      expect(await end('ws:session:s2')).toBe(other);
      expect((await f.directory.sessionsOf('kim')).sessions.map(({ id }) => id)).toEqual(['s2']);
      await f.registry.unregister('s2', 'kim', makeDetails({ ttl: HOUR }));
      expect(await end('ws:user:kim')).toBe(-2);
      expect(await f.directory.count()).toMatchObject({ sessions: 0, users: 0 });
    });

    test('of a session that another program gave to another user: gone from both sets', async () => {
      const before = await f.redis.keys();
      await f.registry.register('s1', makeDetails());
      await writeByHand(f.redis, 's1', 'lee');
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.keys()).toEqual(before);
    });

    test('of a session whose key ran out: the rest is removed', async () => {
      const before = await f.redis.keys();
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:session:s1', 'ws:session:s1:role');
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.keys()).toEqual(before);
    });

    test('of a session whose details were deleted by hand: the rest is removed', async () => {
      const before = await f.redis.keys();
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:x:details:s1');
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.keys()).toEqual(before);
    });

    test.each(['garbage', '["n1",', Buffer.from([0xff, 0x41])])(
      'of a session whose details a hand made unreadable (%j): all of it is removed',
      async (garbage) => {
        const before = await f.redis.keys();
        await f.registry.register('s1', makeDetails());
        await f.redis.client.set('ws:x:details:s1', garbage);
        await f.registry.unregister('s1', 'kim', makeDetails());
        expect(await f.redis.keys()).toEqual(before);
      },
    );

    test('of a session with unreadable details, without a lease: the session key stays, for it may be another’s', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.set('ws:x:details:s1', 'garbage');
      await f.nodes.release(nodeInfo());
      expect((await faultOf(f.registry.unregister('s1', 'kim', makeDetails()))).code).toBe('lease_lost');
      expect(await f.redis.client.exists('ws:session:s1')).toBe(1);
    });

    test('twice, and of what never was, does no harm', async () => {
      await f.registry.register('s1', makeDetails());
      const before = await snapshot();
      const second = makeDetails({ ttl: HOUR });
      await f.registry.register('s2', second);
      await f.registry.unregister('s2', 'kim', second);
      await f.registry.unregister('s2', 'kim', second);
      await f.registry.unregister('never', 'kim', makeDetails());
      expect(await snapshot()).toEqual(before);
    });

    test("does not touch another owner's session of the same id", async () => {
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      const theirs = makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION });
      await f.registry.register('s1', theirs);
      const before = await snapshot();
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await snapshot()).toEqual(before);
    });

    test('needs no lease: what is left of a lost node is removed', async () => {
      await f.registry.register('s1', makeDetails());
      await f.nodes.release(nodeInfo());
      await f.registry.unregister('s1', 'kim', makeDetails());
      // The process had a session left when it went: who sweeps forgets it.
      expect(await f.redis.keys()).toEqual(['ws:x:processes', 'ws:x:schema']);
    });

    test('a key of another type is not ours and stays; the rest is removed', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.del('ws:user:kim');
      await f.redis.client.rpush('ws:user:kim', 'a list');
      await f.registry.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.client.lrange('ws:user:kim', 0, -1)).toEqual(['a list']);
      expect(
        await f.redis.client.exists('ws:session:s1', 'ws:session:s1:role', 'ws:sessions:all', 'ws:x:details:s1'),
      ).toBe(0);
    });

    test('a session that changes under its hands once is removed; one that never rests: changed_meanwhile', async () => {
      await f.registry.register('s1', makeDetails());
      let users = 0;
      const restless = meddled(() => f.redis.client.set('ws:session:s1', `user${users++}`));
      expect((await faultOf(restless.unregister('s1', 'kim', makeDetails()))).code).toBe('changed_meanwhile');
      expect(await f.redis.client.exists('ws:x:details:s1')).toBe(1);
      let changed = false;
      const once = meddled(async () => {
        if (!changed) await f.redis.client.set('ws:session:s1', 'lee');
        changed = true;
      });
      await once.unregister('s1', 'kim', makeDetails());
      expect(await f.redis.client.exists('ws:session:s1', 'ws:x:details:s1', 'ws:sessions:all')).toBe(0);
    });
  });

  describe('refresh', () => {
    test.each([
      ['longer', 7 * DAY],
      ['shorter', HOUR],
    ])(
      'with a %s TTL sets that of session and role; the set is only raised, the details outlive the session',
      async (_, ttl) => {
        const old = await timed(() => f.registry.register('s1', makeDetails({ ttl: DAY })));
        const set = await timed(async () => expect(await f.registry.refresh(await sees('s1'), ttl)).toBe('kim'));
        set(await end('ws:session:s1'), ttl);
        set(await end('ws:session:s1:role'), ttl);
        if (ttl > DAY) set(await end('ws:user:kim'), ttl);
        else old(await end('ws:user:kim'), DAY);
        expect(await end('ws:x:details:s1')).toBeGreaterThan(await end('ws:session:s1'));
      },
    );

    test('of a foreign session sets its TTL, and writes nothing that was not there', async () => {
      await writeByHand(f.redis, 'f1', 'testUser', 60);
      const before = await f.redis.keys();
      const set = await timed(async () =>
        expect(await f.registry.refresh(await sees('f1'), 30 * DAY)).toBe('testUser'),
      );
      set(await end('ws:session:f1'), 30 * DAY);
      set(await end('ws:user:testUser'), 30 * DAY);
      expect(await end('ws:sessions:all')).toBe(-1);
      expect(await f.redis.keys()).toEqual(before);
    });

    test('of a session that is gone: undefined, nothing written', async () => {
      await f.registry.register('s1', makeDetails());
      const session = await sees('s1');
      await f.redis.client.del('ws:session:s1');
      const before = await snapshot();
      expect(await f.registry.refresh(session, DAY)).toBeUndefined();
      expect(await snapshot()).toEqual(before);
    });

    test("of a session that was given to another user meanwhile: that user's set is raised, the name returned", async () => {
      await writeByHand(f.redis, 'f1', 'kim');
      const stale = await sees('f1');
      await writeByHand(f.redis, 'f1', 'lee', 60);
      const set = await timed(async () => expect(await f.registry.refresh(stale, 7 * DAY)).toBe('lee'));
      set(await end('ws:session:f1'), 7 * DAY);
      set(await end('ws:user:lee'), 7 * DAY);
      expect(await end('ws:user:kim')).toBe(-1);
    });

    test('of a session that never rests: changed_meanwhile, no TTL written', async () => {
      await writeByHand(f.redis, 'f1', 'kim', null);
      const session = await sees('f1');
      let users = 0;
      const restless = meddled(() => f.redis.client.set('ws:session:f1', `user${users++}`));
      expect((await faultOf(restless.refresh(session, DAY))).code).toBe('changed_meanwhile');
      expect(await end('ws:session:f1')).toBe(-1);
    });

    test.each(['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim', 'ws:x:details:s1', OWN])(
      'with %s of another type: key_type names it, nothing written',
      async (key) => {
        await f.registry.register('s1', makeDetails());
        const session = await sees('s1');
        await f.redis.client.del(key);
        await f.redis.client.rpush(key, 'a list');
        const before = await snapshot();
        const fault = await faultOf(f.registry.refresh(session, HOUR));
        expect(fault.code).toBe('key_type');
        expect(fault.message.split(' ')).toContain(key.replace('ws', f.redis.prefix ?? 'ws'));
        expect(await snapshot()).toEqual(before);
      },
    );
  });

  describe('renew', () => {
    test('writes again what was deleted: the dump is that of before', async () => {
      await f.registry.register('s1', makeDetails());
      const values = async () =>
        Object.entries(await snapshot()).map(([key, [type, value]]) => [
          key,
          type,
          key === OWN ? 'when it ends' : value,
        ]);
      const before = await values();
      for (const key of [
        'ws:session:s1',
        'ws:session:s1:role',
        'ws:user:kim',
        'ws:sessions:all',
        'ws:x:details:s1',
        'ws:x:newest',
        OWN,
        'ws:x:users',
      ]) {
        await f.redis.client.del(key);
        const set = await timed(async () =>
          expect(await f.registry.renew('s1', 'kim', makeDetails(), 2 * DAY)).toBe('kim'),
        );
        expect(await values(), key).toEqual(before);
        for (const one of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim']) set(await end(one), 2 * DAY);
        expect(await end('ws:sessions:all')).toBe(-1);
        expect(await f.redis.client.zscore(OWN, 's1')).toBe(String(await end('ws:session:s1')));
      }
    });

    test('into an empty Redis that still has the lease writes all of it', async () => {
      await f.registry.renew('s1', 'kim', makeDetails(), HOUR);
      expect(await sees('s1')).toMatchObject({ user: 'kim', role: 'AGENT', details: makeDetails() });
      expect((await f.directory.newest(1)).map(({ id }) => id)).toEqual(['s1']);
    });

    test('only raises TTLs: what another refreshed for longer stays', async () => {
      await f.registry.register('s1', makeDetails({ ttl: HOUR }));
      await f.registry.refresh(await sees('s1'), 7 * DAY);
      const before = await snapshot();
      await f.registry.renew('s1', 'kim', makeDetails({ ttl: HOUR }), HOUR);
      const after = await snapshot();
      for (const key of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:kim'])
        expect(after[key], key).toEqual(before[key]);
    });

    test('keeps the details at least as long as the session, whose TTL another raised', async () => {
      await f.registry.register('s1', makeDetails({ ttl: HOUR }));
      await f.registry.refresh(await sees('s1'), 7 * DAY);
      await f.registry.renew('s1', 'kim', makeDetails({ ttl: HOUR }), HOUR);
      expect(await end('ws:x:details:s1')).toBeGreaterThan(await end('ws:session:s1'));
    });

    test.each(['ws:session:s1:role', 'ws:user:kim'])(
      'gives %s, written again, at least the TTL that another gave the session',
      async (key) => {
        await f.registry.register('s1', makeDetails({ ttl: HOUR }));
        await f.registry.refresh(await sees('s1'), 7 * DAY);
        await f.redis.client.del(key);
        await f.registry.renew('s1', 'kim', makeDetails({ ttl: HOUR }), HOUR);
        expect(await end(key)).toBeGreaterThanOrEqual((await end('ws:session:s1')) - SLACK);
      },
    );

    test('of a session that another program gave to another user stays with that user, and says whose it is', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.set('ws:session:s1', 'lee', 'EX', 60);
      const set = await timed(async () => expect(await f.registry.renew('s1', 'kim', makeDetails(), DAY)).toBe('lee'));
      expect(await f.redis.client.get('ws:session:s1')).toBe('lee');
      set(await end('ws:session:s1'), DAY);
      set(await end('ws:user:lee'), DAY);
      expect((await f.directory.sessionsOf('lee')).sessions).toHaveLength(1);
      expect((await f.directory.sessionsOf('kim')).sessions).toEqual([]);
    });

    test.each(['garbage', '', '["n1",', Buffer.from([0xff, 0x41])])(
      'writes the details again where a hand made them unreadable: %j',
      async (garbage) => {
        await f.registry.register('s1', makeDetails());
        await f.redis.client.set('ws:x:details:s1', garbage);
        expect(await f.registry.renew('s1', 'kim', makeDetails(), DAY)).toBe('kim');
        expect((await sees('s1')).details).toEqual(makeDetails());
        expect(await end('ws:x:details:s1')).toBeGreaterThan(await end('ws:session:s1'));
      },
    );

    test("does not touch another owner's session of the same id: session_taken", async () => {
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      await f.registry.register('s1', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION }));
      const before = await snapshot();
      expect((await faultOf(f.registry.renew('s1', 'kim', makeDetails(), DAY))).code).toBe('session_taken');
      expect(await snapshot()).toEqual(before);
    });
  });

  describe('purge', () => {
    test('removes a foreign session, its role too; the other sessions of its user stay', async () => {
      await writeByHand(f.redis, 'f2', 'testUser');
      const before = await snapshot();
      await writeByHand(f.redis, 'f1', 'testUser');
      await f.redis.client.set('ws:session:f1:role', 'CUSTOMER');
      expect(await f.registry.purge(await sees('f1'))).toBe(true);
      expect(await snapshot()).toEqual(before);
    });

    test('refuses while the owner lives, and writes nothing', async () => {
      await f.registry.register('s1', makeDetails());
      const before = await snapshot();
      expect(await f.registry.purge(await sees('s1'))).toBe(false);
      expect(await snapshot()).toEqual(before);
    });

    test.each([
      ['is gone', async () => f.redis.client.del('ws:x:node:n1')],
      [
        'belongs to a later process of that name',
        async () => {
          await f.redis.client.del('ws:x:node:n1');
          await f.nodes.hold(nodeInfo({ incarnation: OTHER_INCARNATION }));
        },
      ],
    ])("removes a dead node's session whose lease %s", async (_, die) => {
      await f.registry.register('s1', makeDetails());
      await die();
      expect(await f.registry.purge(await sees('s1'))).toBe(true);
      expect((await f.redis.keys()).filter((key) => !/^ws:x:(node|nodes|processes|schema)/.test(key))).toEqual([]);
    });

    test('refuses what changed since it was looked at', async () => {
      await writeByHand(f.redis, 'f1', 'kim');
      const seen = await sees('f1');
      await writeByHand(f.redis, 'f1', 'lee');
      const before = await snapshot();
      expect(await f.registry.purge(seen)).toBe(false);
      expect(await snapshot()).toEqual(before);
    });

    test('refuses a foreign session whose id a node has claimed since', async () => {
      await writeByHand(f.redis, 's1', 'kim');
      const seen = await sees('s1');
      await f.redis.client.del('ws:session:s1');
      await f.registry.register('s1', makeDetails());
      expect(await f.registry.purge(seen)).toBe(false);
      expect(await sees('s1')).toMatchObject({ user: 'kim', details: makeDetails() });
    });
  });

  describe('the version of the layout', () => {
    test('a newer one: schema_newer from ensureWritable and from hold, nothing written', async () => {
      await f.redis.client.flushall();
      await f.redis.client.set('ws:x:schema', '2');
      const before = await snapshot();
      expect((await faultOf(ensureWritable(f.store, f.keys))).code).toBe('schema_newer');
      expect((await faultOf(f.nodes.hold(nodeInfo()))).code).toBe('schema_newer');
      expect(await snapshot()).toEqual(before);
      await f.redis.client.set('ws:x:schema', '10');
      expect((await faultOf(ensureWritable(f.store, f.keys))).code).toBe('schema_newer');
      expect((await faultOf(f.nodes.hold(nodeInfo()))).code).toBe('schema_newer');
    });

    test('a newer one, met at a renewal, takes the lease away: no session is written any more; another’s stays', async () => {
      await f.registry.register('s1', makeDetails());
      await f.redis.client.set('ws:x:schema', '2');
      const other = nodeInfo({ incarnation: OTHER_INCARNATION });
      expect((await faultOf(f.nodes.hold(other))).code).toBe('schema_newer');
      expect(await f.redis.client.exists('ws:x:node:n1')).toBe(1);
      expect((await faultOf(f.nodes.hold(nodeInfo()))).code).toBe('schema_newer');
      expect(await f.redis.client.exists('ws:x:node:n1')).toBe(0);
      const before = await snapshot();
      expect((await faultOf(f.registry.register('s2', makeDetails()))).code).toBe('lease_lost');
      expect((await faultOf(f.registry.renew('s1', 'kim', makeDetails(), DAY))).code).toBe('lease_lost');
      expect(await snapshot()).toEqual(before);
    });

    test('none, ours and an older one are written to; an older one is left as it is', async () => {
      await f.redis.client.flushall();
      await ensureWritable(f.store, f.keys);
      expect(await f.nodes.hold(nodeInfo())).toBe('new');
      expect(await f.redis.client.get('ws:x:schema')).toBe('1');
      await ensureWritable(f.store, f.keys);
      await f.redis.client.set('ws:x:schema', '0');
      await ensureWritable(f.store, f.keys);
      expect(await f.nodes.hold(nodeInfo())).toBe('renewed');
      expect(await f.redis.client.get('ws:x:schema')).toBe('0');
    });
  });

  test('an incarnation that merely begins like the lease is not its holder', async () => {
    const details = makeDetails({ incarnation: INCARNATION.slice(0, 15) });
    expect((await faultOf(f.registry.register('s1', details))).code).toBe('lease_lost');
  });
});
