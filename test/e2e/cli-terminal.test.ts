/** The CLI on a real terminal: columns, the question before a kick, the screen of --watch. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect7, connectBare, dropClients, frame } from '../helpers/clients.ts';
import { addForeign } from '../helpers/foreign.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { hasTmux, openShell, type Terminal } from '../helpers/tmux.ts';
import { until } from '../helpers/wait.ts';

/** A measure of its own: 2 columns for Hangul and pictures, 1 for the rest. */
function columnsOf(text: string): number {
  const wide = /[\u1100-\u115f\u3000-\u303e\u3131-\u318e\uac00-\ud7a3\uff01-\uff60\u{1f300}-\u{1faff}]/u;
  return [...text].reduce((sum, char) => sum + (wide.test(char) ? 2 : 1), 0);
}

/** Where a word begins in a line, in columns of the terminal. */
const columnOf = (line: string, word: string): number => columnsOf(line.slice(0, line.indexOf(word)));

const USERS = ['상담원 김철수', '고객🙂😀', 'plain', '아주 긴 이름을 가진 고객님 아주 긴 이름을 가진 고객님'];

(hasTmux ? describeWithRedis : describe.skip)('on a terminal', () => {
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
  });
  afterEach(async () => {
    terminal?.close();
    terminal = undefined;
    dropClients();
    await until(async () => (await redis.client.zcard('ws:x:newest')) === 0, 10_000, 'own sessions to be gone');
    await redis.client.del('ws:session:spring-1', 'ws:sessions:all', 'ws:user:스프링');
  });

  interface Size {
    columns: number;
    rows: number;
  }

  /** Runs shell lines in which `wssess` is the program; then says how the last one ended. */
  const open = async (script: string, size: Size = { columns: 80, rows: 24 }, env: Record<string, string> = {}) => {
    terminal = await openShell(script, { WSSESS_REDIS_URL: redis.url, ...env }, size);
    return terminal;
  };
  /** The screen when it has ended, without that line. */
  const run = async (script: string, size?: Size, env?: Record<string, string>) => {
    const shown = await (await open(script, size, env)).shows(/^exit=/);
    return { lines: shown.slice(0, -1), code: Number(shown.at(-1)?.slice(5)) };
  };

  describe.each([
    { columns: 80, rows: 24 },
    { columns: 120, rows: 40 },
  ])('of $columns by $rows', (size) => {
    test('ls: columns stand under their names, and no line is wider, with Korean and emoji users', async () => {
      for (const user of USERS) await connect7(serve.ws, { userId: user, userRole: '상담' });
      await addForeign(redis.client, 'spring-1', '스프링');
      const { lines, code } = await run('wssess ls', size);
      expect(code).toBe(0);
      const [header, ...rows] = lines;
      // A line that is too wide would go on in the next one.
      expect(rows).toHaveLength(USERS.length + 1);
      expect(header).toMatch(/^SESSION +USER +ROLE +NODE +IP +CONNECTED +TTL$/);
      for (const row of rows) {
        const [node, ttl] = [row.includes('chat-1') ? 'chat-1' : '(foreign)', /\S+$/.exec(row)![0]];
        expect(columnOf(row, node), row).toBe(columnOf(header!, 'NODE'));
        expect(columnsOf(row) - columnsOf(ttl), row).toBe(columnOf(header!, 'TTL'));
        expect(columnsOf(row), row).toBeLessThanOrEqual(size.columns);
      }
      expect(rows.some((row) => row.includes('…'))).toBe(size.columns === 80);
      expect(rows.some((row) => row.includes('상담원 김철수'))).toBe(true);
    });

    test('ls -o wide and who: the same, with as many columns as fit', async () => {
      for (let i = 0; i < 3; i++) await connect7(serve.ws, { userId: USERS[0]!, userRole: i === 0 ? '상담🙂' : '' });
      for (const line of ['wssess ls -o wide', `wssess who '${USERS[0]}'`, `wssess who -o wide '${USERS[0]}'`]) {
        const { lines, code } = await run(line, size);
        terminal?.close();
        terminal = undefined;
        expect(code).toBe(0);
        if (line.includes('who'))
          expect(lines.splice(0, 2)).toEqual([`${USERS[0]} is online: 3 sessions on 1 node`, '']);
        const [header, ...rows] = lines;
        // What has no space is named.
        const hidden = ['STOMP', 'PORT', 'AGENT'].filter((name) => !header!.includes(name));
        const told = rows.splice(3).join(' ');
        if ((line.includes('wide') && hidden.length > 0) || told !== '')
          expect(told).toMatch(/^\d+ columns? hidden: widen the terminal, or use -o json \(.*\)$/);
        expect(rows).toHaveLength(3);
        for (const row of rows) {
          expect(columnOf(row, 'chat-1'), row).toBe(columnOf(header!, 'NODE'));
          expect(columnsOf(row)).toBeLessThanOrEqual(size.columns);
        }
        for (const name of ['SESSION', 'NODE', 'IP', 'CONNECTED', 'TTL']) expect(header).toContain(name);
      }
    });
  });

  test('nobody there: a sentence, and no names of columns above it', async () => {
    const said: Record<string, string[]> = {};
    const lines = ['ls', 'ls -o wide', 'ls --by user', 'ls --node chat-9', 'who kim', 'who --no-headers kim', 'stats'];
    for (const line of lines) {
      said[line] = (await run(`wssess ${line}`)).lines;
      terminal?.close();
      terminal = undefined;
    }
    expect(said).toEqual({
      ls: ['no sessions'],
      'ls -o wide': ['no sessions'],
      'ls --by user': ['no users'],
      'ls --node chat-9': ['no sessions'],
      'who kim': ['kim is offline'],
      'who --no-headers kim': ['kim is offline'],
      stats: ['sessions 0  users 0  nodes 1'],
    });
  });

  test('what is sorted by is shown, however narrow; what is hidden is named', async () => {
    await connect7(serve.ws, { userId: 'kim', userRole: 'AGENT' });
    for (const [sort, name] of [
      ['idle', 'IDLE'],
      ['recv_oct', 'RECV_OCT'],
      ['ttl', 'TTL'],
    ] as const) {
      const { lines } = await run(`wssess ls --sort ${sort}`, { columns: 50, rows: 24 });
      terminal?.close();
      terminal = undefined;
      expect(lines[0]).toMatch(new RegExp(`^SESSION .* ${name}$`));
      expect(lines.slice(2).join(' ')).toMatch(
        /^\d+ columns hidden: widen the terminal, or use -o json \(.*IP, CONNECTED.*\)$/,
      );
    }
  });

  test('show: an agent string that is too long goes on below itself', async () => {
    const agent = `Mozilla/5.0 (X11; Linux x86_64) ${'x'.repeat(90)} Safari/537.36`;
    const client = await connectBare(serve.ws, [], { 'user-agent': agent });
    client.send(frame('CONNECT', { 'accept-version': '1.2', host: 'x', userId: 'kim' }));
    await until(() => client.received().includes('CONNECTED'));
    const id = /session:(\S+)/.exec(client.received())![1]!;
    const { lines } = await run(`wssess show ${id}`);
    const at = lines.findIndex((line) => line.startsWith('Agent:'));
    expect(lines.slice(at, at + 5)).toEqual([
      'Agent:         Mozilla/5.0 (X11; Linux x86_64)',
      `${' '.repeat(15)}${'x'.repeat(65)}`,
      `${' '.repeat(15)}${'x'.repeat(25)} Safari/537.36`,
      expect.stringMatching(/^STOMP:/),
      expect.stringMatching(/^Connected:/),
    ]);
  });

  test('kick of two asks, and anything but y does nothing: exit 1', async () => {
    for (const answer of [['Enter'], ['n', 'Enter'], ['C-d'], ['x', 'Enter']]) {
      const clients = [await connect7(serve.ws, { userId: 'kim' }), await connect7(serve.ws, { userId: 'kim' })];
      const asked = await (await open('wssess kick --user kim')).shows(/^Kick them\? \[y\/N\]/);
      expect(asked[0]).toBe('2 sessions will be kicked:');
      for (const { session } of clients)
        expect(asked.some((line) => line.includes(session) && line.includes('chat-1'))).toBe(true);
      terminal!.type(...answer);
      const shown = await terminal!.shows(/^exit=/);
      expect(shown.at(-1)).toBe('exit=1');
      expect(shown.at(-2)).toBe('nothing was done');
      for (const { client } of clients) expect(client.connected).toBe(true);
      terminal!.close();
      terminal = undefined;
      dropClients();
      await until(async () => (await redis.client.exists('ws:user:kim')) === 0);
    }
  });

  test('y kicks them, and says of each what became of it: exit 0', async () => {
    const clients = [await connect7(serve.ws, { userId: 'kim' }), await connect7(serve.ws, { userId: 'kim' })];
    await (await open('wssess kick --user kim --reason bye')).shows(/^Kick them\? \[y\/N\]/);
    terminal!.type('y', 'Enter');
    const shown = await terminal!.shows(/^exit=/);
    expect(shown.at(-1)).toBe('exit=0');
    for (const { session, closed } of clients) {
      expect(shown.some((line) => line.startsWith(`${session}  kicked`))).toBe(true);
      expect(await closed).toEqual({ code: 4001, reason: 'bye' });
    }
    expect(shown.some((line) => /^2 kicked · action \w{26}$/.test(line))).toBe(true);
  });

  test('Ctrl-C at the question does nothing', async () => {
    const clients = [await connect7(serve.ws, { userId: 'kim' }), await connect7(serve.ws, { userId: 'kim' })];
    await (await open('wssess kick --user kim')).shows(/^Kick them\? \[y\/N\]/);
    terminal!.type('C-c');
    // The shell of the terminal may end with it.
    await until(async () => {
      try {
        return terminal!.screen().some((line) => /exit=|nothing was done/.test(line));
      } catch {
        return true;
      }
    });
    for (const { client } of clients) expect(client.connected).toBe(true);
  });

  test('kick - asks on the terminal itself when standard input brings the ids', async () => {
    const clients = [await connect7(serve.ws, { userId: 'kim' }), await connect7(serve.ws, { userId: 'kim' })];
    await (await open('wssess ls -o name | wssess kick -')).shows(/^Kick them\? \[y\/N\]/);
    terminal!.type('y', 'Enter');
    expect((await terminal!.shows(/^exit=/)).at(-1)).toBe('exit=0');
    for (const { closed } of clients) expect((await closed).code).toBe(4001);
  });

  describe('ls --watch', () => {
    test('draws on a screen of its own, keeps up, and at Ctrl-C gives the old one back, with exit 0', async () => {
      await connect7(serve.ws, { userId: USERS[0]! });
      // The shell must outlive Ctrl-C.
      await open('trap : INT; echo before; wssess ls --watch --interval 200ms');
      const watching = await terminal!.shows(/1 session$/);
      expect(watching).not.toContain('before');
      expect(watching[0]).toMatch(/^\d\d:\d\d:\d\d {2}1 session$/);
      expect(watching[1]).toMatch(/^SESSION +USER/);
      expect(watching).toHaveLength(3);
      await connect7(serve.ws, { userId: USERS[1]! });
      expect(await terminal!.shows(/2 sessions$/)).toHaveLength(4);
      dropClients();
      // What is gone leaves nothing behind.
      expect(await terminal!.shows(/0 sessions$/)).toHaveLength(1);
      terminal!.type('C-c');
      const restored = await terminal!.shows(/exit=/);
      expect(restored[0]).toBe('before');
      expect(restored.at(-1)).toMatch(/exit=0$/);
      expect(restored.join('\n')).not.toContain('SESSION');
      const raw = terminal!.raw();
      expect(raw).toContain('\u001b[?1049h');
      expect(raw.indexOf('\u001b[?1049l')).toBeGreaterThan(raw.indexOf('\u001b[?1049h'));
      expect(raw.lastIndexOf('\u001b[?25h')).toBeGreaterThan(raw.lastIndexOf('\u001b[?25l'));
      expect(raw).not.toMatch(/\u001b\[[23]J/);
    });

    test('shows as many rows as fit, and how many do not', async () => {
      for (let i = 0; i < 30; i++) await addForeign(redis.client, `many-${i}`, 'many');
      await open('wssess ls --watch', { columns: 80, rows: 12 });
      const shown = await terminal!.shows(/^… \d+ more$/);
      await redis.client.del(...(await redis.client.keys('ws:*many*')));
      expect(shown).toHaveLength(11);
      expect(shown[0]).toMatch(/30 sessions$/);
      expect(shown.at(-1)).toBe('… 22 more');
    });

    test('when Redis goes, the screen is given back and the error stands on it', async () => {
      const own = await startRedis();
      await open('echo before; wssess ls --watch --interval 200ms', undefined, { WSSESS_REDIS_URL: own.url });
      await terminal!.shows(/0 sessions$/);
      await own.kill();
      const shown = await terminal!.shows(/^exit=/);
      await own.stop();
      expect(shown[0]).toBe('before');
      expect(shown[1]).toMatch(/^error: Redis at /);
      expect(shown.at(-1)).toBe('exit=5');
    });
  });

  test('colours only where they are wanted: NO_COLOR and TERM=dumb have none', async () => {
    await addForeign(redis.client, 'spring-1', '스프링', undefined, 60);
    const seen: Record<string, boolean> = {};
    for (const [name, env] of [
      ['plain', {}],
      ['NO_COLOR', { NO_COLOR: '1' }],
      ['dumb', { TERM: 'dumb' }],
    ] as const) {
      const words = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      await (await open(`${['export X=1', ...words].join(' ')}; wssess ls`)).shows(/^exit=/);
      seen[name] = /\u001b\[\d+m/.test(terminal!.raw());
      terminal!.close();
      terminal = undefined;
    }
    expect(seen).toEqual({ plain: true, NO_COLOR: false, dumb: false });
  });
});
