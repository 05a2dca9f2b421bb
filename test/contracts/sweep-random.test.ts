/**
 * Random sequences of what nodes, other programs and the sweep do at the same time. A node may stop, come back, or die;
 * what the sweep has looked at may change before it mends. After each step no session of a living node that nobody else
 * touched has lost anything. At the end, when all is quiet, a pass makes sets and indexes agree with the model, and
 * the next finds nothing; where an index names a wrong owner that owner is asked first, and the right one a pass later.
 * WSSESS_TEST_RUNS multiplies the number of runs.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WssessError } from '../../src/common/errors.ts';
import { type Details, unpackDetails } from '../../src/sessions/model.ts';
import { reapProcess } from '../../src/sessions/sweep/dead.ts';
import { Examiner, type Finding } from '../../src/sessions/sweep/examine.ts';
import { mend } from '../../src/sessions/sweep/mend.ts';
import { pass } from '../../src/sessions/sweep/pass.ts';
import { type Stale, staleOf } from '../../src/sessions/sweep/users.ts';
import { HOUR, INCARNATION, makeDetails, nodeInfo, OTHER_INCARNATION } from '../helpers/floor.ts';
import { contract, type Floor } from './stores.ts';

const RUNS = 30 * Number(process.env.WSSESS_TEST_RUNS ?? 1);

const USERS = ['kim', 'lee', '__proto__'];
const IDS = ['a1', 'a2', 'b1', 'b2', 'f1', 'f2'];
const NODES = ['na', 'nb'] as const;
type NodeName = (typeof NODES)[number];
const INCARNATIONS = { na: INCARNATION, nb: OTHER_INCARNATION };

const node = fc.constantFrom(...NODES);
const id = fc.constantFrom(...IDS);
const user = fc.constantFrom(...USERS);
const family = fc.constantFrom('session', 'role', 'user', 'all', 'member', 'details', 'newest', 'own', 'users');
/** A step of this name, with what is drawn for each of its fields. */
const op = <Name extends string, Drawn extends object>(
  name: Name,
  rest: { [Field in keyof Drawn]: fc.Arbitrary<Drawn[Field]> },
): fc.Arbitrary<{ op: Name } & Drawn> => fc.record(rest).map((drawn) => ({ op: name, ...(drawn as Drawn) }));

const OPS = fc.oneof(
  { weight: 8, arbitrary: op('register', { node, id, user, role: fc.constantFrom('AGENT', null) }) },
  { weight: 3, arbitrary: op('unregister', { id }) },
  { weight: 2, arbitrary: op('crash', { node }) },
  { weight: 3, arbitrary: op('comeBack', { node }) },
  { weight: 2, arbitrary: op('expire', { id }) },
  { weight: 3, arbitrary: op('delete', { id, user, what: family }) },
  { weight: 2, arbitrary: op('foreign', { id, user }) },
  { weight: 1, arbitrary: op('stale', { id, user, into: fc.constantFrom('all', 'user', 'newest', 'own') }) },
  { weight: 4, arbitrary: op('examine', { ids: fc.uniqueArray(id, { minLength: 1 }) }) },
  { weight: 2, arbitrary: op('staleOf', { users: fc.uniqueArray(user, { minLength: 1 }) }) },
  { weight: 6, arbitrary: op('mend', {}) },
  { weight: 2, arbitrary: op('reapProcess', { node }) },
);
type Op = typeof OPS extends fc.Arbitrary<infer T> ? T : never;

/** A session that has a socket at a node, whether or not Redis knows. */
interface Socket {
  node: NodeName;
  details: Details;
  /** Another program changed something of it. */
  touched: boolean;
}

class Model {
  readonly sockets = new Map<string, Socket>();
  readonly alive = new Set<NodeName>(NODES);
  readonly byHand = new Map<string, string>();
  /**
   * Ids that lost their details to another program, or were reaped and are used again by it for the same user: when their
   * node is gone, nothing tells them from foreign ones.
   */
  readonly undetailed = new Set<string>();
  readonly found: (Finding | Stale)[][] = [];
  connects = 0;
}

