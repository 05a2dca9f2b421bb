/** What an owner may still write and remove once it was taken for dead, what is left for it to read, and of what may come back. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Handlers } from '../../src/sessions/control.ts';
import { check } from '../../src/sessions/doctor/doctor.ts';
import { type KickOptions, kick } from '../../src/sessions/kick.ts';
import { type Details, packDetails, type Session } from '../../src/sessions/model.ts';
import type { Selection } from '../../src/sessions/selection.ts';
import { reapProcess } from '../../src/sessions/sweep/dead.ts';
import { pass } from '../../src/sessions/sweep/pass.ts';
import { targetsOf } from '../../src/sessions/targets.ts';
import { type Ended, SessionEnded, TOMBSTONE_TTL, unpackTombstone } from '../../src/sessions/tombstone.ts';
import {
  DAY,
  dump,
  endOf,
  faultOf,
  HOUR,
  INCARNATION,
  makeDetails,
  nodeInfo,
  OTHER_INCARNATION,
  timed,
  writeByHand,
} from '../helpers/floor.ts';
import { contract } from './stores.ts';

const TOMBSTONE = 'ws:x:tombstone:s1';
const ENDED: Ended = { cause: 'kicked', reason: '점검 "중"', actionId: '01ACTION' };

contract('An owner that was taken for dead', (f) => {
  const details = makeDetails();
  const sees = async (id = 's1'): Promise<Session> => (await f.directory.get(id))!;
  const loseLease = () => f.redis.client.del('ws:x:node:n1');
  const regainLease = () => f.nodes.hold(nodeInfo());
  const renew = (over: Partial<Details> = {}) => f.registry.renew('s1', 'kim', { ...details, ...over }, DAY);
  /** How it was ended, as the owner is told. */
  const ended = async (work: Promise<unknown>): Promise<Ended> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SessionEnded);
    return (error as SessionEnded).ended;
  };

  beforeEach(async () => {
    await f.nodes.hold(nodeInfo());
    await f.registry.register('s1', details);
  });

  describe('whose session was purged', () => {
    test('finds a tombstone: told how it was ended, and nothing is written', async () => {
      const found = await sees();
      await loseLease();
      const set = await timed(async () => expect(await f.registry.purge(found, ENDED)).toBe(true));
      set(await endOf(f.redis, TOMBSTONE), TOMBSTONE_TTL);
      expect(await f.redis.client.get(TOMBSTONE)).toBe(
        `${INCARNATION}{"cause":"kicked","reason":"점검 \\"중\\"","action_id":"01ACTION"}`,
      );
      await regainLease();
      const before = await dump(f.redis);
      for (const _ of [1, 2]) expect(await ended(renew())).toEqual(ENDED);
      expect(await ended(f.registry.registerLate('s1', details, 0, HOUR))).toEqual(ENDED);
      expect(await dump(f.redis)).toEqual(before);
    });

    test('removes the tombstone when it unregisters', async () => {
      await loseLease();
      await f.registry.purge(await sees(), ENDED);
      await regainLease();
      await f.registry.unregister('s1', 'kim', details);
      expect((await f.redis.keys()).filter((key) => !/^ws:x:(node|processes|schema)/.test(key))).toEqual([]);
    });

    test('finds one also where the sweep was faster, and where the TTL ran out', async () => {
      const found = await sees();
      await loseLease();
      expect(await f.registry.purge(found)).toBe(true); // reaped: it may come back
      expect(await f.redis.client.exists(TOMBSTONE)).toBe(0);
      await f.registry.purge(found, ENDED);
      await regainLease();
      expect(await ended(renew())).toEqual(ENDED);

      await f.redis.client.del(TOMBSTONE);
      await renew();
      const again = await sees();
      await loseLease();
      await f.redis.client.del('ws:session:s1');
      await f.registry.purge(again, ENDED);
      await regainLease();
      expect(await ended(renew())).toEqual(ENDED);
      expect((await f.redis.keys()).filter((key) => key.includes('s1'))).toEqual([TOMBSTONE]);
    });

    test('kick --purge leaves it, with its reason and action id, for those that are gone too; kick alone does not', async () => {
      await f.registry.register('s2', details);
      const targets = [await sees('s1'), await sees('s2')];
      await loseLease();
      await f.registry.purge(targets[1]!);
      const act = (purge: boolean) => kick(targets, f, { actionId: 'a-1', reason: null, purge, timeout: 1000 });
      // The second went with its node: it may come back with it, so it has not ended.
      expect(await act(false)).toMatchObject([{ outcome: 'node_unreachable' }, { outcome: 'node_unreachable' }]);
      expect(await f.redis.client.keys('ws:x:tombstone:*')).toEqual([]);
      expect(await act(true)).toMatchObject([
        { outcome: 'node_unreachable', purged: true },
        { outcome: 'node_unreachable', purged: true },
      ]);
      await regainLease();
      for (const id of ['s1', 's2']) {
        const how = await ended(f.registry.renew(id, 'kim', details, DAY));
        expect(how).toEqual({ cause: 'kicked', reason: null, actionId: 'a-1' });
      }
    });
  });

  describe('whose session was reaped', () => {
    const LOST = 'ws:x:lost:s1';
    /** As the sweep removes it. */
    const reap = async (id = 's1') => expect(await f.registry.reap([await sees(id)])).toEqual(['removed']);
    const lost = async () => (await f.directory.lost(['s1']))[0];
    const act = (targets: Session[], over: Partial<KickOptions> = {}) =>
      kick(targets, f, { actionId: 'a-1', reason: 'because', purge: false, timeout: 1000, ...over });
    const rest = async () => (await f.redis.keys()).filter((key) => !/^ws:x:(node|processes|schema)/.test(key));

    test('it is known for an hour whose it was, without the agent; a living session has no such trace', async () => {
      expect(await lost()).toBeUndefined();
      await loseLease();
      const set = await timed(() => reap());
      set(await endOf(f.redis, LOST), HOUR);
      expect(await rest()).toEqual([LOST]);
      const known = { ...details, userAgent: null };
      const packed = packDetails(known);
      expect(await f.redis.client.get(LOST)).toBe(INCARNATION + packed);
      expect(await lost()).toEqual({ id: 's1', user: 'kim', role: 'AGENT', ttl: null, details: known, packed });
      expect(await f.directory.get('s1')).toBeUndefined();
    });

    test('all of a dead process are known, of one reaped by a pass too', async () => {
      const ids = Array.from({ length: 130 }, (_, i) => `t${i}`);
      for (const id of ids) await f.registry.register(id, details);
      await loseLease();
      await f.redis.client.zrem(`ws:x:own:${INCARNATION}`, 't7');
      await reapProcess({ name: 'n1', incarnation: INCARNATION }, f);
      await pass(f, { share: 1, grace: 0 });
      const asked = [...ids, 's1', 'nobody', 'not:usable'];
      expect((await f.directory.lost(asked)).map(({ id }) => id)).toEqual([...ids, 's1']);
    });

    test('kick by its id says node_unreachable; with purge it leaves a tombstone for its owner, and no trace', async () => {
      await loseLease();
      await reap();
      const before = await dump(f.redis);
      const row = { session_id: 's1', user: 'kim', node: 'n1', outcome: 'node_unreachable' };
      const { found, missing } = await targetsOf(f.directory, { ids: ['s1', 's9'] }, { lost: true });
      expect(missing).toEqual(['s9']);
      expect(await act(found)).toMatchObject([{ ...row, purged: false }]);
      expect(await dump(f.redis)).toEqual(before);
      expect(await act(found, { purge: true })).toMatchObject([{ ...row, purged: true }]);
      expect(await rest()).toEqual([TOMBSTONE]);
      await regainLease();
      expect(await ended(renew())).toEqual({ cause: 'kicked', reason: 'because', actionId: 'a-1' });
      expect(await f.directory.get('s1')).toBeUndefined();
    });

    test('it is found by its id alone, and only by who asks for such: not by a user, not by refresh', async () => {
      await loseLease();
      await reap();
      const named = (selection: Selection) => targetsOf(f.directory, selection, { lost: true });
      expect((await named({ ids: ['s1'], roles: ['AGENT'] })).found).toHaveLength(1);
      expect(await named({ ids: ['s1'], users: ['lee'] })).toEqual({ found: [], missing: [] });
      expect(await named({ ids: ['s1'], except: ['s1'] })).toEqual({ found: [], missing: [] });
      expect(await named({ users: ['kim'] })).toEqual({ found: [], missing: [] });
      expect(await targetsOf(f.directory, { ids: ['s1'] })).toEqual({ found: [], missing: ['s1'] });
    });

    test('it comes back with its owner, and the trace goes: renewed, and registered late', async () => {
      await loseLease();
      await reap();
      await regainLease();
      expect(await renew()).toBe('kim');
      expect(await f.redis.client.exists(LOST)).toBe(0);
      expect(await sees()).toMatchObject({ user: 'kim', details });
      await loseLease();
      await reap();
      await regainLease();
      await f.registry.registerLate('s1', details, 0, HOUR);
      expect(await f.redis.client.exists(LOST)).toBe(0);
      expect(await sees()).toMatchObject({ user: 'kim', details });
    });

    test('whose owner ends it meanwhile: the trace goes, with the lease and without', async () => {
      for (const isBack of [true, false]) {
        await loseLease();
        await reap();
        if (isBack) await regainLease();
        await f.registry.unregister('s1', 'kim', details);
        expect(await rest()).toEqual([]);
        await regainLease();
        await f.registry.register('s1', details);
      }
    });

    test('whose owner is back is not purged: with its lease alone, nor once it has registered it', async () => {
      await loseLease();
      await reap();
      const found = (await lost())!;
      await regainLease();
      expect(await f.registry.purge(found, ENDED)).toBe(false);
      expect(await f.redis.client.exists(LOST)).toBe(1);
      // It is asked, and known to have come back: that it doesn't answer is no end.
      expect(await act([found], { purge: true, timeout: 50 })).toMatchObject([{ outcome: 'timeout', purged: false }]);
      await renew();
      const before = await dump(f.redis);
      expect(await f.registry.purge(found, ENDED)).toBe(false);
      expect(await dump(f.redis)).toEqual(before);
    });

    test('whose owner is back is kicked by it, before it has registered it again', async () => {
      await loseLease();
      await reap();
      const [found] = (await targetsOf(f.directory, { ids: ['s1'] }, { lost: true })).found;
      await regainLease();
      const answer: Handlers['kick'] = async ({ sessions }) =>
        sessions.map((session_id) => ({ session_id, outcome: 'kicked' }));
      f.later(await f.control.listen(INCARNATION, { kick: answer, describe: async () => [] }, () => {}));
      expect(await act([found!])).toMatchObject([{ session_id: 's1', node: 'n1', outcome: 'kicked' }]);
    });

    test('and used again by another program: that one is met, and is never taken for it', async () => {
      await loseLease();
      await reap();
      const found = (await lost())!;
      for (const user of ['kim', 'lee']) {
        await writeByHand(f.redis, 's1', user);
        const before = await dump(f.redis);
        expect(await f.registry.purge(found, ENDED)).toBe(false);
        expect(await dump(f.redis)).toEqual(before);
        const targets = await targetsOf(f.directory, { ids: ['s1'] }, { lost: true });
        expect(targets.found).toMatchObject([{ id: 's1', user, details: null }]);
        await f.redis.client.del('ws:session:s1');
      }
    });

    test('leaves no trace where its owner lives and disowns it, where its TTL ran out, and where it is another’s', async () => {
      expect(await f.registry.reap([{ ...(await sees()), disowned: true }])).toEqual(['removed']);
      for (const id of ['s2', 's3']) await f.registry.register(id, details);
      await loseLease();
      await f.redis.client.del('ws:session:s2');
      await f.redis.client.set('ws:session:s3', 'lee', 'EX', 1000);
      const { traces } = await f.directory.inspect(['s2', 's3']);
      const gone = traces.map((one) => ({ ...one, user: one.user ?? '' }));
      expect(await f.registry.reap(gone)).toEqual(['removed', 'anothers']);
      expect(await f.redis.client.keys('ws:x:lost:*')).toEqual([]);
    });

    test('a trace that can not be read is none; an emptied Redis has none, and harms nobody', async () => {
      await loseLease();
      await reap();
      const found = (await lost())!;
      await f.redis.client.set(LOST, 'garbage');
      expect(await lost()).toBeUndefined();
      await f.redis.client.del(LOST);
      await f.redis.client.rpush(LOST, 'a list');
      expect(await lost()).toBeUndefined();
      await f.registry.unregister('s1', 'kim', details);
      await f.redis.client.flushall();
      expect(await act([found], { purge: true })).toMatchObject([{ outcome: 'node_unreachable', purged: true }]);
      await regainLease();
      expect(await ended(renew())).toMatchObject({ cause: 'kicked' });
    });

    test('doctor finds no fault in it', async () => {
      await loseLease();
      await reap();
      expect(await check(f, { share: 1, grace: 0 })).toMatchObject({ total: 0, cut: false });
      expect(await f.redis.client.exists(LOST)).toBe(1);
    });
  });

  test('and that holds its lease again can not be purged: no tombstone, its session stays', async () => {
    const found = await sees();
    const before = await dump(f.redis);
    expect(await f.registry.purge(found, ENDED)).toBe(false);
    expect(await dump(f.redis)).toEqual(before);
    await f.registry.unregister('s1', 'kim', details);
    expect(await f.registry.purge(found, ENDED)).toBe(false);
    expect(await f.redis.client.exists(TOMBSTONE)).toBe(0);
  });

  test("another process's tombstone of the same id says nothing to it, and stays", async () => {
    await loseLease();
    await f.registry.purge(await sees(), ENDED);
    await f.nodes.hold(nodeInfo({ incarnation: OTHER_INCARNATION }));
    const other = makeDetails({ incarnation: OTHER_INCARNATION });
    await f.registry.register('s1', other);
    expect(await f.registry.renew('s1', 'kim', other, DAY)).toBe('kim');
    await f.registry.unregister('s1', 'kim', other);
    expect(await f.redis.client.exists(TOMBSTONE)).toBe(1);
  });

  test('a foreign session has none', async () => {
    await writeByHand(f.redis, 'f1', 'testUser');
    expect(await f.registry.purge(await sees('f1'), ENDED)).toBe(true);
    expect(await f.redis.client.keys('ws:x:tombstone:*')).toEqual([]);
  });

  describe('without its lease', () => {
    test('writes nothing: register, renew and registerLate are refused', async () => {
      await loseLease();
      const before = await dump(f.redis);
      for (const work of [
        () => f.registry.register('s9', details),
        () => renew(),
        () => f.registry.registerLate('s9', details, 0, HOUR),
      ]) {
        expect((await faultOf(work)).code).toBe('lease_lost');
      }
      expect(await dump(f.redis)).toEqual(before);
    });

    test('removes what is still exactly its own', async () => {
      await loseLease();
      await f.registry.unregister('s1', 'kim', details);
      expect((await f.redis.keys()).filter((key) => !/^ws:x:(nodes|processes|schema)/.test(key))).toEqual([]);
    });

    test('leaves an id that was reaped, and may be another program’s now, of the same user', async () => {
      await loseLease();
      await f.registry.purge(await sees());
      await writeByHand(f.redis, 's1', 'kim');
      const before = await dump(f.redis);
      expect((await faultOf(f.registry.unregister('s1', 'kim', details))).code).toBe('lease_lost');
      expect(await dump(f.redis)).toEqual(before);
    });

    test('leaves an id that was reaped, and is another user’s now, also when it holds the lease again', async () => {
      await loseLease();
      await f.registry.purge(await sees());
      await writeByHand(f.redis, 's1', 'lee');
      const before = await dump(f.redis);
      await f.registry.unregister('s1', 'kim', details);
      expect(await dump(f.redis)).toEqual(before);
      await regainLease();
      const again = await dump(f.redis);
      expect((await faultOf(renew())).code).toBe('session_taken');
      await f.registry.unregister('s1', 'kim', details);
      expect(await dump(f.redis)).toEqual(again);
    });

    test('nothing left to remove is no fault', async () => {
      await loseLease();
      await f.registry.purge(await sees());
      await f.registry.unregister('s1', 'kim', details);
    });
  });

  describe('registered late', () => {
    const late = (id: string, most = 0) => f.registry.registerLate(id, details, most, HOUR);

    test('as a new one, with what is left of its TTL', async () => {
      const set = await timed(() => late('s2'));
      set(await endOf(f.redis, 'ws:session:s2'), HOUR);
      expect(await sees('s2')).toMatchObject({ user: 'kim', role: 'AGENT', details });
    });

    test('what was written before, unheard, is its own, and does not count twice; what is another’s is taken', async () => {
      await late('s1', 1);
      expect(await f.redis.client.smembers('ws:user:kim')).toEqual(['s1']);
      const other = makeDetails({ connectedAt: details.connectedAt + 1 });
      expect((await faultOf(f.registry.registerLate('s1', other, 0, HOUR))).code).toBe('session_taken');
      await writeByHand(f.redis, 'f1', 'kim');
      expect((await faultOf(late('f1'))).code).toBe('session_taken');
    });

    test('a user who has as many as one may have by now: too_many_sessions, nothing written', async () => {
      const before = await dump(f.redis);
      expect((await faultOf(late('s2', 1))).code).toBe('too_many_sessions');
      expect(await dump(f.redis)).toEqual(before);
    });
  });
});

test.each([
  `${INCARNATION}nonsense`,
  `${INCARNATION}null`,
  INCARNATION,
  `${INCARNATION}{"cause":1,"reason":{},"action_id":[]}`,
])('a tombstone like %s says that the session has ended, and no more', (value) => {
  expect(unpackTombstone(value)).toEqual({ cause: 'kicked', reason: null, actionId: '' });
});
