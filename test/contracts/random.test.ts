/**
 * Random sequences of what wssess and another client do to the same keys. After each step:
 * (a) each own session that nobody else touched is whole: session key, role key exactly when it has a role, its place
 *     in both sets, TTLs as promised;
 * (b) list, count and find by user name exactly the ids that are in the set of all and whose session key lives;
 * (c) the TTL of a user's set is at least that of each member's key that wssess wrote;
 * (d) nothing else lies under ws:session:* and ws:user:*;
 * (e) the index of a process holds its sessions, those untouched with the time at which their key ends, and the index of
 *     users each user of these, and none without a set but where another deleted it.
 * WSSESS_TEST_RUNS multiplies the number of runs.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WssessError } from '../../src/common/errors.ts';
import { type Details, isUsableId } from '../../src/sessions/model.ts';
import { DAY, endOf, HOUR, INCARNATION, makeDetails, nodeInfo, SLACK } from '../helpers/floor.ts';
import { until } from '../helpers/wait.ts';
import { contract, type Floor } from './stores.ts';

const RUNS = 100 * Number(process.env.WSSESS_TEST_RUNS ?? 1);

const USERS = ['kim', 'lee', '__proto__'];
const OWN = ['o1', 'o2', 'o3', 'o4'];
const FOREIGN = ['f1', 'f2', 'f:3'];

const own = fc.constantFrom(...OWN);
const anyId = fc.constantFrom(...OWN, ...FOREIGN);
const user = fc.constantFrom(...USERS);
const ttl = fc.constantFrom(HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY);
const role = fc.constantFrom('AGENT', 'CUSTOMER', null);

const ownOps = [
  { weight: 6, arbitrary: fc.record({ op: fc.constant('register' as const), id: own, user, role, ttl }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('unregister' as const), id: own }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('renew' as const), id: own, ttl }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('refresh' as const), id: anyId, ttl }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('expire' as const), id: anyId }) },
];
const handOps = [
  { weight: 2, arbitrary: fc.record({ op: fc.constant('set' as const), id: anyId, user, ttl: fc.option(ttl) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('sadd' as const), id: anyId, user: fc.option(user) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('srem' as const), id: anyId, user: fc.option(user) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delSession' as const), id: anyId }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delRole' as const), id: anyId }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delUser' as const), user }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delAll' as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('purge' as const), id: anyId }) },
];
type Op =
  fc.Arbitrary<unknown> extends never
    ? never
    : (typeof ownOps)[number]['arbitrary'] | (typeof handOps)[number]['arbitrary'] extends fc.Arbitrary<infer T>
      ? T
      : never;

/** What a node knows of its session, and what others did to it. */
interface Own {
  details: Details;
  /** When its session key ends, as wssess last set it: between these. */
  end: [from: number, to: number];
  /** `removed`: another took something away, which a renew mends; `changed`: another wrote its session key. */
  touched: 'no' | 'removed' | 'changed';
  /** A renew wrote something again beside what was left: as it only raises, the role may outlive its session key. */
  mended: boolean;
}

class Model {
  readonly owned = new Map<string, Own>();
  /** Ids whose session key another client wrote, and that is still theirs. */
  readonly byHand = new Set<string>();
  /** Users from whose set another client took something. */
  readonly taken = new Set<string>();

  touch(id: string, how: 'removed' | 'changed'): void {
    const one = this.owned.get(id);
    if (one && one.touched !== 'changed') one.touched = how;
  }
}