const lease = (name: NodeName) => nodeInfo({ name, incarnation: INCARNATIONS[name] });

async function hold(f: Floor, name: NodeName): Promise<void> {
  await f.nodes.hold(lease(name));
  await f.redis.client.pexpire(`ws:x:node:${name}`, HOUR); // a run may take longer than a lease lives
}

async function act(f: Floor, model: Model, step: Op): Promise<void> {
  const { client } = f.redis;
  const { sockets, alive } = model;
  switch (step.op) {
    case 'register': {
      const incarnation = INCARNATIONS[step.node];
      const details = makeDetails({
        node: step.node,
        incarnation,
        user: step.user,
        role: step.role,
        connectedAt: 1_763_761_914_123 + model.connects++,
      });
      if (sockets.has(step.id)) return; // ids of living sockets are never drawn again
      try {
        await f.registry.register(step.id, details);
        sockets.set(step.id, { node: step.node, details, touched: false });
        model.byHand.delete(step.id);
      } catch (error) {
        expect((error as WssessError).code).toMatch(/^(session_taken|lease_lost)$/);
      }
      return;
    }
    case 'unregister': {
      const socket = sockets.get(step.id);
      if (!socket) return;
      sockets.delete(step.id);
      // Reaped, and given to another user meanwhile, it is that one's.
      if (await client.exists(`ws:x:details:${step.id}`)) model.byHand.delete(step.id);
      return f.registry.unregister(step.id, socket.details.user, socket.details).catch((error: WssessError) => {
        expect([error.code, alive.has(socket.node)]).toEqual(['lease_lost', false]);
      });
    }
    case 'crash': // SIGSTOP or a cut cable: it may come back
      alive.delete(step.node);
      return void (await client.del(`ws:x:node:${step.node}`));
    case 'comeBack': {
      if (alive.has(step.node)) return;
      await hold(f, step.node);
      alive.add(step.node);
      for (const [one, { node: at }] of sockets) if (at === step.node) await renew(f, model, one);
      return forgetGhosts(f, model, step.node);
    }
    case 'expire': // its socket went, its unregister never arrived, and its TTL ran out
      if (sockets.delete(step.id)) {
        model.byHand.delete(step.id);
        await client.del(`ws:session:${step.id}`);
      }
      return;
    case 'delete': {
      const socket = sockets.get(step.id);
      if (socket) socket.touched = true;
      const own = `ws:x:own:${INCARNATIONS[socket?.node ?? 'na']}`;
      const touchUser = () => {
        for (const one of sockets.values()) if (one.details.user === step.user) one.touched = true;
      };
      const acts: Record<typeof step.what, () => Promise<unknown>> = {
        session: () => client.del(`ws:session:${step.id}`),
        role: () => client.del(`ws:session:${step.id}:role`),
        user: () => client.del(`ws:user:${step.user}`),
        member: () => client.srem(`ws:user:${step.user}`, step.id),
        all: () => client.srem('ws:sessions:all', step.id),
        details: () => client.del(`ws:x:details:${step.id}`),
        newest: () => client.zrem('ws:x:newest', step.id),
        own: () => client.zrem(own, step.id),
        users: () => client.zrem('ws:x:users', step.user),
      };
      if (['user', 'users'].includes(step.what)) touchUser();
      if (step.what === 'details') model.undetailed.add(step.id);
      if (step.what === 'session') model.byHand.delete(step.id);
      return void (await acts[step.what]());
    }
    case 'foreign': {
      // Another program may write over the key of a node's session too: it is of that user then.
      // One that the node left behind is another's if it is another user's; of the same user nothing tells it apart.
      const socket = sockets.get(step.id);
      const details = unpackDetails((await client.get(`ws:x:details:${step.id}`)) ?? '');
      if (socket) socket.touched = true;
      else if (details && (details.user === step.user || alive.has(details.node as NodeName))) return;
      if ((socket?.details ?? details)?.user !== step.user) model.byHand.set(step.id, step.user);
      else {
        model.byHand.delete(step.id);
        if (!details) model.undetailed.add(step.id);
      }
      await client.set(`ws:session:${step.id}`, step.user, 'EX', 86_400);
      await client.sadd(`ws:user:${step.user}`, step.id);
      return void (await client.sadd('ws:sessions:all', step.id));
    }
    case 'stale': {
      const socket = sockets.get(step.id);
      if (step.into === 'all') await client.sadd('ws:sessions:all', step.id);
      else if (step.into === 'user') await client.sadd(`ws:user:${step.user}`, step.id);
      else if (step.into === 'newest') await client.zadd('ws:x:newest', 'NX', 5, step.id);
      else if (!socket) await client.zadd(`ws:x:own:${INCARNATION}`, 'NX', Date.now() + HOUR, step.id);
      return;
    }
    case 'examine':
      return void model.found.push((await new Examiner(f).examine(step.ids)).findings);
    case 'staleOf':
      return void model.found.push((await staleOf(step.users, f)).stale);
    case 'mend': {
      for (const one of model.found.shift() ?? []) {
        if ('act' in one) await mend([one], f);
        else await f.registry.prune(one.user, one.ids);
      }
      return;
    }
    case 'reapProcess': {
      const process = { name: step.node, incarnation: INCARNATIONS[step.node] };
      const removed = await reapProcess(process, f);
      if (alive.has(step.node)) expect(removed, 'sessions of a living process that were reaped').toBe(0);
    }
  }
}

