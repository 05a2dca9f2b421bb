/** What `doctor --fix` and `drain` ask on a real terminal: only a yes acts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { heldBy } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { hasTmux, openShell, type Terminal } from '../helpers/tmux.ts';
import { until, within } from '../helpers/wait.ts';

/** Keys that mean No, or that the question is left. */
const NOES = [['Enter'], ['n', 'Enter'], ['x', 'Enter'], ['y', 'e', 'Enter'], ['C-d'], ['C-c'], ['y', 'C-c']];

(hasTmux ? describeWithRedis : describe.skip)('asked on a terminal', () => {
  let redis: TestRedis;
  let serves: Serve[] = [];
  let terminal: Terminal | undefined;

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    terminal?.close();
    terminal = undefined;
    dropClients();
    await Promise.all(serves.map((one) => one.stop()));
    serves = [];
    await redis?.stop();
  });

  const serve = async (node: string) => {
    const one = await startServe(redis.url, ['--node', node]);
    serves.push(one);
    return one;
  };
  /** The shell outlives Ctrl-C. */
  const open = async (line: string) => {
    terminal?.close();
    terminal = await openShell(`trap : INT; ${line}`, { WSSESS_REDIS_URL: redis.url });
    return terminal;
  };
  /** The end of the screen, once it has ended. */
  const end = async () => (await terminal!.shows(/^exit=/)).slice(-2);

  describe('doctor --fix', () => {
    /** What no sweep of a server mends. */
    const damage = async (count: number) => {
      for (let i = 0; i < count; i++) await redis.client.set(`ws:session:f${i}`, 'lee', 'EX', 3600);
    };
    const listed = () => redis.client.scard('ws:sessions:all');

    test('of more than ten asks what it would mend; y mends it: exit 0', { timeout: 60_000 }, async () => {
      await damage(11);
      const asked = await (await open('wssess doctor --fix')).shows(/^Mend 11 faults\? \[y\/N\]/);
      expect(asked).toEqual(['unlisted  11', 'Mend 11 faults? [y/N]']);
      expect(await listed()).toBe(0);
      terminal!.type('y', 'Enter');
      expect(await end()).toEqual(['11 sessions, 0 users looked at: 11 faults, all mended', 'exit=0']);
      expect(await listed()).toBe(11);
    });

    test('of ten asks nothing', { timeout: 60_000 }, async () => {
      await damage(10);
      await open('wssess doctor --fix');
      expect(await end()).toEqual(['10 sessions, 0 users looked at: 10 faults, all mended', 'exit=0']);
    });

    test.each(NOES.map((keys) => ({ keys })))('$keys mends nothing: exit 1', { timeout: 60_000 }, async ({ keys }) => {
      await damage(11);
      await (await open('wssess doctor --fix')).shows(/^Mend 11 faults\? \[y\/N\]/);
      terminal!.type(...keys);
      const shown = await terminal!.shows(/^exit=/);
      expect(shown.at(-1)).toBe('exit=1');
      expect(shown).toContain('nothing was changed');
      expect(await listed()).toBe(0);
    });

    test('where nobody can be asked: a usage error, exit 2', { timeout: 60_000 }, async () => {
      await damage(11);
      await open(
        'told=$(mktemp); wssess doctor --fix < /dev/null 2> "$told"; code=$?; cat "$told"; rm "$told"; (exit $code)',
      );
      const shown = (await terminal!.shows(/^exit=/)).join(' ');
      expect(shown).toMatch(/^error: 11 faults would be mended\. .*--yes\. exit=2$/);
      expect(await listed()).toBe(0);
    });
  });

  describe('drain', () => {
    const crowd = (at: Serve, count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => talk(at.ws, `cust${i}`)));
    const alive = (clients: Talk[]) =>
      Promise.all(clients.map((one) => one.sure('SEND', { destination: '/topic/alive' })));

    test('of two asks, and says how long it takes; y drains it: exit 0', { timeout: 60_000 }, async () => {
      const [a] = [await serve('node-a'), await serve('node-b')];
      const clients = await crowd(a, 2);
      const asked = await (await open('wssess drain node-a --rate 1/s')).shows(/^Drain it\? \[y\/N\]/);
      expect(asked).toEqual(['2 sessions of node-a will be closed, 1 a second: about 2s', 'Drain it? [y/N]']);
      await alive(clients);
      terminal!.type('y', 'Enter');
      expect(await end()).toEqual([expect.stringMatching(/^node-a is drained: 2 sessions closed in \ds$/), 'exit=0']);
      for (const { closed } of clients) expect((await within(closed)).code).toBe(1001);
    });

    test('of the only node warns before it asks; of one session it asks nothing', { timeout: 60_000 }, async () => {
      const a = await serve('node-a');
      const clients = await crowd(a, 2);
      const asked = await (await open('wssess drain node-a')).shows(/^Drain it\? \[y\/N\]/);
      expect(asked.join('')).toMatch(/^warning: no other node takes connections: .*until node-a does2 sessions of/);
      terminal!.type('n', 'Enter');
      expect((await end())[1]).toBe('exit=1');
      clients.pop()!.socket.close();
      await until(async () => (await heldBy(redis, 'node-a')) === 1, 10_000, 'the session to be gone');
      await open('wssess drain node-a');
      expect((await end())[1]).toBe('exit=0');
      expect((await within(clients[0]!.closed)).code).toBe(1001);
    });

    test('anything but y does nothing: exit 1', { timeout: 120_000 }, async () => {
      const [a] = [await serve('node-a'), await serve('node-b')];
      const clients = await crowd(a, 2);
      for (const keys of NOES) {
        await (await open('wssess drain node-a')).shows(/^Drain it\? \[y\/N\]/);
        terminal!.type(...keys);
        const shown = await terminal!.shows(/^exit=/);
        expect([keys, shown.at(-1), shown.includes('nothing was done')]).toEqual([keys, 'exit=1', true]);
        expect((await a.rest('/readyz')).status).toBe(200);
        await alive(clients);
      }
    });

    test('where nobody can be asked: a usage error, exit 2', { timeout: 60_000 }, async () => {
      const [a] = [await serve('node-a'), await serve('node-b')];
      const clients = await crowd(a, 2);
      await open(
        'told=$(mktemp); wssess drain node-a < /dev/null 2> "$told"; code=$?; cat "$told"; rm "$told"; (exit $code)',
      );
      const shown = (await terminal!.shows(/^exit=/)).join(' ');
      expect(shown).toMatch(/^error: 2 sessions of node-a would be closed\. Repeat with --yes\. exit=2$/);
      await alive(clients);
    });
  });
});
