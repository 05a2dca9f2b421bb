/** `wssess demo`: the report in a pipe, the dashboard on a terminal, and that nothing is left of either. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { demo } from '../../src/cli/commands/demo.ts';
import { connect } from '../../src/store/connect.ts';
import { killBackground, start } from '../helpers/background.ts';
import { fakeIo } from '../helpers/fake-io.ts';
import { BIN, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { hasTmux, openTerminal, type Terminal } from '../helpers/tmux.ts';
import { until } from '../helpers/wait.ts';

/** Milliseconds: a report is promised within half a minute. */
const PATIENCE = 5 * 30_000;
const SLOW = { timeout: PATIENCE + 10_000 };
const ID = '[A-Za-z0-9_][A-Za-z0-9_-]{15}';

/** What every report says, whatever the store. @returns the URL that the server had */
function expectReport(text: string, sessions: number): string {
  const [, url] = /^ {2}STOMP {2}ws:\/\/(127\.0\.0\.1:\d+)\/ws$/m.exec(text) ?? [];
  expect(url).toBeDefined();
  expect(text).toMatch(new RegExp(`^${sessions} sessions of \\d+ users connected in \\d+\\.\\d s\\.$`, 'm'));

  const table = /^\$ wssess ls --limit 12 -o wide\n(?:embedded store .*\n)?(SESSION +USER .*)\n((?:.+\n)+)/m.exec(text);
  expect(table?.[1]).toMatch(/^SESSION +USER +ROLE +NODE +IP .* AGENT$/);
  const rows = table![2]!.split('\n').filter((line) => new RegExp(`^${ID} `).test(line));
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.length).toBeLessThanOrEqual(12);
  for (const row of rows) expect(row).toMatch(/ (AGENT|CUSTOMER) +demo +127\.0\.0\.1 /);
  expect(rows.join('\n')).toMatch(/[가-힣]{3}/);

  // The star is online; one of its sessions is kicked, and its client was told what the command said.
  const [, star, count] = /^(\S+) is online: (\d) sessions? on 1 node$/m.exec(text) ?? [];
  expect(text).toContain(`$ wssess who ${star}\n`);
  expect(Number(count)).toBeGreaterThan(0);
  const [, kicked] = new RegExp(`^\\$ wssess kick (${ID}) --reason "password changed"$`, 'm').exec(text) ?? [];
  expect(text).toMatch(new RegExp(`^${kicked} +kicked +${star} +demo +\\d+ ms$`, 'm'));
  const [, action] = /^1 kicked · action (\w{26})$/m.exec(text) ?? [];
  const frame = text.slice(text.indexOf('  ERROR\n'), text.indexOf('and the socket closed'));
  expect(frame.split('\n').map((line) => line.trim())).toEqual(
    expect.arrayContaining([`action-id:${action}`, 'cause:kicked', 'message:password changed', 'password changed']),
  );
  expect(text).toContain('\nand the socket closed with 4001, "password changed".\n');

  const [, gone] = /^(\S+) came, and closed the tab without a word:$/m.exec(text) ?? [];
  expect(text).toContain(`$ wssess who ${gone}\n${gone} is offline\n(exit code 1)\n`);
  expect(text).toContain('All clients, the server and the store have ended. Go on:\n');
  expect(text).not.toContain('\u001b');
  return url!;
}

/** True when nobody listens there any more. */
const isFree = (where: string) =>
  new Promise<boolean>((resolve) => {
    const [host, port] = where.split(':');
    const socket = connectSocket(Number(port), host);
    socket.once('error', () => resolve(true));
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });

describeWithRedis('demo, on the store that it is given', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis?.stop();
  });

  const given = (closed: () => void = () => {}) => ({
    env: { WSSESS_REDIS_URL: redis.url },
    async open() {
      const store = await connect({ url: redis.url, source: 'test', timeout: 5000, lasting: true });
      const close = () => {
        store.close();
        closed();
      };
      return { store, where: store.where, close };
    },
  });

  test('reports what wssess says, and leaves no session, no lease and no listener', SLOW, async () => {
    const io = fakeIo({ env: { WSSESS_REDIS_URL: 'redis://127.0.0.1:1' } });
    expect(await demo({ sessions: 20 }, io, given())).toBe(0);
    const url = expectReport(io.stdout(), 20);
    expect(io.stderr()).toBe('');
    expect(await isFree(url)).toBe(true);
    expect(await redis.client.keys('ws:session:*')).toEqual([]);
    expect(await redis.client.keys('ws:x:node:*')).toEqual([]);
  });

  test('a server that cannot start ends the store as well', async () => {
    let closed = 0;
    await redis.client.set('ws:x:schema', '999');
    const store = given(() => closed++);
    await expect(demo({}, fakeIo(), store)).rejects.toMatchObject({ code: 'schema_newer' });
    expect(closed).toBe(1);
    await redis.client.del('ws:x:schema');
  });
});