/** What the index of a process holds that came back, and what has no socket there. */
async function forgetGhosts(f: Floor, { sockets }: Model, name: NodeName): Promise<void> {
  for await (const ids of f.directory.idsOwnedBy(INCARNATIONS[name])) {
    for (const one of ids) {
      const found = await f.directory.get(one);
      const isGhost = found?.details?.incarnation === INCARNATIONS[name] && sockets.get(one)?.node !== name;
      if (isGhost) await f.registry.reap([{ ...found, disowned: true }]);
    }
  }
}

/** The owner writes its session again. */
async function renew(f: Floor, { sockets }: Model, one: string): Promise<boolean> {
  const socket = sockets.get(one);
  if (!socket) return false;
  try {
    await f.registry.renew(one, socket.details.user, socket.details, HOUR);
    return true;
  } catch (error) {
    // The id was given to another while its node was taken for dead.
    if (!(error instanceof WssessError && error.code === 'session_taken')) throw error;
    sockets.delete(one);
    return false;
  }
}

/** What nobody else touched is whole. */
async function check(f: Floor, { sockets, alive }: Model): Promise<void> {
  const { client } = f.redis;
  for (const [one, { node: at, details, touched }] of sockets) {
    if (touched || !alive.has(at)) continue;
    const own = `ws:x:own:${details.incarnation}`;
    expect(await client.get(`ws:session:${one}`), `the session key of ${one}`).toBe(details.user);
    expect(await client.get(`ws:session:${one}:role`), `the role of ${one}`).toBe(details.role);
    expect(await client.sismember(`ws:user:${details.user}`, one), `${one} in the set of its user`).toBe(1);
    expect(await client.sismember('ws:sessions:all', one), `${one} in the set of all`).toBe(1);
    expect(await client.exists(`ws:x:details:${one}`), `the details of ${one}`).toBe(1);
    expect(await client.zscore(own, one), `${one} in the own index`).not.toBeNull();
    expect(await client.zscore('ws:x:newest', one), `${one} among the newest`).not.toBeNull();
    expect(await client.zscore('ws:x:users', details.user), `${details.user} among the users`).not.toBeNull();
  }
}

