/** What a dead process left is in no answer, and nobody whose process lives is ever left out. */
import { beforeEach, describe, expect, test } from 'vitest';
import { WssessError } from '../../src/common/errors.ts';
import { countSessions } from '../../src/sessions/counts.ts';
import { list, stream } from '../../src/sessions/listing.ts';
import { LOOK_AGAIN, Presence } from '../../src/sessions/presence.ts';
import { find, type Selection } from '../../src/sessions/selection.ts';
import { countAll } from '../../src/sessions/stats.ts';
import { WALKED } from '../../src/sessions/sweep/foreign.ts';
import {
  dump,
  HOUR,
  INCARNATION,
  makeDetails,
  meddle,
  nodeInfo,
  OTHER_INCARNATION,
  writeByHand,
} from '../helpers/floor.ts';
import { sleep } from '../helpers/wait.ts';
import { contract } from './stores.ts';

/** Milliseconds for which leases that were read are taken to be current, and some. */
const CURRENT = 550;
const ALL = { selection: {}, sort: undefined, reverse: false, limit: 100, live: false };
const LEASE = 'ws:x:node:n1';
const OTHER_LEASE = 'ws:x:node:n2';

contract(
  'Presence',
  (f) => {
    const hold = async () => {
      await f.nodes.hold(nodeInfo());
      await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
      for (const lease of [LEASE, OTHER_LEASE]) await f.redis.client.pexpire(lease, HOUR);
    };
    /** Does something instead of waiting: what happens between the two looks. */
    const between = (act: () => Promise<unknown> = async () => {}) => {
      let looks = 0;
      const nodes = meddle(f.nodes, 'living', async () => (looks++ === 1 ? act() : undefined));
      return new Presence({ ...f, nodes }, 0);
    };
    const ids = (rows: readonly { session_id: string }[]) => rows.map(({ session_id }) => session_id).sort();
    const online = async (presence: Presence, selection: Selection = {}) => {
      const found: string[] = [];
      for await (const { sessions } of presence.online(find(f.directory, selection))) {
        found.push(...sessions.map(({ id }) => id));
      }
      return found.sort();
    };

    beforeEach(async () => {
      await hold();
      await f.registry.register('s1', makeDetails());
      await f.registry.register('s2', makeDetails({ user: 'lee', role: null }));
      await f.registry.register('t1', makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION, user: 'lee' }));
      await writeByHand(f.redis, 'f1', 'han');
    });

    test('of a dead process nothing is in any answer; foreign ones and those of others are', async () => {
      await f.redis.client.del(LEASE);
      const before = await dump(f.redis);
      const presence = new Presence(f, 0);
      for (const limit of [1, 2, 100]) {
        const listing = await list(f, { ...ALL, limit }, presence);
        expect(listing).toMatchObject({ total: 2, nodesMissing: [], leftOut: { nodes: ['n1'] } });
        expect(ids(listing.rows)).toEqual(limit === 1 ? ['t1'] : ['f1', 't1']);
        expect([...listing.leftOut.ids].sort()).toEqual(['s1', 's2']);
      }
      const rows: string[] = [];
      const streamed = await stream(f, { selection: {}, limit: 100, live: false }, presence, async (page) => {
        rows.push(...ids(page));
      });
      expect([streamed.total, rows.sort()]).toEqual([2, ['f1', 't1']]);
      const stats = await countAll(f, presence);
      expect(stats).toMatchObject({ sessions: 2, users: 2, nodes: 1, foreign: 1, withoutRole: 1 });
      expect([...stats.byNode, ...stats.byRole]).toEqual([
        ['n2', 1],
        ['AGENT', 1],
      ]);
      expect(await countSessions(f, presence)).toMatchObject({ sessions: 2, users: 2 });
      expect(await online(presence, { users: ['kim'] })).toEqual([]);
      expect(await dump(f.redis)).toEqual(before);
    });

    test('also where a later process has its name', async () => {
      await f.redis.client.del(LEASE);
      await f.nodes.hold(nodeInfo({ incarnation: 'incarnation-0003' }));
      const presence = new Presence(f, 0);
      expect(await online(presence)).toEqual(['f1', 't1']);
      expect(presence.leftOut.nodes).toEqual(['n1']);
    });

    test('where nodes are asked, the dead one is missing', async () => {
      for (const lease of [LEASE, OTHER_LEASE]) await f.redis.client.del(lease);
      const listing = await list(f, { ...ALL, live: true }, new Presence(f, 0));
      expect(listing).toMatchObject({ total: 1, nodesMissing: ['n1', 'n2'], unanswered: [] });
    });

    describe('a lease that is gone for a moment', () => {
      test.each([
        ['is renewed', async () => hold()],
        [
          'is renewed, and the session was written again',
          async () => {
            await hold();
            await f.redis.client.del('ws:session:s1');
            await f.registry.renew('s1', 'kim', makeDetails(), HOUR);
          },
        ],
      ])('%s: nobody is left out', async (_, act) => {
        await f.redis.client.del(LEASE, OTHER_LEASE);
        const presence = between(act);
        expect(await online(presence)).toEqual(['f1', 's1', 's2', 't1']);
        expect(presence.leftOut).toEqual({ ids: [], nodes: [] });
      });

      test('and the session ended meanwhile, or is another user’s: it is not online', async () => {
        await f.redis.client.del(LEASE);
        const presence = between();
        const both = await f.directory.getAll(['s1', 's2']);
        const found = presence.only(both.sessions);
        await f.redis.client.del('ws:session:s1');
        await f.redis.client.set('ws:session:s2', 'han');
        expect(await found).toEqual([]);
        expect(presence.leftOut.ids).toEqual([]);
      });

      test('is waited for so long as a living node takes to renew it, once for all nodes', async () => {
        await f.redis.client.del(LEASE, OTHER_LEASE);
        const presence = new Presence(f);
        const began = performance.now();
        const renewed = setTimeout(() => void hold(), LOOK_AGAIN - 400);
        try {
          expect(await online(presence)).toEqual(['f1', 's1', 's2', 't1']);
          expect(performance.now() - began).toBeGreaterThanOrEqual(LOOK_AGAIN - 1);
        } finally {
          clearTimeout(renewed);
        }
      });
    });

    test('again and again: who is known to be gone is not waited for, and is back with the lease', async () => {
      await f.redis.client.del(LEASE);
      let waits = 0;
      const directory = meddle(f.directory, 'getAll', () => waits++);
      const presence = new Presence({ ...f, directory }, 0);
      for (let i = 0; i < 3; i++) {
        expect(await online(presence)).toEqual(['f1', 't1']);
        expect(presence.leftOut.ids).toHaveLength(2);
        await sleep(CURRENT); // leases are read anew
      }
      expect(waits).toBe(1);
      await hold();
      expect(await online(presence)).toEqual(['f1', 's1', 's2', 't1']);
      await f.redis.client.del(LEASE);
      await sleep(CURRENT);
      expect(await online(presence)).toEqual(['f1', 't1']);
      expect(waits).toBe(2);
    });

    test('an id that another program uses again is that program’s: foreign, and online', async () => {
      await f.redis.client.set('ws:session:s1', 'han', 'PX', HOUR);
      await f.redis.client.sadd('ws:user:han', 's1');
      expect(await online(new Presence(f, 0), { nodes: ['n1'] })).toEqual(['s1', 's2']); // the node lives: it is the node's
      await f.redis.client.del(LEASE);
      const { rows, total } = await list(f, ALL, new Presence(f, 0));
      expect(total).toBe(3);
      expect(rows.find((row) => row.session_id === 's1')).toMatchObject({ user: 'han', node: null });
      expect(await countAll(f, new Presence(f, 0))).toMatchObject({ sessions: 3, foreign: 2 });
    });

    test('more than are held in doubt', async () => {
      for (let i = 0; i < 1200; i++) await f.registry.register(`m${i}`, makeDetails());
      await f.redis.client.del(LEASE);
      const presence = new Presence(f, 0);
      expect(await online(presence)).toEqual(['f1', 't1']);
      expect(presence.leftOut.ids.length).toBe(1202);
      await f.redis.client.del(OTHER_LEASE);
      const back = between(hold);
      expect((await online(back)).length).toBe(1204);
    });

    test('one look at the leases, and none where nobody has one', async () => {
      const asked: string[][] = [];
      const nodes = meddle(f.nodes, 'living', async (names: string[]) => asked.push([...names].sort()));
      for (let i = 0; i < 300; i++) await f.registry.register(`m${i}`, makeDetails());
      await list({ ...f, nodes }, { ...ALL, limit: 3 }, new Presence({ ...f, nodes }));
      expect(asked.length).toBeLessThanOrEqual(2); // n2 has one session, which may come on a later page
      asked.length = 0;
      await online(new Presence({ ...f, nodes }), { users: ['kim'] });
      expect(asked).toEqual([['n1']]);
      asked.length = 0;
      await online(new Presence({ ...f, nodes }), { users: ['han'] });
      expect(asked).toEqual([]);
    });

    test('while Redis takes no writes, no lease can be renewed: nobody is left out', async () => {
      await f.redis.client.del(LEASE, OTHER_LEASE);
      let [isRefused, asked] = [true, 0];
      const store = meddle(f.store, 'call', (name: string) => {
        if (name === 'DEL' && ++asked && isRefused) throw new WssessError('redis_refused', 'READONLY');
        if (name === 'DEL' && asked > 3) isRefused = true;
      });
      const presence = new Presence({ ...f, store }, 0);
      expect(await online(presence)).toEqual(['f1', 's1', 's2', 't1']);
      expect((await presence.frame()).isDoubtful).toBe(true);
      expect([asked, presence.leftOut.ids]).toEqual([2, []]);
      // Nor if that begins between the two looks.
      isRefused = false;
      asked = 3;
      await sleep(CURRENT);
      expect(await online(presence)).toEqual(['f1', 's1', 's2', 't1']);
      expect(asked).toBe(5);
    });

    test('who may only read is told all the same', async () => {
      await f.redis.client.del(LEASE);
      const store = meddle(f.store, 'call', (name: string) => {
        if (name === 'DEL') throw new WssessError('redis_denied', 'NOPERM');
      });
      expect(await online(new Presence({ ...f, store }, 0))).toEqual(['f1', 't1']);
    });

    describe('a frame', () => {
      test('of which a lease is gone for a moment is taken again', async () => {
        await f.redis.client.del(LEASE, OTHER_LEASE);
        const nodes = meddle(f.nodes, 'processes', async () => undefined);
        const presence = new Presence({ ...f, nodes, overview: f.overview }, 300);
        const taken = presence.frame();
        setTimeout(() => void hold(), 100);
        const { frame, isDoubtful } = await taken;
        expect([frame.own, isDoubtful]).toEqual([3, false]);
      });

      test('counts what is left of a dead process for nobody, and says that it is there; swept, not any more', async () => {
        await f.redis.client.del(LEASE);
        const presence = new Presence(f, 0);
        for (let i = 0; i < 2; i++) {
          const { frame, isDoubtful } = await presence.frame();
          expect([frame.own, isDoubtful]).toEqual([1, true]);
        }
        const { sessions } = await f.directory.getAll(['s1', 's2']);
        await f.registry.reap(sessions);
        await f.nodes.retire({ name: 'n1', incarnation: INCARNATION });
        expect((await presence.frame()).isDoubtful).toBe(false);
      });
    });

    test('where the only node was killed and there are too many to walk for each answer, what its last sweep counted is not counted any more', async () => {
      const many = Array.from({ length: WALKED + 1 }, (_, i) => `m${i}`);
      for (let at = 0; at < many.length; at += 10_000) {
        await f.redis.client.sadd('ws:sessions:all', ...many.slice(at, at + 10_000));
      }
      await f.redis.client.set('ws:x:swept', JSON.stringify({ at: 1, skipped: 0, withoutRole: 9, byRole: [] }));
      await f.redis.client.del(LEASE, OTHER_LEASE);
      const presence = new Presence(f, 0);
      expect(await countAll(f, presence)).toMatchObject({ sessions: 1, users: 1, withoutRole: 1, exact: true });
    });
  },
  'on a few',
);