async function act(f: Floor, model: Model, op: Op): Promise<void> {
  const { client } = f.redis;
  const { owned, byHand } = model;
  switch (op.op) {
    case 'register': {
      const details = makeDetails({ user: op.user, role: op.role, ttl: op.ttl });
      const [value, left] = [await client.get(`ws:session:${op.id}`), await client.get(`ws:x:details:${op.id}`)];
      const before = Date.now();
      try {
        await f.registry.register(op.id, details);
      } catch (error) {
        expect(error).toBeInstanceOf(WssessError);
        expect((error as WssessError).code).toBe('session_taken');
        expect(value ?? left).not.toBeNull();
        return;
      }
      expect([value, left]).toEqual([null, null]);
      owned.set(op.id, { details, end: [before + op.ttl, Date.now() + op.ttl], touched: 'no', mended: false });
      return;
    }
    case 'unregister': {
      const one = owned.get(op.id);
      if (!one) return;
      await f.registry.unregister(op.id, one.details.user, one.details);
      owned.delete(op.id);
      byHand.delete(op.id);
      expect(await client.exists(`ws:session:${op.id}`, `ws:session:${op.id}:role`, `ws:x:details:${op.id}`)).toBe(0);
      expect(await client.sismember('ws:sessions:all', op.id)).toBe(0);
      expect(await client.sismember(`ws:user:${one.details.user}`, op.id)).toBe(0);
      return;
    }
    case 'renew': {
      const one = owned.get(op.id);
      if (!one) return;
      const found = await endOf(f.redis, `ws:session:${op.id}`);
      // A session key that is gone comes back with what the index says it had left.
      const indexed = Number(await client.zscore(`ws:x:own:${INCARNATION}`, op.id));
      const old = found === -2 && Number.isFinite(indexed) ? indexed : found;
      const before = Date.now();
      const whose = await f.registry.renew(op.id, one.details.user, one.details, op.ttl);
      expect(whose).toBe(await client.get(`ws:session:${op.id}`));
      if (found === -1) return;
      one.end = [Math.max(old, before + op.ttl), Math.max(old, Date.now() + op.ttl)];
      if (one.touched === 'removed') {
        one.touched = 'no';
        one.mended = true;
      }
      return;
    }
    case 'refresh': {
      const found = await f.directory.get(op.id);
      if (!found) return;
      const before = Date.now();
      expect(await f.registry.refresh(found, op.ttl)).toBe(found.user);
      const one = owned.get(op.id);
      if (one) {
        one.end = [before + op.ttl, Date.now() + op.ttl];
        one.mended = false; // sets both
      }
      return;
    }
    case 'purge': {
      const found = await f.directory.get(op.id);
      if (!found) return;
      expect(await f.registry.purge(found)).toBe(found.details === null);
      if (found.details === null) {
        byHand.delete(op.id);
        expect(await client.exists(`ws:session:${op.id}`)).toBe(0);
      }
      return;
    }
    case 'expire': {
      const keys = [`ws:session:${op.id}`, `ws:session:${op.id}:role`];
      for (const key of keys) await client.pexpire(key, 1);
      await until(async () => (await client.exists(...keys)) === 0, 1000, 'the keys to run out');
      byHand.delete(op.id);
      return model.touch(op.id, 'removed');
    }
    case 'set': {
      if (op.ttl === null) await client.set(`ws:session:${op.id}`, op.user);
      else await client.set(`ws:session:${op.id}`, op.user, 'PX', op.ttl);
      byHand.add(op.id);
      return model.touch(op.id, 'changed');
    }
    case 'sadd': {
      await client.sadd(op.user === null ? 'ws:sessions:all' : `ws:user:${op.user}`, op.id);
      return;
    }
    case 'srem': {
      await client.srem(op.user === null ? 'ws:sessions:all' : `ws:user:${op.user}`, op.id);
      if (op.user !== null) model.taken.add(op.user);
      if (op.user === null || owned.get(op.id)?.details.user === op.user) model.touch(op.id, 'removed');
      return;
    }
    case 'delSession': {
      await client.del(`ws:session:${op.id}`);
      byHand.delete(op.id);
      return model.touch(op.id, 'removed');
    }
    case 'delRole': {
      await client.del(`ws:session:${op.id}:role`);
      return model.touch(op.id, 'removed');
    }
    case 'delUser': {
      await client.del(`ws:user:${op.user}`);
      model.taken.add(op.user);
      for (const [id, { details }] of owned) if (details.user === op.user) model.touch(id, 'removed');
      return;
    }
    case 'delAll': {
      await client.del('ws:sessions:all');
      for (const id of owned.keys()) model.touch(id, 'removed');
    }
  }
}