describe('wssess demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-demo-'));
  const stateFile = join(folder, 'embedded.json');
  const env = { WSSESS_STATE_FILE: stateFile };
  let terminal: Terminal | undefined;

  afterEach(() => {
    killBackground();
    terminal?.close();
    terminal = undefined;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('in a pipe: reports on its embedded store, exits 0, and leaves nothing', SLOW, async () => {
    // A Redis that is named is left alone.
    const options = { env: { ...env, WSSESS_REDIS_URL: 'redis://127.0.0.1:1' }, patience: PATIENCE };
    const { code, stdout, stderr } = await wssess(['demo'], options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const url = expectReport(stdout, 40);
    expect(stdout.match(/^embedded store of process/gm)).toHaveLength(1);
    expect(await isFree(url)).toBe(true);
    expect(await isFree(/^ {2}store {2}(127\.0\.0\.1:\d+),/m.exec(stdout)![1]!)).toBe(true);
    expect(existsSync(stateFile)).toBe(false);
  });

  test.each(['1', '2'])('--sessions %s is enough for the whole report', SLOW, async (sessions) => {
    const options = { env, patience: PATIENCE };
    const { code, stdout } = await wssess(['demo', '--sessions', sessions, '--seed', '5'], options);
    expect(code).toBe(0);
    expect(stdout).toContain('and the socket closed with 4001');
  });

  test.each([
    ['0', 'whole number from 1 to 5,000'],
    ['5001', 'whole number from 1 to 5,000'],
    ['-3', 'whole number from 1 to 5,000'],
    ['many', 'whole number from 1 to 5,000'],
  ])('--sessions %s is a usage error', async (sessions, says) => {
    const { code, stdout, stderr } = await wssess(['demo', `--sessions=${sessions}`], { env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toContain(says);
  });

  test('interrupted in a pipe: ends everything, and says that it is no whole report', SLOW, async () => {
    const running = start(['demo'], env);
    await until(() => running.stdout().includes('connected in'), 20_000);
    running.process.kill('SIGTERM');
    const { code, stderr } = await running.ended();
    expect(code).toBe(1);
    expect(stderr).toBe('error: the demo was interrupted. Run it again.\n');
    expect(existsSync(stateFile)).toBe(false);
  });

  describe.skipIf(!hasTmux)('on a terminal', () => {
    const open = async (script: string) => {
      terminal = await openTerminal(`wssess() { '${process.execPath}' '${BIN}' "$@"; }; ${script}; echo "exit=$?"`, {
        columns: 100,
        rows: 30,
        env,
      });
      return terminal;
    };

    test(
      'is the dashboard on a crowd that comes and goes, seen from another terminal too, until Ctrl-C',
      SLOW,
      async () => {
        // The shell must outlive Ctrl-C.
        await open('trap : INT; echo before; wssess demo --sessions 15');
        const shown = await terminal!.shows(/ (AGENT|CUSTOMER) +demo /);
        expect(shown[0]).toMatch(/^ wssess {2}embedded store \S+ [\d.]+ ms · 1 node .*\d\d:\d\d:\d\d$/);
        expect(shown[1]).toMatch(/^ SESSIONS \d+ /);
        expect(shown.at(-1)).toMatch(/ \? help +q quit$/);

        const read = async () => JSON.parse((await wssess(['ls', '-o', 'json'], { env })).stdout) as { total: number };
        expect(Math.abs((await read()).total - 15)).toBeLessThan(10);
        expect((await wssess(['kick', '--role', 'CUSTOMER', '--yes', '-o', 'json'], { env })).code).toBe(0);
        // It counts on.
        await until(() => terminal!.screen()[1] !== shown[1]);

        terminal!.type('C-c');
        const ended = await terminal!.shows(/^exit=/);
        expect(ended.at(-1)).toBe('exit=0');
        expect(ended).toContain('before');
        expect(ended).toContain('All clients, the server and the store have ended. Go on:');
        const raw = terminal!.raw();
        expect(raw.lastIndexOf('\u001b[?1049l')).toBeGreaterThan(raw.lastIndexOf('\u001b[?1049h'));
        expect(raw.lastIndexOf('\u001b[?25h')).toBeGreaterThan(raw.lastIndexOf('\u001b[?25l'));
        expect(raw).not.toMatch(/\u001b\[[23]J/);
        expect(existsSync(stateFile)).toBe(false);
        expect((await wssess(['ls'], { env })).code).toBe(5);
      },
    );

    test('q ends everything as well', SLOW, async () => {
      await open('wssess demo --sessions 5');
      await terminal!.shows(/ (AGENT|CUSTOMER) +demo /);
      terminal!.type('q');
      expect((await terminal!.shows(/^exit=/)).at(-1)).toBe('exit=0');
      expect(existsSync(stateFile)).toBe(false);
    });

    test('Ctrl-C while they are still connecting', SLOW, async () => {
      await open('trap : INT; wssess demo --sessions 3000');
      await terminal!.shows(/^3,000 clients are connecting$/);
      terminal!.type('C-c');
      const ended = await terminal!.shows(/^exit=/);
      expect(ended.at(-1)).toBe('exit=0');
      expect(terminal!.raw()).not.toContain('\u001b[?1049h');
      expect(existsSync(stateFile)).toBe(false);
    });

    test('without a terminal that can be drawn on, it reports', SLOW, async () => {
      await open('TERM=dumb wssess demo --sessions 5');
      const shown = await terminal!.shows(/^exit=/);
      expect(shown.at(-1)).toBe('exit=0');
      expect(terminal!.raw()).not.toContain('\u001b');
    });
  });
});
