/** Command lines, before any Redis is asked: help, usage errors, settings. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { run } from '../../src/cli/program.ts';
import { fakeIo } from '../helpers/fake-io.ts';

const COMMANDS = ['serve', 'ls', 'who', 'show', 'kick', 'refresh', 'stats', 'nodes', 'config'];
/** Nothing listens there. */
const NOWHERE = 'redis://127.0.0.1:1';

/** An embedded store of the machine's own is never found. */
const state = mkdtempSync(join(tmpdir(), 'wssess-state-'));
afterAll(() => rmSync(state, { recursive: true }));

async function type(line: string | string[], { env, ...world }: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo({ ...world, env: { XDG_STATE_HOME: state, ...env } });
  const code = await run(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, io);
  return { code, stdout: io.stdout(), stderr: io.stderr() };
}

/** One line `error: what. advice`, and nothing on standard output. */
function expectOneLine({ stdout, stderr }: { stdout: string; stderr: string }, what: RegExp): void {
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^error: [^\n]+\. [^\n]+[.:?)\]A-Za-z0-9]\n$/);
  expect(stderr).toMatch(what);
}

describe.each([
  ['a pipe', false],
  ['a terminal', true],
])('on %s', (_, tty) => {
  test('--help of the program names every command, the exit codes and how to name a Redis', async () => {
    const { code, stdout, stderr } = await type('--help', { tty });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    expect(stdout).toContain('WSSESS_REDIS_URL');
    expect(stdout).toMatch(
      /Without one, serve keeps the sessions in an embedded store, which\nthe other commands .* find/,
    );
    for (const exit of ['0 ok', '1 no', '2 usage', '3 partial', '4 not allowed', '5 Redis'])
      expect(stdout.replace(/\s+/g, ' ')).toContain(exit);
  });

  test.each(COMMANDS)('%s --help and help %s say the same, with exit 0 and no Redis', async (command) => {
    const asked = await type(`${command} --help`, { tty });
    expect(asked).toEqual({ code: 0, stderr: '', stdout: expect.stringContaining(`Usage: wssess ${command}`) });
    expect(asked.stdout).toContain('--verbose');
    expect(await type(`help ${command}`, { tty })).toEqual(asked);
  });

  test('the help says how serve ends, and what refresh does to a key that has no TTL', async () => {
    expect((await type('serve --help', { tty })).stdout).toMatch(
      /SIGTERM and Ctrl-C close all sessions[^.]*exit code is\n0\./,
    );
    expect((await type('refresh --help', { tty })).stdout).toMatch(/foreign one 24h, also one whose key had no TTL/);
  });

  test('usage errors are one line with advice and exit 2', async () => {
    for (const [line, what] of USAGE) {
      const ran = await type(line, { tty });
      expect({ line, code: ran.code }).toEqual({ line, code: 2 });
      expectOneLine(ran, what);
    }
  });
});

