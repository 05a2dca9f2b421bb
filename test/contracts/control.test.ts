/** Asking a node: acted on at most once, never after the caller was told no, and never a hang. */
import { describe, expect, test, vi } from 'vitest';
import { Control, type Handlers, MAX_REASON, MOST_SESSIONS } from '../../src/sessions/control.ts';
import { askLive } from '../../src/sessions/live.ts';
import type { Session } from '../../src/sessions/model.ts';
import type { Argument, Script } from '../../src/store/store.ts';
import {
  endOf,
  INCARNATION,
  makeDetails,
  meddle,
  nodeInfo,
  OTHER_INCARNATION,
  openFloor,
  timed,
} from '../helpers/floor.ts';
import { sleep, until, within } from '../helpers/wait.ts';
import { contract, type Floor } from './stores.ts';

/** How long a caller waits once more for a node that took the request. */
const CLAIMED_GRACE = 2000;

/** A node that says of everything that it was kicked; what it was asked is in `asked`. */
async function startNode(f: Floor, over: Partial<Handlers> = {}, incarnation = INCARNATION) {
  const asked: unknown[] = [];
  const faults: unknown[] = [];
  const handlers: Handlers = {
    async kick(asks) {
      asked.push(asks);
      return asks.sessions.map((session_id) => ({ session_id, outcome: 'kicked' }));
    },
    async describe({ sessions }) {
      asked.push({ sessions });
      return sessions.map((session_id) => ({
        session_id,
        idle_ms: 1500,
        subscriptions: 2,
        destinations: ['/topic/a', '/topic/b'],
        recv_cnt: 3,
        send_cnt: 4,
        recv_oct: 5,
        send_oct: 6,
      }));
    },
    ...over,
  };
  const own = await openFloor(f.redis);
  f.later(() => own.store.close());
  f.later(await own.control.listen(incarnation, handlers, (fault) => faults.push(fault)));
  return { asked, faults };
}

