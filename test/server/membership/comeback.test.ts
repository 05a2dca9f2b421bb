/**
 * A node that loses its lease, its writes and its sessions at any moment, while these are kicked, reaped, and leave: at
 * rest Redis holds exactly the sessions whose sockets are open, and none is open of which it was said that it was kicked.
 * WSSESS_TEST_RUNS multiplies the number of runs.
 */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { WssessError } from '../../../src/common/errors.ts';
import { kick } from '../../../src/sessions/kick.ts';
import type { Session } from '../../../src/sessions/model.ts';
import { Registry } from '../../../src/sessions/registry.ts';
import { targetsOf } from '../../../src/sessions/targets.ts';
import { LONGEST_ABSENCE } from '../../../src/sessions/tombstone.ts';
import { contract } from '../../contracts/stores.ts';
import { writeByHand } from '../../helpers/floor.ts';
import { type Client, startNode } from '../../helpers/node.ts';
import { sleep, until } from '../../helpers/wait.ts';

const RUNS = 25 * Number(process.env.WSSESS_TEST_RUNS ?? 1);
const SESSIONS = 8;

contract('A node that comes back', (f) => {
  const start = () => startNode(f);
  const loseLease = () => f.redis.client.del('ws:x:node:n1');
  const reap = async (id: string) => {
    const found = await f.directory.get(id);
    return found !== undefined && (await f.registry.reap([found]));
  };

  test('with one that was purged meanwhile closes it as a kick does, and registers the others', async () => {
    const { connect, lease } = await start();
    const [one, other] = [await connect('kim'), await connect('kim')];
    const target = (await f.directory.get(one.connection.id))!;
    await loseLease();
    await kick([target], f, { actionId: 'a-1', reason: 'because', purge: true, timeout: 1000 });
    await reap(other.connection.id);
    await lease.renew();
    await until(() => one.closed, 5000, 'the one to be closed');
    expect(one.closed).toEqual({ code: 4001, reason: 'because' });
    expect(one.received).toMatch(/^ERROR\nmessage:because\ncause:kicked\ncontent-type:text\/plain\naction-id:a-1\n/);
    await until(() => f.directory.get(other.connection.id), 5000, 'the other to be registered again');
    await until(async () => (await f.redis.keys()).every((key) => !key.includes(one.connection.id)), 5000);
    expect(other.closed).toBeUndefined();
  });

  test('removes what is left of those without a socket, but not what another program has made of them', async () => {
    const { connect, lease, members, incarnation } = await start();
    const clients = [await connect('kim'), await connect('kim'), await connect('kim')];
    const [gone, reused, renamed] = clients.map(({ connection }) => connection.id) as [string, string, string];
    const unregister = vi.spyOn(Registry.prototype, 'unregister');
    f.later(() => unregister.mockRestore());
    await loseLease();
    unregister.mockRejectedValue(new WssessError('redis_unreachable', 'gone'));
    for (const { connection } of clients.slice(0, 2)) await connection.end('closed', { code: 1000, reason: '' });
    unregister.mockRestore();
    for (const id of [reused, renamed]) await writeByHand(f.redis, id, 'lee');
    await lease.renew();
    const index = `ws:x:own:${incarnation}`;
    await until(async () => (await f.redis.client.zcard(index)) === 1, 10_000, 'the leftovers to be gone');
    expect(await f.directory.get(gone)).toBeUndefined();
    expect(await f.directory.get(reused)).toMatchObject({ user: 'lee', details: null });
    // That one has a socket: it is of the other user then.
    expect(await f.directory.get(renamed)).toMatchObject({ user: 'lee', details: { incarnation } });
    expect(await members.end()).toBe(true);
    expect((await f.directory.sessionsOf('lee')).sessions.map(({ id }) => id).sort()).toEqual([reused, renamed].sort());
  });

  test('after longer than tombstones last closes all of them: who was ended is no longer known', async () => {
    const { connect, members } = await start();
    const [one, two] = [await connect('kim'), await connect('lee')];
    members.restore({ monotonic: performance.now(), wall: Date.now() - LONGEST_ABSENCE + 60_000 });
    await sleep(50);
    expect([one.closed, two.closed]).toEqual([undefined, undefined]);
    members.restore({ monotonic: performance.now(), wall: Date.now() - LONGEST_ABSENCE - 1 });
    expect([one.closed?.code, two.closed?.code]).toEqual([1013, 1013]);
    await until(async () => (await f.redis.client.scard('ws:sessions:all')) === 0, 5000, 'both to be unregistered');
  });

  test('agrees with Redis at rest, whatever happened', { timeout: 300_000 }, async () => {
    const which = fc.nat({ max: SESSIONS - 1 });
    const op = fc.oneof(
      { weight: 2, arbitrary: fc.record({ op: fc.constant('loseLease' as const), which }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('comeBack' as const), which }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('reap' as const), which }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('loseWrites' as const), which }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant('claimedKick' as const), which }) },
      { weight: 4, arbitrary: fc.record({ op: fc.constant('kick' as const), which }) },
      { weight: 4, arbitrary: fc.record({ op: fc.constant('kickById' as const), which }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('leave' as const), which }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('sign' as const), which }) },
    );
    const steps = fc.array(fc.record({ step: op, wait: fc.nat({ max: 4 }) }), { minLength: 5, maxLength: 30 });
    const { connect, members, lease, handlers, faults } = await start();

    const run = async (script: { step: { op: string; which: number }; wait: number }[]) => {
      const clients = await Promise.all(Array.from({ length: SESSIONS }, (_, i) => connect(`u${i % 3}`)));
      /** Of which it was said that they are out. */
      const out = new Set<Client>();
      const seen = new Map<Client, Session>();
      for (const client of clients) seen.set(client, (await f.directory.get(client.connection.id))!);

      const act = async (name: string, client: Client): Promise<unknown> => {
        const { connection } = client;
        switch (name) {
          case 'loseLease':
            return loseLease();
          case 'comeBack':
            await lease.renew();
            return members.restore(lease.lastHeld);
          case 'reap':
            return reap(connection.id);
          case 'loseWrites':
            return f.redis.client.del(`ws:session:${connection.id}`, `ws:x:details:${connection.id}`);
          case 'claimedKick': {
            const asks = { sessions: [connection.id], action_id: 'a-1', reason: null };
            for (const { outcome } of await handlers.kick(asks)) if (outcome === 'kicked') out.add(client);
            expect(client.closed).toBeDefined();
            return undefined;
          }
          case 'kick':
          case 'kickById': {
            const options = { actionId: 'a-2', reason: null, purge: true, timeout: 300 };
            const { found } = await targetsOf(f.directory, { ids: [connection.id] }, { lost: true });
            const targets = name === 'kick' ? [seen.get(client)!] : found;
            const [result] = await kick(targets, f, options);
            if (!result) return undefined;
            if (result.outcome === 'kicked') expect(client.closed).toBeDefined();
            if (result.outcome === 'kicked' || result.purged) out.add(client);
            return undefined;
          }
          case 'leave':
            return connection.gone();
          default:
            return connection.receive(Buffer.from('\n'));
        }
      };
      const acts: Promise<unknown>[] = [];
      for (const { step, wait } of script) {
        acts.push(act(step.op, clients[step.which]!));
        if (wait > 0) await sleep(wait);
      }
      await Promise.all(acts);
      await lease.renew();
      members.restore(lease.lastHeld);

      const open = () => clients.filter(({ closed }) => !closed).map(({ connection }) => connection.id);
      const agrees = async () => {
        const live = (await f.redis.client.keys('ws:session:*')).map((key) => key.split(':')[2]!);
        const all = await f.redis.client.smembers('ws:sessions:all');
        return [live, all].every((ids) => ids.sort().join() === open().sort().join());
      };
      await until(agrees, 10_000, 'Redis and the sockets to agree');
      await sleep(20);
      expect(await agrees()).toBe(true);
      for (const client of out) expect(client.closed).toBeDefined();
      expect(faults.filter((fault) => (fault as { code?: string }).code === undefined)).toEqual([]);
      expect(await f.redis.client.exists(...open().map((id) => `ws:x:lost:${id}`), 'ws:x:lost:none')).toBe(0);
      await Promise.all(clients.map(({ connection }) => connection.end('shutdown', { code: 1001, reason: '' })));
      expect(await f.redis.client.keys('ws:x:lost:*')).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: RUNS, endOnFailure: true });
  });
});