async function check(f: Floor, { owned, byHand, taken }: Model): Promise<void> {
  const { client } = f.redis;
  const ends = (key: string) => endOf(f.redis, key);

  // (a), (c)
  for (const [id, { details, end, touched, mended }] of owned) {
    if (touched !== 'no') continue;
    expect(await client.get(`ws:session:${id}`), `the session key of ${id}`).toBe(details.user);
    expect(await client.get(`ws:session:${id}:role`), `the role key of ${id}`).toBe(details.role);
    expect(await client.sismember(`ws:user:${details.user}`, id), `${id} in the set of its user`).toBe(1);
    expect(await client.sismember('ws:sessions:all', id), `${id} in the set of all`).toBe(1);
    const ending = await ends(`ws:session:${id}`);
    expect(ending, `the TTL of ${id}`).toBeGreaterThanOrEqual(end[0] - SLACK);
    expect(ending, `the TTL of ${id}`).toBeLessThanOrEqual(end[1] + SLACK);
    const roleEnds = details.role === null ? ending : await ends(`ws:session:${id}:role`);
    expect(roleEnds, `the TTL of the role of ${id}`).toBeGreaterThanOrEqual(ending - SLACK);
    if (!mended) expect(roleEnds, `the TTL of the role of ${id}`).toBeLessThanOrEqual(ending + SLACK);
    const setEnds = await ends(`ws:user:${details.user}`);
    if (setEnds !== -1) expect(setEnds, `the TTL of the set of ${details.user}`).toBeGreaterThanOrEqual(ending - SLACK);
    expect(await ends(`ws:x:details:${id}`), `the TTL of the details of ${id}`).toBeGreaterThan(ending);
  }
  expect(await ends('ws:sessions:all')).toBeLessThan(0);

  // (b)
  const listed = (await client.smembers('ws:sessions:all')).filter(isUsableId);
  const living = new Map<string, string>();
  for (const id of listed) {
    const whose = await client.get(`ws:session:${id}`);
    if (whose !== null) living.set(id, whose);
  }
  const walked: [string, string][] = [];
  for await (const { sessions } of f.directory.walk())
    walked.push(...sessions.map((one): [string, string] => [one.id, one.user]));
  expect(walked.sort()).toEqual([...living].sort());
  expect(await f.directory.count()).toMatchObject({ sessions: living.size, users: new Set(living.values()).size });
  for (const one of USERS) {
    const inSet = await client.smembers(`ws:user:${one}`);
    const want = inSet.filter((id) => living.get(id) === one).sort();
    expect((await f.directory.sessionsOf(one)).sessions.map(({ id }) => id).sort(), `the sessions of ${one}`).toEqual(
      want,
    );
  }
  const newest = (await f.directory.newest(100)).map(({ id }) => id);
  expect(newest).toHaveLength(new Set(newest).size);
  for (const id of newest) expect(living.has(id), `${id} is among the newest`).toBe(true);

  // (e)
  const scores = async (key: string) => {
    const flat = await client.zrange(key, 0, -1, 'WITHSCORES');
    return new Map(flat.flatMap((member, i) => (i % 2 === 0 ? [[member, Number(flat[i + 1])] as const] : [])));
  };
  const index = await scores(`ws:x:own:${INCARNATION}`);
  expect([...index.keys()].sort(), 'the own index').toEqual([...owned.keys()].sort());
  const users = await scores('ws:x:users');
  for (const [id, { details, touched }] of owned) {
    if (touched !== 'no') continue;
    expect(index.get(id), `the end of ${id} in the own index`).toBe(await ends(`ws:session:${id}`));
    expect(users.has(details.user), `${details.user} in the index of users`).toBe(true);
  }
  if (owned.size > 0) {
    const last = Math.max(...(await Promise.all([...owned.keys()].map((id) => ends(`ws:x:details:${id}`)))));
    expect(await ends(`ws:x:own:${INCARNATION}`), 'the end of the own index').toBeGreaterThanOrEqual(last - SLACK);
  }
  for (const one of users.keys()) {
    if (taken.has(one)) continue;
    expect(await client.exists(`ws:user:${one}`), `the set of ${one}, which the index of users names`).toBe(1);
  }

  // (d)
  const allowed = new Set(['ws:sessions:all', ...USERS.map((one) => `ws:user:${one}`)]);
  for (const id of byHand) allowed.add(`ws:session:${id}`);
  for (const [id, { details }] of owned) {
    allowed.add(`ws:session:${id}`);
    if (details.role !== null) allowed.add(`ws:session:${id}:role`);
  }
  expect((await client.keys('*')).filter((key) => !allowed.has(key) && !key.startsWith('ws:x:'))).toEqual([]);
}

contract(
  'A random sequence',
  (f) => {
    const begin = async () => {
      await f.redis.client.flushall();
      await f.nodes.hold(nodeInfo());
      await f.redis.client.pexpire('ws:x:node:n1', HOUR); // a run may take longer than a lease lives
      return f.redis.keys();
    };
    const patience = Math.max(1, RUNS / 100) * 300_000;

    test(
      'of everything, and of SET, SADD, SREM and DEL by another client, keeps (a) to (e)',
      async () => {
        const ops = fc.array(fc.oneof(...ownOps, ...handOps), { minLength: 1, maxLength: 30, size: 'max' });
        await fc.assert(
          fc.asyncProperty(ops, async (steps) => {
            await begin();
            const model = new Model();
            for (const step of steps) {
              await act(f, model, step as Op);
              await check(f, model);
            }
          }),
          { numRuns: RUNS },
        );
      },
      patience,
    );

    test(
      'with own sessions only keeps (a) to (e), and ends at the keys it began with',
      async () => {
        const ops = fc.array(fc.oneof(...ownOps), { minLength: 1, maxLength: 30, size: 'max' });
        await fc.assert(
          fc.asyncProperty(ops, async (steps) => {
            const before = await begin();
            const model = new Model();
            for (const step of steps) {
              await act(f, model, step as Op);
              await check(f, model);
            }
            for (const id of OWN) await act(f, model, { op: 'unregister', id });
            expect(model.owned.size).toBe(0);
            expect(await f.redis.keys()).toEqual(before);
            expect((await f.redis.client.get('ws:x:node:n1'))?.slice(0, 16)).toBe(INCARNATION);
          }),
          { numRuns: RUNS },
        );
      },
      patience,
    );
  },
  'on a few',
);