contract('Control', (f) => {
  const kick = { sessions: ['s1', 's2'], action_id: '01ACTION', reason: 'because' };
  const leftovers = async () => (await f.redis.keys()).filter((key) => /:x:(request|answer):/.test(key));
  /** Key of the one request that waits, once it does. */
  const theRequest = async () => (await until(async () => (await leftovers())[0], 5000, 'the request'))!;
  /** Puts a request there by hand, wakes the node, and gives its answer. */
  const ask = async (id: string, request: string) => {
    await f.redis.client.set(`ws:x:request:${id}`, request, 'PX', 10_000);
    await f.redis.client.publish(`ws:x:wake:${INCARNATION}`, id);
    await until(() => f.redis.client.exists(`ws:x:answer:${id}`), 5000, 'an answer');
    return JSON.parse((await f.redis.client.lindex(`ws:x:answer:${id}`, 0))!);
  };
  /** A Control whose requests are kept in `sent`. */
  const spied = () => {
    const sent: { id: string; request: any; ttl: number }[] = [];
    const store = meddle(f.store, 'run', (_: Script, [key]: string[], [request, ttl]: Argument[]) => {
      sent.push({ id: key!.split(':').at(-1)!, request: JSON.parse(String(request)), ttl: Number(ttl) });
    });
    return { control: new Control(store, f.keys), sent };
  };

  test('a request arrives as it was asked, and the answer as it was given; no key is left', async () => {
    const { asked } = await startNode(f);
    const answer = await f.control.ask(INCARNATION, 'kick', kick, 5000);
    expect(answer).toEqual({
      outcome: 'answered',
      results: [
        { session_id: 's1', outcome: 'kicked' },
        { session_id: 's2', outcome: 'kicked' },
      ],
    });
    expect(asked).toEqual([kick]);
    expect(await f.control.ask(INCARNATION, 'describe', { sessions: ['s1'] }, 5000)).toMatchObject({
      outcome: 'answered',
      results: [{ session_id: 's1', idle_ms: 1500, send_oct: 6 }],
    });
    expect(await leftovers()).toEqual([]);
  });

  test('many callers at the same time each get their own answer', async () => {
    await startNode(f);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => f.control.ask(INCARNATION, 'kick', { ...kick, sessions: [`s${i}`] }, 5000)),
    );
    expect(answers.map((one) => (one.outcome === 'answered' ? one.results[0]?.session_id : ''))).toEqual(
      Array.from({ length: 40 }, (_, i) => `s${i}`),
    );
    expect(await leftovers()).toEqual([]);
  });

  test('only the process of the incarnation that was asked acts', async () => {
    const one = await startNode(f);
    const two = await startNode(f, {}, OTHER_INCARNATION);
    await f.control.ask(OTHER_INCARNATION, 'kick', kick, 5000);
    expect([one.asked, two.asked]).toEqual([[], [kick]]);
  });

  test('the request is a key that ends by itself, some seconds after its caller lost patience', async () => {
    const { control, sent } = spied();
    const asking = control.ask('nobody-there-000', 'kick', kick, 1000);
    await theRequest();
    expect(sent[0]?.ttl).toBeGreaterThan(1000);
    expect(sent[0]?.ttl).toBeLessThan(30_000);
    expect(await endOf(f.redis, (await leftovers())[0]!)).toBeGreaterThan(Date.now());
    expect(sent[0]?.request).toEqual({ v: 1, id: sent[0]?.id, op: 'kick', incarnation: 'nobody-there-000', ...kick });
    expect(await asking).toEqual({ outcome: 'timeout' });
  });

  test('an answer that nobody fetches ends by itself', async () => {
    await startNode(f);
    const set = await timed(() => ask('someone', JSON.stringify({ v: 1, op: 'kick', ...kick })));
    set(await endOf(f.redis, 'ws:x:answer:someone'), 30_000);
  });

  test('unanswered: timeout, the request is gone, and a node that wakes later does nothing', async () => {
    const { control, sent } = spied();
    expect(await control.ask(INCARNATION, 'kick', kick, 50)).toEqual({ outcome: 'timeout' });
    expect(await leftovers()).toEqual([]);
    const { asked, faults } = await startNode(f);
    await f.redis.client.publish(`ws:x:wake:${INCARNATION}`, sent[0]!.id);
    await control.ask(INCARNATION, 'describe', { sessions: [] }, 5000); // answered after the late wake was
    expect(asked).toEqual([{ sessions: [] }]);
    expect(faults).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  test('the process dies before it took the request: gone, long before the time-out, and the request too', async () => {
    const asking = f.control.ask(INCARNATION, 'kick', kick, 60_000, async () => false);
    expect(await within(asking, 10_000)).toEqual({ outcome: 'gone' });
    expect(await leftovers()).toEqual([]);
  });

  test('the process dies after it took the request: unknown', async () => {
    const asking = f.control.ask(INCARNATION, 'kick', kick, 60_000, async () => (await leftovers()).length > 0);
    const key = await theRequest();
    await f.redis.client.getdel(key);
    expect(await within(asking, 15_000)).toEqual({ outcome: 'unknown' });
  });

  test('claimed, but never answered: unknown', async () => {
    const asking = f.control.ask(INCARNATION, 'kick', kick, 1000);
    const key = await theRequest();
    expect(await f.redis.client.getdel(key)).not.toBeNull();
    expect(await within(asking, 5 * (1000 + CLAIMED_GRACE))).toEqual({ outcome: 'unknown' });
  });

  test('claimed in time and answered a little late: the answer counts', async () => {
    await startNode(f, {
      async kick({ sessions }) {
        await sleep(1500);
        return sessions.map((session_id) => ({ session_id, outcome: 'already_gone' }));
      },
    });
    expect(await f.control.ask(INCARNATION, 'kick', kick, 1000)).toMatchObject({
      outcome: 'answered',
      results: [{ outcome: 'already_gone' }, { outcome: 'already_gone' }],
    });
  });

  test('a node that fails over a request: unknown, its fault is told, and it answers the next', async () => {
    let fail = true;
    const { faults } = await startNode(f, {
      async kick() {
        if (fail) throw new Error('broken');
        return [];
      },
    });
    expect(await f.control.ask(INCARNATION, 'kick', kick, 1000)).toEqual({ outcome: 'unknown' });
    expect(faults.map(String)).toEqual(['Error: broken']);
    fail = false;
    expect(await f.control.ask(INCARNATION, 'kick', kick, 5000)).toEqual({ outcome: 'answered', results: [] });
  });

  describe('a request that cannot be understood gets an error as answer, and nothing is done', () => {
    const good = { v: 1, op: 'kick', sessions: ['s1'], action_id: 'A', reason: null };
    test.each([
      ['no JSON', '{"v":1,'],
      ['null', 'null'],
      ['a text', '"kick"'],
      ['a list', '[1]'],
      ['another version', JSON.stringify({ ...good, v: 2 })],
      ['no version', JSON.stringify({ ...good, v: undefined })],
      ['an unknown operation', JSON.stringify({ ...good, op: 'reboot' })],
      ['a name that every object has', JSON.stringify({ ...good, op: 'constructor' })],
      ['sessions that are no list', JSON.stringify({ ...good, sessions: 's1' })],
      ['sessions that are no texts', JSON.stringify({ ...good, sessions: ['s1', 2] })],
      ['too many sessions', JSON.stringify({ ...good, sessions: Array(MOST_SESSIONS + 1).fill('s') })],
      ['no action id', JSON.stringify({ ...good, action_id: undefined })],
      ['an action id of 65 characters', JSON.stringify({ ...good, action_id: 'A'.repeat(65) })],
      ['a reason that is no text', JSON.stringify({ ...good, reason: 5 })],
      ['a reason of too many bytes', JSON.stringify({ ...good, reason: '한'.repeat(342) })],
    ])('%s', async (_, request) => {
      const { asked, faults } = await startNode(f);
      const answer = await ask('r1', request);
      expect(answer).toEqual({ v: 1, error: { code: 'bad_request', message: expect.any(String) } });
      expect([asked, faults]).toEqual([[], []]);
      expect(await f.redis.client.exists('ws:x:request:r1')).toBe(0);
    });

    test('at the limits it is understood', async () => {
      const { asked } = await startNode(f);
      const limits = {
        sessions: Array<string>(MOST_SESSIONS).fill('s'),
        action_id: 'A'.repeat(64),
        reason: 'x'.repeat(MAX_REASON),
      };
      expect((await ask('r1', JSON.stringify({ v: 1, op: 'kick', ...limits }))).results).toHaveLength(MOST_SESSIONS);
      expect(asked).toEqual([limits]);
    });
  });

  test.each([
    'not JSON',
    'null',
    '{"v":2,"results":[]}',
    '{"v":1,"error":{"code":"bad_request","message":"no"}}',
    '{"v":1,"results":{}}',
  ])('the answer %s: unknown', async (answer) => {
    const asking = f.control.ask(INCARNATION, 'kick', kick, 5000);
    const key = await theRequest();
    await f.redis.client.getdel(key);
    await f.redis.client.rpush(key.replace(':request:', ':answer:'), answer);
    expect(await asking).toEqual({ outcome: 'unknown' });
  });

  test('a message that names no request, or no name at all, does nothing', async () => {
    const { asked, faults } = await startNode(f);
    const names = ['unknown', '', '../x', 'a b', '*', 'x'.repeat(65), '한', 'ws:x:schema', '{"id":"x"}', '\n'];
    const getdel = async () => /cmdstat_getdel:calls=(\d+)/.exec(await f.redis.client.info('commandstats'))?.[1] ?? '0';
    await f.redis.client.set('ws:x:request:a b', 'stays');
    const before = Number(await getdel());
    for (const name of names) await f.redis.client.publish(`ws:x:wake:${INCARNATION}`, name);
    expect(await f.control.ask(INCARNATION, 'kick', { ...kick, sessions: [] }, 5000)).toMatchObject({
      outcome: 'answered',
    });
    expect(asked).toHaveLength(1);
    expect(faults).toEqual([]);
    expect(await f.redis.client.get('ws:x:request:a b')).toBe('stays');
    expect(Number(await getdel())).toBe(before + 2); // of `unknown` and of the real one
    await f.redis.client.del('ws:x:request:a b');
    expect(await leftovers()).toEqual([]);
  });

  test('a node that ended its listening is not there', async () => {
    const handlers = { kick: vi.fn(), describe: vi.fn() };
    const end = await f.control.listen(INCARNATION, handlers, () => {});
    end();
    const channel = `ws:x:wake:${INCARNATION}`;
    await until(
      async () => ((await f.redis.client.pubsub('NUMSUB', channel)) as unknown[])[1] === 0,
      5000,
      'the end of listening',
    );
    expect(await f.control.ask(INCARNATION, 'kick', kick, 50)).toEqual({ outcome: 'timeout' });
    expect(handlers.kick).not.toHaveBeenCalled();
  });

  describe('askLive', () => {
    const session = (id: string, node: string, incarnation: string): Session => ({
      id,
      user: 'kim',
      role: null,
      ttl: 1,
      packed: '',
      details: node ? makeDetails({ node, incarnation }) : null,
    });

    test('asks each living node once for all of its sessions; who does not answer or is dead is missing', async () => {
      await f.nodes.hold(nodeInfo({ name: 'n1' }));
      await f.nodes.hold(nodeInfo({ name: 'silent', incarnation: 'incarnation-0003' }));
      await f.nodes.hold(nodeInfo({ name: 'restarted', incarnation: 'incarnation-0005' }));
      const { asked } = await startNode(f);
      const { facts, nodesMissing, silent } = await askLive(
        [
          session('a', 'n1', INCARNATION),
          session('b', 'silent', 'incarnation-0003'),
          session('c', 'n1', INCARNATION),
          session('d', 'dead', 'incarnation-0004'),
          session('e', 'restarted', 'incarnation-0006'),
          session('foreign', '', ''),
        ],
        { nodes: f.nodes, control: f.control, timeout: 200 },
      );
      expect(asked).toEqual([{ sessions: ['a', 'c'] }]);
      expect([...facts.keys()]).toEqual(['a', 'c']);
      expect(facts.get('a')).toEqual({
        idle: 1500,
        subscriptions: 2,
        destinations: ['/topic/a', '/topic/b'],
        recvCount: 3,
        sendCount: 4,
        recvOctets: 5,
        sendOctets: 6,
      });
      expect(nodesMissing).toEqual(['dead', 'restarted', 'silent']);
      expect(silent).toEqual(['silent']);
    });

    test('more sessions than one request may name are asked for in several', async () => {
      await f.nodes.hold(nodeInfo());
      const { asked } = await startNode(f);
      const sessions = Array.from({ length: MOST_SESSIONS + 1 }, (_, i) => session(`s${i}`, 'n1', INCARNATION));
      const { facts, nodesMissing } = await askLive(sessions, { nodes: f.nodes, control: f.control, timeout: 5000 });
      expect([facts.size, nodesMissing, asked.length]).toEqual([MOST_SESSIONS + 1, [], 2]);
    });

    test('nobody is asked for foreign sessions alone', async () => {
      const answer = await askLive([session('f', '', '')], { nodes: f.nodes, control: f.control, timeout: 200 });
      expect(answer).toEqual({ facts: new Map(), nodesMissing: [], silent: [] });
    });
  });
});