/** When all is quiet: what there is, is what the model says. */
async function agree(f: Floor, model: Model): Promise<void> {
  const { client } = f.redis;
  const { sockets, byHand, alive } = model;
  // Processes that are away stay away; sessions of theirs are gone.
  for (const [one, { node: at }] of [...sockets]) if (!alive.has(at)) sockets.delete(one);
  const share = { share: 1, grace: 0, met: new Set(USERS) };
  for (const name of NODES) {
    if (!alive.has(name)) await reapProcess({ name, incarnation: INCARNATIONS[name] }, f);
  }
  // Without details and out of the index of its process, nothing tells a session from a foreign one before it renews.
  for (const [one, { details }] of sockets) {
    const isNamed = (await client.zscore(`ws:x:own:${details.incarnation}`, one)) !== null;
    if (!isNamed && (await client.exists(`ws:x:details:${one}`)) === 0) await renew(f, model, one);
  }
  for (let passes = 0; passes < 2; passes++) await pass(f, share);
  const { met: _, ...again } = await pass(f, share);
  expect(again, 'what a second pass finds').toEqual({ ghosts: 0, expired: 0, entries: 0, restored: 0, relisted: 0 });

  const listed = new Map<string, string | null>();
  for (const one of await client.smembers('ws:sessions:all')) listed.set(one, await client.get(`ws:session:${one}`));
  for (const [one, { details }] of sockets) {
    // Given to another by another program, it is that one's for as long as its node is not taken for dead.
    const whose = String(listed.get(one));
    expect([details.user, byHand.get(one)], `the user of ${one}`).toContain(whose);
    expect(await client.sismember(`ws:user:${whose}`, one), `${one} in the set of ${whose}`).toBe(1);
    expect(await client.zscore('ws:x:users', whose), `${whose} among the users`).not.toBeNull();
  }
  for (const [one, whose] of byHand) {
    expect(await client.get(`ws:session:${one}`), `the foreign session ${one}`).toBe(whose);
    if (!listed.has(one)) continue;
    expect(await client.sismember(`ws:user:${whose}`, one), `the foreign ${one} in the set of ${whose}`).toBe(1);
  }
  for (const [one, whose] of listed) {
    expect(whose, `the session key of ${one}, which is listed`).not.toBeNull();
    if (!sockets.has(one) && !model.undetailed.has(one))
      expect(byHand.get(one), `${one}, which has no socket`).toBe(whose);
  }
  expect((await client.zrange('ws:x:newest', 0, -1)).sort()).toEqual([...sockets.keys()].sort());
  for (const name of NODES) {
    const ids = [...sockets].filter(([, { node: at }]) => at === name).map(([one]) => one);
    const own = `ws:x:own:${INCARNATIONS[name]}`;
    expect((await client.zrange(own, 0, -1)).sort(), own).toEqual(ids.sort());
    expect(await client.zcount(own, Date.now(), '+inf')).toBe(ids.length);
  }
  for (const one of USERS) {
    for (const member of await client.smembers(`ws:user:${one}`)) {
      expect(await client.get(`ws:session:${member}`), `the user of ${member}, in the set of ${one}`).toBe(one);
    }
  }
  for (const one of await client.zrange('ws:x:users', 0, -1)) {
    expect(await client.exists(`ws:user:${one}`), `the set of ${one}, which the index of users names`).toBe(1);
  }
  for (const key of await client.keys('ws:x:details:*')) {
    expect(sockets.has(key.slice('ws:x:details:'.length)), key).toBe(true);
  }
}

contract('The sweep amid a random sequence', (f) => {
  test(
    'removes nothing that lives, and makes all agree when it is quiet',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(OPS, { minLength: 1, maxLength: 40, size: 'max' }), async (steps) => {
          await f.redis.client.flushall();
          const model = new Model();
          const ends = await Promise.all(
            NODES.map(async (name) => {
              await hold(f, name);
              return f.control.listen(
                INCARNATIONS[name],
                {
                  kick: async () => [],
                  describe: async () => [],
                  restore: async ({ sessions }) =>
                    Promise.all(
                      sessions.map(async (one) => {
                        const isOurs = model.sockets.get(one)?.node === name;
                        const outcome = isOurs && (await renew(f, model, one)) ? 'restored' : 'unknown';
                        return { session_id: one, outcome } as const;
                      }),
                    ),
                },
                () => {},
              );
            }),
          );
          try {
            for (const step of steps) {
              await act(f, model, step);
              await check(f, model);
            }
            await agree(f, model);
          } finally {
            for (const end of ends) end();
          }
        }),
        { numRuns: RUNS },
      );
    },
    Math.max(1, RUNS / 30) * 300_000,
  );
});
