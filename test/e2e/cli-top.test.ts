/** `wssess top` on a real terminal, a real server and real clients. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect7, dropClients } from '../helpers/clients.ts';
import { addForeign } from '../helpers/foreign.ts';
import { stopSweeping } from '../helpers/keys.ts';
import { BIN, type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { hasTmux, openTerminal, type Terminal } from '../helpers/tmux.ts';
import { until } from '../helpers/wait.ts';

const ENTER = '\u001b[?1049h';
const LEAVE = '\u001b[?1049l';
const LIVE = /^ wssess {2}redis \S+ [\d.]+ ms · 1 node .* (● live|◐ slow) \d\d:\d\d:\d\d$/;

/** The screen is the shell's again, with its cursor, and nothing was wiped. */
function expectRestored(raw: string): void {
  expect(raw.lastIndexOf(LEAVE)).toBeGreaterThan(raw.lastIndexOf(ENTER));
  expect(raw.lastIndexOf('\u001b[?25h')).toBeGreaterThan(raw.lastIndexOf('\u001b[?25l'));
  expect(raw.lastIndexOf('\u001b[?7h')).toBeGreaterThan(raw.lastIndexOf('\u001b[?7l'));
  expect(raw).not.toMatch(/\u001b\[[23]J/);
}

test('without a terminal: one line that says what there is instead, exit 2', async () => {
  for (const command of ['top', 'dashboard']) {
    const { code, stdout, stderr } = await wssess([command]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe('error: top needs a terminal to draw on. Without one there is: wssess stats --watch\n');
  }
});

(hasTmux ? describeWithRedis : describe.skip)('on a terminal', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-top-'));
  let redis: TestRedis;
  let serve: Serve;
  let terminal: Terminal | undefined;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'chat-1']);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    terminal?.close();
    terminal = undefined;
    dropClients();
    await until(async () => (await redis.client.zcard('ws:x:newest')) === 0, 10_000, 'own sessions to be gone');
    await redis.client.del('ws:session:spring-1', 'ws:sessions:all', 'ws:user:스프링');
  });

  /** Runs shell lines in which `wssess` is the program, after a line that must be there again at the end. */
  const open = async (script: string, env: Record<string, string> = {}, size = { columns: 80, rows: 24 }) => {
    const program = `wssess() { '${process.execPath}' '${BIN}' "$@"; }`;
    terminal = await openTerminal(`${program}; trap : INT; echo before; ${script}; echo "exit=$?"`, {
      ...size,
      env: { WSSESS_REDIS_URL: redis.url, CI: 'true', ...env },
    });
    return terminal;
  };
  /** Waits until it asks, and long enough to have read that. */
  const asked = async () => {
    const shown = await terminal!.shows(/\[ No \] +Yes/);
    await new Promise((resolve) => setTimeout(resolve, 200));
    return shown;
  };
  /** Waits until the shell has the terminal again. */
  const ended = async () => {
    const shown = await terminal!.shows(/exit=/);
    expect(shown).toContain('before');
    expectRestored(terminal!.raw());
    return { shown, code: Number(/exit=(\d+)/.exec(shown.join('\n'))![1]) };
  };

  test('filter, open, kick one of two sessions and see it leave; Ctrl-C gives the screen back', async () => {
    const gone = await connect7(serve.ws, { userId: '상담원 김철수', userRole: 'AGENT' });
    const stays = await connect7(serve.ws, { userId: 'cust01', userRole: 'CUSTOMER' });
    await addForeign(redis.client, 'spring-1', '스프링');
    await open('wssess top');
    const first = await terminal!.shows(/상담원 김/);
    expect(first[0]).toMatch(LIVE);
    expect(first[3]).toMatch(/^ {3}SESSION +USER +ROLE +NODE +CONN↑ +IDLE +TTL$/);
    expect(first.some((line) => line.includes(stays.session) && line.includes('cust01'))).toBe(true);
    expect(first).toHaveLength(23);
    expect(first).not.toContain('before');

    terminal!.type('/', 'user:상담*', 'Enter');
    await until(() => !terminal!.screen().some((line) => line.includes('cust01')), 10_000, 'the filter');
    if (!terminal!.screen().some((line) => line.startsWith('▸'))) terminal!.type('Down');
    await terminal!.shows(/^▸ .*상담원 김/);
    terminal!.type('Enter');
    await terminal!.shows(/^ +address +127\.0\.0\.1/);
    terminal!.type('Escape');
    await terminal!.shows(/^▸ .*상담원 김/);

    terminal!.type('K');
    const question = await asked();
    expect(question.some((line) => line.includes(gone.session))).toBe(true);
    // No is what Enter means, unless one says otherwise.
    terminal!.type('Enter');
    await until(() => !terminal!.screen().some((line) => line.includes('[ No ]')));
    expect(gone.client.connected).toBe(true);

    terminal!.type('K');
    await asked();
    terminal!.type('duty ended');
    await terminal!.shows(/reason: duty ended/);
    terminal!.type('Tab');
    if (!terminal!.screen().some((line) => line.includes('[ Yes'))) terminal!.type('Tab');
    await terminal!.shows(/\[ Yes/);
    terminal!.type('Enter');
    expect(await gone.closed).toEqual({ code: 4001, reason: 'duty ended' });
    await terminal!.shows(/kicked/);
    expect(stays.client.connected).toBe(true);

    terminal!.type('C-c');
    const { shown, code } = await ended();
    expect(code).toBe(0);
    expect(shown.join('\n')).not.toContain('SESSION');
  });

  test('at another size it is drawn anew; one that is too small is said', async () => {
    for (let i = 0; i < 3; i++) await connect7(serve.ws, { userId: `user${i}` });
    await open('wssess top');
    await terminal!.shows(/user2/);
    terminal!.resize(120, 40);
    const large = await terminal!.shows(/AGENT$/);
    expect(large).toHaveLength(39);
    expect(large[0]).toMatch(LIVE);
    expect(large[2]).toMatch(/^ chat-1 █+ 3$/);
    terminal!.resize(60, 12);
    const small = await terminal!.shows(/needs 80x24/);
    expect(small.join('\n')).toContain('60x12');
    terminal!.resize(80, 24);
    const again = await terminal!.shows(/user2/);
    expect(again).toHaveLength(23);
    expect(again[0]).toMatch(LIVE);
    expect(again.at(-1)).toMatch(/^ ↵ details .* q quit$/);
    terminal!.type('q');
    expect((await ended()).code).toBe(0);
  });

  test('between frames only lines that changed are sent', async () => {
    for (let i = 0; i < 3; i++) await connect7(serve.ws, { userId: `user${i}` });
    await open('wssess top');
    await terminal!.shows(/user2/);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const before = terminal!.raw().length;
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const sent = terminal!.raw().slice(before);
    const rows = [...sent.matchAll(/\u001b\[(\d+);1H/g)].map(([, row]) => Number(row));
    // The clock, the figures, and the ages of three sessions: six frames of six lines at most.
    expect(rows.length).toBeGreaterThan(2);
    expect(rows.length).toBeLessThan(45);
    expect(rows.filter((row) => row > 7)).toEqual([]);
    expect(sent).not.toMatch(/\u001b\[\d?J/);
  });

  test('NO_COLOR: no colour, and the cursor, the marks and the link are still told', async () => {
    await connect7(serve.ws, { userId: 'kim' });
    await open('wssess top', { NO_COLOR: '1' });
    await terminal!.shows(/kim/);
    terminal!.type('Down');
    await terminal!.shows(/^▸ .*kim/);
    terminal!.type('Space');
    await terminal!.shows(/^▸● .*kim/);
    terminal!.type('q');
    await ended();
    const colours = [...terminal!.raw().matchAll(/\u001b\[([\d;]*)m/g)].flatMap(([, codes = '']) => codes.split(';'));
    expect(colours).toContain('7');
    expect(colours.filter((code) => Number(code) >= 30)).toEqual([]);
  });

  test('--read-only: nothing that acts', async () => {
    const { client } = await connect7(serve.ws, { userId: 'kim' });
    await open('wssess top --read-only --filter user:kim');
    const shown = await terminal!.shows(/ kim /);
    expect(shown[0]).toContain('read-only');
    expect(shown.at(-1)).not.toMatch(/kick|mark|refresh/);
    terminal!.type('K', 'Space', 'r');
    terminal!.type('?');
    const help = await terminal!.shows(/^ Move$/);
    expect(help.join('\n')).not.toContain('kick');
    terminal!.type('Escape');
    await terminal!.shows(/ kim /);
    terminal!.type('q');
    await ended();
    expect(client.connected).toBe(true);
  });

  describe('whatever ends it, the screen is given back', () => {
    test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', async (signal) => {
      const pidFile = join(folder, signal);
      await open(`sh -c 'echo $$ > "${pidFile}"; exec "${process.execPath}" "${BIN}" top'`);
      await terminal!.shows(/● live|◐ slow/);
      process.kill(Number(readFileSync(pidFile, 'utf8')), signal);
      expect((await ended()).code).toBe(0);
    });

    test('a crash, whose stack then stands on it', async () => {
      const file = join(folder, 'boom.cjs');
      writeFileSync(file, "setTimeout(() => { throw new Error('boom'); }, 3000);");
      await open('wssess top', { NODE_OPTIONS: `--require ${file}` });
      await terminal!.shows(/● live|◐ slow/);
      const { shown, code } = await ended();
      expect(code).not.toBe(0);
      expect(shown.join('\n')).toContain('boom');
    });
  });

  test('Redis goes and comes back: stale since when and why, then live by itself', async () => {
    const own = await startRedis();
    await addForeign(own.client, 'spring-1', '스프링');
    await open('wssess top', { WSSESS_REDIS_URL: own.url });
    await terminal!.shows(/spring-1/);
    await own.kill();
    const stale = await terminal!.shows(/✕ stale since \d\d:\d\d:\d\d$/);
    expect(stale[1]).toMatch(/^ ✕ Redis at /);
    expect(stale.some((line) => line.includes('spring-1'))).toBe(true);
    await own.restart();
    await terminal!.shows(/● live|◐ slow/);
    terminal!.type('q');
    await ended();
    await own.stop();
  });

  test('a node is killed: its rows are marked when its lease ends, and a kick says so', {
    timeout: 90_000,
  }, async () => {
    const other = await startServe(redis.url, ['--node', 'chat-2']);
    const [lost, stays] = [await connect7(other.ws, { userId: 'kim' }), await connect7(serve.ws, { userId: 'park' })];
    await open('wssess top', {}, { columns: 120, rows: 40 });
    await terminal!.shows(/ kim /);
    const sweepAgain = await stopSweeping(redis);
    const exited = new Promise((resolve) => other.process.once('exit', resolve));
    other.process.kill('SIGKILL');
    await exited;
    const isMarked = () => terminal!.screen().some((line) => line.startsWith('✕', 1) && line.includes(lost.session));
    await until(isMarked, 40_000, 'the row to be marked');
    const shown = terminal!.screen();
    expect(shown[2]).toMatch(/chat-2 ✕ gone/);
    expect(shown.find((line) => line.includes(stays.session))).not.toContain('✕');
    terminal!.type('/', 'k', 'i', 'm', 'Enter');
    await terminal!.shows(new RegExp(`^▸✕ ${lost.session}`));
    terminal!.type('K');
    await asked();
    terminal!.type('Tab', 'Enter');
    await terminal!.shows(/node_unreachable/);
    terminal!.type('Escape');
    await terminal!.shows(/ park /);
    terminal!.type('q');
    await ended();
    expect((await wssess(['kick', lost.session, '--purge'], { env: { WSSESS_REDIS_URL: redis.url } })).code).toBe(0);
    await sweepAgain();
  });

  test('names that terminals measure differently move nothing', async () => {
    const names = ['⚠️ 1️⃣ a', '✊🏿 b', '🏳️‍🌈 c', 'ก็ทำ d', 'हिन्दी e', '김철수 f'];
    for (const userId of names) await connect7(serve.ws, { userId });
    await open('wssess top');
    await terminal!.shows(/ f +/);
    await until(() => terminal!.screen().filter((line) => /23h59m$/.test(line)).length === names.length);
    // Over each other as well.
    for (const key of ['j', 'j', 'j', 's', 's', 'S', '2', '1', 'G', 'k']) {
      terminal!.type(key);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const rows = () => terminal!.screen().filter((line) => /23h59m/.test(line));
    await until(() => rows().length === names.length);
    for (const row of rows()) expect(row).toMatch(/23h59m$/);
    terminal!.type('q');
    await ended();
  });

  test('keys and answers that nobody asked for end nothing and do nothing', async () => {
    await connect7(serve.ws, { userId: 'kim' });
    await open('wssess top');
    await terminal!.shows(/ kim /);
    for (const bytes of [
      '\u001b[1;5P',
      '\u001b[1;5S',
      '\u001b]11;rgb:0000/0000/0000\u0007',
      '\u001b[200~a\u001b[36mK\u001b[201~',
    ]) {
      terminal!.type('-l', bytes);
    }
    terminal!.type('?');
    await terminal!.shows(/^ Move$/);
    terminal!.type('Escape');
    const shown = await terminal!.shows(/ kim /);
    expect(shown.join('\n')).not.toMatch(/refreshed/);
    terminal!.type('q');
    expect((await ended()).code).toBe(0);
  });

  test('Ctrl-Z gives the shell its screen, fg draws it anew', async () => {
    await connect7(serve.ws, { userId: 'kim' });
    await open(
      `bash --norc -c 'set -m; "${process.execPath}" "${BIN}" top; echo "stopped=$?"; sleep 1; fg >/dev/null'`,
    );
    await terminal!.shows(/ kim /);
    terminal!.type('C-z');
    const shell = await terminal!.shows(/stopped=/);
    expect(shell).toContain('before');
    // It isn't told of what happens to the terminal meanwhile.
    terminal!.resize(120, 40);
    await terminal!.shows(/ kim .*stompjs|AGENT$/);
    const again = await terminal!.shows(LIVE);
    expect(again).toHaveLength(39);
    terminal!.type('q');
    await ended();
  });
});

(hasTmux ? describe : describe.skip)('on the embedded store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-top-own-'));
  const file = join(folder, 'embedded.json');
  let serve: Serve;
  let terminal: Terminal | undefined;

  afterAll(async () => {
    terminal?.close();
    dropClients();
    await serve?.stop();
    rmSync(folder, { recursive: true });
  });

  test('serve ends and comes again, with another port and password: top says so, and goes on by itself', {
    timeout: 120_000,
  }, async () => {
    const start = () => startServe('', ['--state-file', file]);
    serve = await start();
    await connect7(serve.ws, { userId: 'before' });
    const env = { CI: 'true', WSSESS_STATE_FILE: file };
    terminal = await openTerminal(`'${process.execPath}' '${BIN}' top`, { columns: 120, rows: 30, env });
    const [head] = await terminal.shows(/before/);
    expect(head).toContain(` wssess  embedded store ${file} `);
    const first = readFileSync(file, 'utf8');
    await serve.stop();
    await terminal.shows(/stale since \d\d:\d\d:\d\d/);
    await terminal.shows(/This goes on when wssess serve runs again\./);
    serve = await start();
    expect(readFileSync(file, 'utf8')).not.toBe(first);
    await connect7(serve.ws, { userId: 'afterwards' });
    const shown = await terminal.shows(/afterwards/);
    expect(shown.join('\n')).toMatch(/● live|◐ slow/);
    expect(shown.join('\n')).toMatch(/✕ \S+ +before .* ended/);
  });
});