const USAGE: [string, RegExp][] = [
  ['ls --nope', /unknown option '--nope'/],
  ['--nope', /unknown option '--nope'/],
  ['ls --limt 3', /--limt.*Did you mean --limit\?/],
  ['lss', /unknown command 'lss'/],
  ['help nosuch', /unknown command 'nosuch'/],
  ['who', /missing required argument 'user'/],
  ['show', /missing required argument 'session'/],
  ['show a b', /too many arguments/],
  ['nodes a', /too many arguments/],
  ['ls -o', /-o, --output <format>' argument missing/],
  ['ls -o yml', /yml.*table, wide, json, jsonl, name/],
  ['stats -o name', /name.*table, wide, json, jsonl/],
  ['ls --sort colour', /colour.*session_id, user, role/],
  ['ls --by node', /node.*user/],
  ['ls --limit 0', /whole number above 0/],
  ['ls --limit 1.5', /whole number above 0/],
  ['ls --interval soon', /soon.*2s, 15m, 24h or 7d/],
  ['stats --interval 0s', /0s.*2s, 15m, 24h or 7d/],
  ['kick a --timeout 1week', /1week.*2s, 15m, 24h or 7d/],
  ['kick a --max none', /none.*whole number above 0/],
  ['kick', /no session is selected/],
  ['kick --except a', /no session is selected/],
  ['refresh', /no session is selected/],
  ['kick -', /standard input names no session/],
  ['--redis redis://x ls', /--redis is an option of commands.*behind the command: wssess ls --redis URL$/m],
  ['--redis=redis://:secret@x ls', /^(?!.*secret).*wssess ls --redis URL$/m],
  ['-o wide ls', /-o is an option of commands.*wssess ls -o FORMAT$/m],
  ['--user ls who', /wssess ls --user USER$/m], // ls might be the user: one that has it is named
  ['--watch', /behind the command: wssess COMMAND --watch$/m],
  ['--redis x demo', /unknown option '--redis'/],
  ['ls --nope=secret', /^(?!.*secret).*unknown option '--nope'/m],
  ['who a --redis 127.0.0.1:6379', /is not a URL\. Write it as redis:\/\/127\.0\.0\.1:6379$/m],
  ['serve --node a/b', /"a\/b" is not a name of letters, digits, _ \. - .*For example: --node chat-1$/m],
  ['serve --port abc', /"abc" is not a whole number\. For example: --port 28070$/m],
  ['ls -', /standard input names no session/],
  [`kick a --reason ${'한'.repeat(342)}`, /1026 bytes, at most 1024/],
  ['refresh a --ttl forever', /--ttl: "forever" is not a duration/],
  ['refresh a --ttl 10ms', /--ttl.*between 1s/],
  [`who a --redis ${NOWHERE} --redis-timeout soon`, /--redis-timeout: "soon" is not a duration/],
  [`who a --redis ${NOWHERE} --prefix ws:x`, /--prefix: "ws:x" is not/],
  ['who a --redis http://127.0.0.1', /is not a redis:\/\/ URL/],
  ['who a --redis nowhere', /is not a URL/],
  [`who a --redis ${NOWHERE} --redis-file x`, /--redis and --redis-file both name a Redis/],
  [
    'who a --redis-file /nonexistent',
    /--redis-file: \/nonexistent cannot be read: no such file or directory\. Name a file/,
  ],
  [`serve --redis ${NOWHERE} --port 65536`, /--port: "65536" is not between 0 and 65535/],
  [`serve --redis ${NOWHERE} --heart-beat 10s`, /--heart-beat: "10s" is not two durations/],
];

test.each(['-o json', '-ojson', '--output json', '--output=json', '-o jsonl'])(
  'with %s an error is the published JSON and nothing else',
  async (format) => {
    for (const line of [
      `who ${format}`,
      `who a ${format}`,
      `ls ${format} --nope`,
      `who a ${format} --redis ${NOWHERE}`,
    ]) {
      const { stdout, stderr } = await type(line);
      expect(stdout).toBe('');
      expect(stderr.trim().split('\n')).toHaveLength(1);
      const told = JSON.parse(stderr) as { error: object };
      expect(Object.keys(told)).toEqual(['error']);
      expect(Object.keys(told.error)).toEqual(['code', 'message', 'advice']);
      for (const text of Object.values(told.error)) expect(text).toMatch(/\S/);
    }
  },
);

test('an error is JSON only where JSON was asked for', async () => {
  for (const line of ['who', 'who -o name', 'who -o table', 'ls -o wide --nope']) {
    expect((await type(line)).stderr).toMatch(/^error: /);
  }
});

test('the text after an unknown word is told with its control characters visible', async () => {
  const { code, stderr } = await type(['\u001b[2Jls\u0007']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: [^\n\u001b]*\\x1b\[2Jls\\x07[^\n\u001b]*\n$/);
});

test.each(['--user', '--role', '--node', '--except'])(
  '%s without a value (an unset variable) is refused',
  async (flag) => {
    for (const command of ['ls', 'kick', 'refresh']) {
      const ran = await type([command, 'a', flag, '', '--redis', NOWHERE]);
      expect(ran.code).toBe(2);
      expectOneLine(ran, new RegExp(`${flag}.*empty`));
    }
  },
);

test.each(['who', 'ls', 'kick', 'refresh'])('%s with an empty argument is a usage error', async (command) => {
  const ran = await type([command, '', '--redis', NOWHERE]);
  expect(ran.code).toBe(2);
  expectOneLine(ran, /is named that is empty/);
});

test.each([
  ['a table', 'SESSION\tUSER\tNODE\ns1\tkim\tchat-1\n'],
  ['a table', 's1\tkim\tchat-1\n'],
  ['JSON', '{\n  "complete": true\n}\n'],
  ['JSON', '{"session_id":"s1"}\n'],
])('%s where ids are read is told so in one line, with -o name', async (what, input) => {
  for (const command of ['kick', 'ls', 'refresh']) {
    const ran = await type([command, '-', '--redis', NOWHERE], { input });
    expect(ran.code).toBe(2);
    expectOneLine(ran, new RegExp(`standard input is ${what}, not a list of ids\\. .*wssess ls -o name`));
  }
});

describe('the help of each command', () => {
  const all = [
    'serve',
    'demo',
    'ls',
    'who',
    'show',
    'kick',
    'refresh',
    'stats',
    'top',
    'nodes',
    'drain',
    'doctor',
    'config',
  ];

  test.each(all)('%s: what it does, its own options, then Output, then Connection; exit codes', async (command) => {
    const { stdout } = await type(`${command} --help`);
    expect(stdout.split('\n')[2]).toMatch(/^[A-Z].*\.$/);
    const headings = [...stdout.matchAll(/^(Arguments|Options|Selection|Output|Connection|Other):$/gm)].map(
      ([, one]) => one!,
    );
    const order = ['Arguments', 'Options', 'Selection', 'Output', 'Connection', 'Other'];
    expect(headings).toEqual(order.filter((one) => headings.includes(one)));
    expect(headings.slice(-2)).toEqual(['Connection', 'Other']);
    expect(stdout.slice(stdout.indexOf('\nOther:'))).toMatch(/--verbose[\s\S]*--help/);
    expect(stdout).toMatch(command === 'top' ? /Examples:/ : /[Ee]xit\s+code/);
    for (const line of stdout.split('\n'))
      if (command !== 'doctor') expect([...line].length, line).toBeLessThanOrEqual(80);
  });

  test('of stats and nodes: examples, and what the columns mean', async () => {
    for (const command of ['stats', 'nodes']) expect((await type(`${command} --help`)).stdout).toMatch(/Examples:\n/);
    const { stdout } = await type('nodes --help');
    for (const name of ['STATE', 'SESSIONS', 'CPU', 'LOOP', 'RSS', 'UP', 'SEEN', 'URL', 'MSGS_IN', 'INCARNATION'])
      expect(stdout).toMatch(new RegExp(`\\b${name}\\b`));
  });

  test.each(['ls', 'kick', 'refresh'])(
    'of %s says how selections go together, and how what has no node is selected',
    async (command) => {
      const { stdout } = await type(`${command} --help`);
      expect(stdout).toMatch(/--user kim --user\s+lee are the sessions of both/);
      expect(stdout).toMatch(/narrow each other down/);
      expect(stdout).toContain("'(foreign)'");
    },
  );
});

test('a flag alone is no command', async () => {
  expect((await type('--verbose')).stderr).toMatch(/^error: no command is named\. /);
});

test.each(['--version', '-V'])('%s prints the version alone', async (flag) => {
  expect(await type(flag)).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
});

test.each(['cli.cjs', 'server.cjs'])('of package.json, dist/%s holds the version alone', (bundle) => {
  const text = readFileSync(join(import.meta.dirname, '../../dist', bundle), 'utf8');
  expect(text.includes(`"${manifest.version}"`)).toBe(true); // a megabyte is no message
  expect(text.includes('devDependencies')).toBe(false);
});

test('without arguments it prints the help', async () => {
  expect(await type('')).toEqual(await type('--help'));
});

test.each([
  ['list', 'ls'],
  ['describe', 'show'],
  ['disconnect', 'kick'],
  ['count', 'stats'],
])('%s is %s', async (alias, name) => {
  const help = await type(`${name} --help`);
  expect(help.stdout).toContain(`${name}|${alias}`);
  expect(await type(`${alias} --help`)).toEqual(help);
});

describe('no Redis named, and no embedded store', () => {
  test.each(['ls', 'who a', 'show a', 'kick a', 'refresh a', 'stats', 'nodes'])(
    '%s: exit 5, with advice that names the variable and serve, and no localhost tried',
    async (line) => {
      const ran = await type(line);
      expect(ran.code).toBe(5);
      expectOneLine(ran, /no Redis is named, and no embedded store runs here\. .*WSSESS_REDIS_URL.*wssess serve/);
      expect(JSON.parse((await type(`${line} -o json`)).stderr).error.code).toBe('no_store');
    },
  );

  test('an empty variable names none', async () => {
    const env = { WSSESS_REDIS_URL: '', WSSESS_REDIS_FILE: '', WSSESS_STATE_FILE: '' };
    const ran = await type('ls', { env });
    expect(ran.code).toBe(5);
    expectOneLine(ran, /no Redis is named/);
  });

  test.each(['--port 65536', '--host 0.0.0.0', '--ttl 10ms', '--prefix ws:x'])(
    'serve %s: a usage error before there is a store',
    async (flag) => {
      const ran = await type(`serve ${flag}`);
      expect(ran.code).toBe(2);
      expectOneLine(ran, new RegExp(flag.split(' ')[1]!));
      expect(existsSync(join(state, 'wssess'))).toBe(false);
    },
  );
});

describe('a password', () => {
  test.each([
    'redis://:hunter2@127.0.0.1:1',
    'redis://ops:hunter2@127.0.0.1:1/0',
    'rediss://ops:hunter2@127.0.0.1:1',
    'REDIS://ops:hunter2@127.0.0.1:1',
    'redis://ops:hun/ter2@127.0.0.1:1',
    'redis://ops:hunter2@x@127.0.0.1:1',
  ])('in --redis %s is refused with exit 2 and not repeated', async (url) => {
    for (const line of [`who a --redis ${url}`, `kick a --redis=${url}`, `serve --redis ${url}`]) {
      const ran = await type(line);
      expect(ran.code).toBe(2);
      expectOneLine(ran, /--redis holds a password.*WSSESS_REDIS_URL/);
      expect(ran.stderr).not.toContain('hun');
    }
  });

  test('a user without a password in --redis is no password', async () => {
    expect((await type('who a --redis redis://ops@127.0.0.1:1')).code).toBe(5);
  });

  // A slash, a sign of percent or a forgotten scheme: what people paste from a vault.
  test.each([
    'redis://ops:hunter2@127.0.0.1:1',
    'redis://ops:hun/ter2@127.0.0.1:1',
    'redis://ops:hunter2%@127.0.0.1:1',
    'redis://ops:hunter2#@127.0.0.1:1',
    'redis://ops:hunter2?@127.0.0.1:1',
    'redis://ops:hunter2@x@127.0.0.1:1',
    'redis://ops:hunter2@127.0.0.1:port',
    'ops:hunter2@127.0.0.1:1',
    'http://ops:hunter2@127.0.0.1:1',
    'redis+tls://ops:hunter2@127.0.0.1:1',
  ])('in WSSESS_REDIS_URL=%s is never printed', async (url) => {
    const env = { WSSESS_REDIS_URL: url };
    for (const line of ['who a', 'who a -o json', 'who a --verbose', 'config', 'config -o json']) {
      const { stdout, stderr } = await type(line, { env });
      expect(stdout + stderr).not.toMatch(/hun|ter2/);
      expect(stdout + stderr).toContain(line.startsWith('config') ? '****' : '127.0.0.1');
    }
  });

  test.each(['redis://:50%@127.0.0.1:1', 'redis://%ff@127.0.0.1:1'])(
    'that is not percent-encoded (%s) is a usage error, not a fault of wssess',
    async (url) => {
      const ran = await type('who a', { env: { WSSESS_REDIS_URL: url } });
      expect(ran.code).toBe(2);
      expectOneLine(ran, /WSSESS_REDIS_URL/);
    },
  );
});

describe('config', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-config-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const settings = async (line: string, env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await type(`config -o json ${line}`, { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const list = (JSON.parse(stdout) as { settings: { key: string; value: string | null; source: string }[] }).settings;
    return Object.fromEntries(list.map(({ key, value, source }) => [key, [value, source]]));
  };

  test('names where each value came from: flag, variable, default, nowhere', async () => {
    const found = await settings('--prefix chat --ttl 6h', {
      WSSESS_TTL: '7d',
      WSSESS_PORT: '8080',
      WSSESS_REDIS_URL: 'redis://10.0.0.5:6379',
    });
    expect(found).toMatchObject({
      'redis.prefix': ['chat', '--prefix'],
      'sessions.ttl': ['6h', '--ttl'],
      'server.port': ['8080', 'WSSESS_PORT'],
      'redis.url': ['redis://10.0.0.5:6379', 'WSSESS_REDIS_URL'],
      'server.host': ['127.0.0.1', 'default'],
      'redis.file': [null, 'not set'],
    });
  });

  test('says which store commands would use, and where its state file would be', async () => {
    const env = { XDG_STATE_HOME: folder };
    expect(await settings('', env)).toMatchObject({
      store: ['none: no Redis is named, and no embedded store runs here', 'not set'],
      'store.state_file': [join(folder, 'wssess', 'embedded.json'), 'default'],
    });
    const url = 'redis://ops:hunter2@10.0.0.5:6379/3';
    expect(await settings('', { ...env, WSSESS_REDIS_URL: url })).toMatchObject({
      store: ['Redis redis://ops:****@10.0.0.5:6379/3', 'WSSESS_REDIS_URL'],
    });
    const file = join(folder, 'named.url');
    writeFileSync(file, url);
    expect(await settings(`--redis-file ${file}`, env)).toMatchObject({
      store: ['Redis redis://ops:****@10.0.0.5:6379/3', `--redis-file ${file}`],
    });
    expect((await settings(`--redis-file ${file}.none`, env)).store?.[0]).toMatch(
      /^none: --redis-file: .* no such file or directory$/,
    );
    const open = join(folder, 'open.json');
    writeFileSync(open, '{}', { mode: 0o666 });
    chmodSync(open, 0o666);
    expect((await settings(`--state-file ${open}`, env)).store?.[0]).toMatch(/^none: .* can be written by others$/);
  });

  test('a setting that is wrong is told in its line, the others are as usual; exit 2', async () => {
    const env = { WSSESS_PORT: 'abc', WSSESS_PREFIX: 'chat' };
    const table = await type('config', { env });
    expect(table.code).toBe(2);
    expect(table.stdout).toContain('server.port\t"abc" is not a whole number\tWSSESS_PORT\n');
    expect(table.stdout).toContain('redis.prefix\tchat\tWSSESS_PREFIX\n');
    expect(table.stdout).toMatch(/^store\t/m);
    expect(table.stderr).toBe('error: WSSESS_PORT: "abc" is not a whole number. For example: WSSESS_PORT=28070\n');
    const json = await type('config -o json --ttl soon', { env });
    expect(json.code).toBe(2);
    const { settings: rows } = JSON.parse(json.stdout) as { settings: { key: string }[] };
    expect(rows.find(({ key }) => key === 'server.port')).toEqual({
      key: 'server.port',
      value: 'abc',
      source: 'WSSESS_PORT',
      error: 'WSSESS_PORT: "abc" is not a whole number',
    });
    expect(rows.filter((row) => 'error' in row)).toHaveLength(2);
    expect(JSON.parse(json.stderr).error.message).toMatch(/^2 settings .*--ttl, WSSESS_PORT$/);
  });

  test('a wrong secret is not shown', async () => {
    const { code, stdout, stderr } = await type('config -o json', { env: { WSSESS_JWT_SECRET: 'too-short' } });
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain('too-short');
  });

  test('a variable that is called like a setting and is none: one warning, with what may be meant', async () => {
    const told = async (env: Record<string, string>) => (await type('config', { env })).stderr;
    expect(await told({ WSSESS_PROT: '1' })).toBe('warning: WSSESS_PROT is no setting. Did you mean WSSESS_PORT?\n');
    expect(await told({ WSSESS_REDIS_ULR: '1' })).toMatch(/Did you mean WSSESS_REDIS_URL\?\n$/);
    expect(await told({ WSSESS_COLOUR_OF_THE_SKY: '1' })).toMatch(
      /^warning: WSSESS_COLOUR_OF_THE_SKY is no setting: see docs\/settings\.md\n$/,
    );
    expect(await told({ WSSESS_PORT: '1', OTHER_PROT: '1' })).toBe('');
  });

  test('masks the password, in every format', async () => {
    const env = { WSSESS_REDIS_URL: 'redis://ops:hunter2@10.0.0.5:6379/3' };
    expect((await settings('', env))['redis.url']).toEqual(['redis://ops:****@10.0.0.5:6379/3', 'WSSESS_REDIS_URL']);
    for (const format of ['table', 'wide', 'json', 'jsonl', 'name']) {
      const { stdout } = await type(`config -o ${format}`, { env });
      expect(stdout).toContain('redis.url');
      expect(stdout).not.toContain('hunter2');
    }
  });

  test('a flag wins over a variable, a file over the variable of a URL', async () => {
    const file = join(folder, 'redis.url');
    writeFileSync(file, 'redis://127.0.0.1:2\n');
    const env = { WSSESS_REDIS_URL: NOWHERE };
    expect((await type('who a', { env })).stderr).toContain('127.0.0.1:1 ');
    expect((await type(`who a --redis-file ${file}`, { env })).stderr).toContain('127.0.0.1:2 ');
    expect((await type('who a --redis redis://127.0.0.1:3', { env })).stderr).toContain('127.0.0.1:3 ');
  });
});

describe('--verbose', () => {
  test.each([`who a --redis ${NOWHERE} --verbose`, `--verbose who a --redis ${NOWHERE}`, 'ls --nope --verbose'])(
    '%s: the line, then the stack',
    async (line) => {
      const { stderr } = await type(line);
      expect(stderr).toMatch(/^error: .*\n/);
      expect(stderr).toMatch(/^ {4}at /m);
    },
  );

  test.each([`who a --redis ${NOWHERE}`, 'ls --nope'])('%s without it: no stack', async (line) => {
    expect((await type(line)).stderr).not.toMatch(/^ {4}at |node_modules|\.ts:\d/m);
  });
});
