/** `serve` with no Redis named, and the CLI in other processes that finds its store; Node alone is needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { State } from '../../src/store/state-file.ts';
import { type Background, killBackground, start } from '../helpers/background.ts';
import { connect2, connect7, dropClients } from '../helpers/clients.ts';
import { PASSWORD, startStore } from '../helpers/embedded.ts';
import { type Ran, type Serve, startServe, wssess } from '../helpers/program.ts';
import { freePort } from '../helpers/redis.ts';
import { startMute } from '../helpers/state.ts';
import { until, within } from '../helpers/wait.ts';

/** Milliseconds: more than a command needs to look. */
const TTL = 4000;
const hasRedisCli = spawnSync('redis-cli', ['--version']).status === 0;
const started: Serve[] = [];

/** `serve` with no Redis named. */
async function startOwn(env: Record<string, string>, ...args: string[]): Promise<Serve> {
  const serve = await startServe('', args, env);
  started.push(serve);
  return serve;
}

const stateOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as State;
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const words = (line: string) => line.split(' ').filter(Boolean);

/** One line `error: what. advice` (the store may be named before it), nothing on standard output; the same as JSON. */
async function expectFault(line: string, env: Record<string, string>, code: string, exit: number): Promise<string> {
  const ran = await wssess(words(line), { env });
  expect({ exit: ran.code, stdout: ran.stdout }).toEqual({ exit, stdout: '' });
  expect(ran.stderr).toMatch(/^(embedded store of [^\n]+\n)?error: [^\n]+\. [^\n]+\n$/);
  if (!line.startsWith('serve')) {
    const { stderr } = await wssess([...words(line), '-o', 'json'], { env });
    expect(JSON.parse(stderr).error.code).toBe(code);
  }
  return ran.stderr;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wssess-embedded-'));
});
afterEach(() => {
  killBackground();
  dropClients();
});
afterAll(async () => {
  for (const serve of started) if (serve.process.exitCode === null) await serve.stop('SIGKILL');
  rmSync(folder, { recursive: true });
});

describe('serve with no Redis named', () => {
  /** As a home that was made by hand: sh must be given it in quotes. */
  let file: string;
  let env: Record<string, string>;
  let serve: Serve;
  let redis: Redis;

  beforeAll(async () => {
    env = { XDG_STATE_HOME: join(folder, "kim's state home") };
    file = join(env.XDG_STATE_HOME!, 'wssess', 'embedded.json');
    serve = await startOwn(env, '--node', 'own', '--prefix', 'chat');
    const { port, password } = stateOf(file);
    redis = new Redis({ port, password });
  });
  afterEach(async () => {
    dropClients();
    await until(async () => (await redis.keys('chat:session:*')).length === 0, 10_000, 'the sessions to be gone');
  });
  afterAll(() => redis?.disconnect());

  const cli = (line: string): Promise<Ran> => wssess(words(line), { env });
  const json = async (line: string, code = 0): Promise<any> => {
    const ran = await cli(`${line} -o json`);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: '' });
    return JSON.parse(ran.stdout);
  };
  const named = () => `embedded store of process ${serve.process.pid} on 127.0.0.1:${stateOf(file).port}\n`;
  const join7 = (userId: string, userRole = 'AGENT') => connect7(serve.ws, { userId, userRole });

  test('the ready line names the store, says that the data ends with it, and how to name a Redis', () => {
    const [line, ...more] = serve.stdout().trimEnd().split('\n');
    const { port, password } = stateOf(file);
    expect(line).toMatch(/^wssess \S+ is ready: STOMP on ws:\S+, REST on http:\S+, node own, /);
    expect(line).toContain(`, embedded store on 127.0.0.1:${port}, prefix chat`);
    expect(more.join('\n')).toMatch(/the sessions are in this process and end with it/);
    expect(more.join('\n')).toContain('WSSESS_REDIS_URL=redis://host:6379 wssess serve');
    expect(more.join('\n')).toContain('REDISCLI_AUTH=');
    expect(serve.stdout() + serve.stderr()).not.toContain(password);
    expect(serve.stderr()).toContain('clients need no token: the CONNECT headers userId (or login) and userRole are');
  });

  test.skipIf(!hasRedisCli)('its redis-cli line works when typed', async () => {
    const line = /^ +(REDISCLI_AUTH=.*)$/m.exec(serve.stdout())![1]!;
    const typed = (rest: string) => execFileSync('sh', ['-c', `${line} ${rest}`], { encoding: 'utf8' }).trim();
    expect(typed('PING')).toBe('PONG');
    const { session } = await join7('kim');
    expect(typed(`GET chat:session:${session}`)).toBe('kim');
    expect(typed('SMEMBERS chat:user:kim')).toBe(session);
  });

  test('the state file is for its owner alone', () => {
    expect([mode(file), mode(dirname(file))]).toEqual(['600', '700']);
    expect(stateOf(file)).toEqual({
      pid: serve.process.pid,
      port: expect.any(Number),
      password: expect.stringMatching(/^[\w-]{32}$/),
      prefix: 'chat',
    });
  });

  test('who, ls, stats, show, nodes find it without a flag, and name it on standard error', async () => {
    const [one, two] = [await join7('kim'), await connect2(serve.ws, { userId: '고객01', userRole: 'CUSTOMER' })];
    for (const [line, say, told = ''] of [
      ['who kim', new RegExp(`^${one.session}\\t`, 'm'), 'kim is online: 1 session on 1 node\n'],
      ['ls', new RegExp(`^${one.session}\\t`, 'm')],
      ['ls', new RegExp(`^${two.session}\\t고객01\\tCUSTOMER`, 'm')],
      ['stats', /\b2\b/, 'sessions 2  users 2  nodes 1\n'],
      [`show ${two.session}`, /고객01/],
      ['nodes', /^own\b/m],
      ['ls -o name --user kim', new RegExp(`^${one.session}\n$`)],
    ] as const) {
      const ran = await cli(line);
      expect({ line, code: ran.code, stderr: ran.stderr }).toEqual({ line, code: 0, stderr: named() + told });
      expect(ran.stdout).toMatch(say);
    }
    const { code, stderr } = await cli('who park');
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${named()}park is offline\n` });
  });

  test('not with -q, nor where standard error is for a program', async () => {
    const { session } = await join7('kim');
    expect(await cli('who kim -q')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await cli('who park -q')).toEqual({ code: 1, stdout: '', stderr: '' });
    expect(await json('who kim')).toMatchObject({ online: true, sessions: [{ session_id: session, node: 'own' }] });
    expect(await json('ls')).toMatchObject({ complete: true, exact: true, total: 1, skipped: 0, nodes_missing: [] });
    expect(await json('stats')).toMatchObject({ exact: true, sessions: 1, users: 1, nodes: 1 });
    expect((await cli('ls -o jsonl')).stderr).toBe('');
    const { code, stderr } = await cli('show nosuch -o json');
    expect({ code, error: JSON.parse(stderr).error.code }).toEqual({ code: 1, error: 'session_not_found' });
  });

  test('kick ends a session, and its client is told why', async () => {
    const one = await join7('kim');
    const { code, stdout, stderr } = await wssess(['kick', one.session, '--reason', 'bye now'], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(named()) });
    expect(stdout).toContain('kicked');
    expect(await within(one.closed)).toEqual({ code: 4001, reason: 'bye now' });
    expect(one.error?.headers).toMatchObject({ cause: 'kicked', message: 'bye now' });
    expect((await json(`kick ${one.session}`, 1)).results[0].outcome).toBe('not_found');
  });

  test('refresh sets the TTL anew', async () => {
    const one = await join7('kim');
    const { results } = await json(`refresh ${one.session} --ttl 1h`);
    expect(results).toEqual([{ session_id: one.session, refreshed: true, ttl: expect.any(Number) }]);
    expect(await redis.pttl(`chat:session:${one.session}`)).toBeGreaterThan(3_590_000);
    await one.disconnect();
  });

  test('the prefix is that of serve unless another is given', async () => {
    await join7('kim');
    expect((await cli('who -q kim')).code).toBe(0);
    for (const line of ['who -q kim --prefix ws', 'who -q kim --prefix other']) expect((await cli(line)).code).toBe(1);
    expect((await wssess(['who', '-q', 'kim'], { env: { ...env, WSSESS_PREFIX: 'ws' } })).code).toBe(1);
    expect(
      (await wssess(['who', '-q', 'kim', '--prefix', 'chat'], { env: { ...env, WSSESS_PREFIX: 'ws' } })).code,
    ).toBe(0);
  });

  test('a Redis that is named, by variable, flag or file, wins', async () => {
    await join7('kim');
    const other = await startStore();
    try {
      const url = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${other.port}`;
      const urlFile = join(folder, 'redis.url');
      writeFileSync(urlFile, url);
      const offline = { code: 1, stderr: 'kim is offline\n' };
      expect(await wssess(['who', 'kim'], { env: { ...env, WSSESS_REDIS_URL: url } })).toMatchObject(offline);
      expect(await cli(`who kim --redis-file ${urlFile}`)).toMatchObject(offline);
      const nowhere = `127.0.0.1:${await freePort()}`;
      expect(await expectFault(`who kim --redis redis://${nowhere}`, env, 'redis_unreachable', 5)).toContain(nowhere);
    } finally {
      await other.close();
    }
  });

  test('--state-file and WSSESS_STATE_FILE name it from elsewhere', async () => {
    await join7('kim');
    const elsewhere = { XDG_STATE_HOME: join(folder, 'empty') };
    expect((await wssess(['who', '-q', 'kim', '--state-file', file], { env: elsewhere })).code).toBe(0);
    expect((await wssess(['who', '-q', 'kim'], { env: { ...elsewhere, WSSESS_STATE_FILE: file } })).code).toBe(0);
    await expectFault('who kim', elsewhere, 'no_store', 5);
  });

  test('a second serve: one line that says what to do, exit 1, and the first is unharmed', async () => {
    const one = await join7('kim');
    const before = readFileSync(file, 'utf8');
    const said = await expectFault('serve --port 0', env, 'store_taken', 1);
    expect(said).toContain(`process ${serve.process.pid} already carries an embedded store`);
    for (const way of ['Stop that one', '--state-file', 'WSSESS_REDIS_URL']) expect(said).toContain(way);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect((await json('who kim')).sessions[0].session_id).toBe(one.session);
    expect(serve.process.exitCode).toBeNull();
  });

  test('a demo beside it: advice that works for a demo, which uses no Redis', async () => {
    const { code, stdout, stderr: said } = await wssess(['demo'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(said).toContain('Stop that one, or give the demo another --state-file.');
    expect(said).not.toContain('Redis');
  });

  test('config names it as the store, the file by which it is found, and its prefix', async () => {
    const { settings } = await json('config');
    const line = (key: string) => settings.find((one: any) => one.key === key);
    expect(line('store')).toEqual({ key: 'store', value: named().trimEnd(), source: file });
    expect(line('store.state_file')).toEqual({ key: 'store.state_file', value: file, source: 'default' });
    expect(line('redis.prefix')).toEqual({ key: 'redis.prefix', value: 'chat', source: file });
    const other = await json('config --prefix other --redis redis://127.0.0.1:1/2');
    const found = Object.fromEntries(other.settings.map((one: any) => [one.key, [one.value, one.source]]));
    expect(found).toMatchObject({
      store: ['Redis redis://127.0.0.1:1/2', '--redis'],
      'redis.prefix': ['other', '--prefix'],
    });
  });

  test.each([
    ['stompjs 7', connect7],
    ['stompjs 2.3.3', connect2],
  ] as const)('scenarios 1 and 2: one device, two, one, none (%s)', async (_, connect) => {
    const headers = { userId: 'cust01', userRole: 'CUSTOMER' };
    const expectOnline = async (ids: string[]) => {
      const who = await json('who cust01', ids.length > 0 ? 0 : 1);
      expect(who).toMatchObject({ user: 'cust01', online: ids.length > 0, session_count: ids.length });
      expect(who.sessions.map((row: any) => row.session_id).sort()).toEqual([...ids].sort());
      expect((await serve.rest('/api/session/user/cust01')).body.sessions.sort()).toEqual([...ids].sort());
      expect((await redis.smembers('chat:user:cust01')).sort()).toEqual([...ids].sort());
    };
    const web = await connect(serve.ws, headers);
    await expectOnline([web.session]);
    const keys = await redis.keys('chat:session:*');
    expect(keys.sort()).toEqual([`chat:session:${web.session}`, `chat:session:${web.session}:role`]);
    expect((await serve.rest(`/api/session/${web.session}/refresh`, 'POST')).status).toBe(200);
    const phone = await connect(serve.ws, headers);
    await expectOnline([web.session, phone.session]);
    await phone.disconnect();
    await until(async () => (await redis.scard('chat:user:cust01')) === 1);
    await expectOnline([web.session]);
    web.destroy();
    await until(async () => (await redis.exists(`chat:session:${web.session}`)) === 0);
    await until(async () => (await redis.exists('chat:user:cust01')) === 0);
    await expectOnline([]);
  });
});

test('scenario 4: a silent client expires: 4005, offline, not listed', async () => {
  const env = { WSSESS_STATE_FILE: join(folder, 'short', 'embedded.json') };
  const serve = await startOwn(env, '--ttl', `${TTL}ms`);
  const one = await connect7(serve.ws, { userId: 'cust01' });
  const ask = async (line: string) => JSON.parse((await wssess([...words(line), '-o', 'json'], { env })).stdout);
  expect((await ask('ls')).total).toBe(1);
  expect((await within(one.closed, 5 * TTL)).code).toBe(4005);
  expect(one.error?.headers.cause).toBe('expired');
  expect(await ask('who cust01')).toMatchObject({ online: false, session_count: 0, sessions: [] });
  expect(await ask('ls')).toMatchObject({ total: 0, sessions: [] });
  expect((await ask('stats')).sessions).toBe(0);
  expect(await serve.stop()).toBe(0);
});

describe('the end of serve', () => {
  let file: string;
  let env: Record<string, string>;
  beforeEach(() => {
    file = join(mkdtempSync(join(folder, 'end-')), 'embedded.json');
    env = { WSSESS_STATE_FILE: file };
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s removes the state file, exit 0', async (signal) => {
    const serve = await startOwn(env);
    const one = await connect7(serve.ws, { userId: 'kim' });
    expect(existsSync(file)).toBe(true);
    expect(await serve.stop(signal)).toBe(0);
    expect((await within(one.closed)).code).toBe(1001);
    expect(one.error?.headers.cause).toBe('shutdown');
    expect(existsSync(file)).toBe(false);
    await expectFault('who kim', env, 'no_store', 5);
  });

  test('SIGKILL leaves it: store_gone until the next serve replaces it', async () => {
    const killed = await startOwn(env);
    const before = stateOf(file);
    expect(await killed.stop('SIGKILL')).toBeNull();
    expect(existsSync(file)).toBe(true);
    const said = await expectFault('who kim', env, 'store_gone', 5);
    expect(said).toContain(`the embedded store of process ${before.pid} is gone, ${file} is stale. `);
    expect(said).toMatch(/wssess serve.*WSSESS_REDIS_URL/);
    const config = await wssess(['config'], { env });
    expect(config).toMatchObject({ code: 0, stderr: '' });
    expect(config.stdout).toContain(
      `store\tnone: the embedded store of process ${before.pid} is gone, its state file is stale\t${file}\n`,
    );
    const next = await startOwn(env);
    expect(stateOf(file)).toMatchObject({ pid: next.process.pid });
    await connect7(next.ws, { userId: 'kim' });
    expect((await wssess(['who', '-q', 'kim'], { env })).code).toBe(0);
    expect(await next.stop()).toBe(0);
  });

  test('a serve that cannot listen leaves no state file', async () => {
    const other = await startOwn({ WSSESS_STATE_FILE: `${file}.other` });
    await expectFault(`serve --port ${other.port}`, env, 'address_in_use', 1);
    expect(existsSync(file)).toBe(false);
    expect(await other.stop()).toBe(0);
  });
});

describe('a state file that', () => {
  let file: string;
  let env: Record<string, string>;
  beforeEach(() => {
    file = join(mkdtempSync(join(folder, 'odd-')), 'embedded.json');
    env = { WSSESS_STATE_FILE: file };
  });
  const put = (state: Partial<State>) =>
    writeFileSync(file, JSON.stringify({ pid: process.pid, port: 1, password: 'x', prefix: 'ws', ...state }), {
      mode: 0o600,
    });

  test.each(['', 'hello', 'null', '[]', '{"pid":1}'])('is garbage (%j) is none', async (text) => {
    writeFileSync(file, text, { mode: 0o600 });
    await expectFault('who kim', env, 'no_store', 5);
  });

  const gone = () => `error: the embedded store of process ${process.pid} is gone, ${file} is stale. `;

  // Each time its process id was given again, too.
  test.each([
    ['nothing listens', async () => ({ port: await freePort(), close() {} })],
    ['another embedded store listens', () => startStore()],
    ['a web server listens', () => startMute('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('names a port where %s: store_gone, and serve replaces it', async (_, start) => {
    const other = await start();
    try {
      put({ port: other.port, password: 'of another time' });
      const said = await expectFault('who kim', env, 'store_gone', 5);
      expect(said.startsWith(gone())).toBe(true);
      const serve = await startOwn(env);
      expect(stateOf(file).pid).toBe(serve.process.pid);
      expect((await wssess(['who', '-q', 'kim'], { env })).code).toBe(1);
      expect(await serve.stop()).toBe(0);
      expect(existsSync(file)).toBe(false);
    } finally {
      await other.close();
    }
  });

  test('names a serve that is stopped: it is not gone, and goes on', async () => {
    const serve = await startOwn(env);
    const { pid, port } = stateOf(file);
    serve.process.kill('SIGSTOP');
    try {
      const said = await expectFault('who kim --redis-timeout 1s', env, 'redis_unreachable', 5);
      expect(said).toBe(
        `error: the embedded store of process ${pid} on 127.0.0.1:${port} did not answer in time. ` +
          `Look whether process ${pid} is stopped or busy, then repeat.\n`,
      );
      expect(await expectFault('serve --port 0', env, 'store_taken', 1)).toContain(`process ${pid} already carries`);
    } finally {
      serve.process.kill('SIGCONT');
    }
    expect((await wssess(['who', '-q', 'kim'], { env })).code).toBe(1);
    expect(await serve.stop()).toBe(0);
  });

  test('is stale, when six serves start at once: one runs, the others say that it is taken', {
    timeout: 60_000,
  }, async () => {
    put({ port: await freePort() });
    const serves = Array.from({ length: 6 }, () => start(['serve', '--port', '0'], env));
    const isOver = ({ process }: Background) => process.exitCode !== null;
    await until(() => serves.filter(isOver).length === 5, 40_000, 'five to end');
    for (const lost of serves.filter(isOver)) {
      expect(await lost.ended()).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^error: process \d+ already/),
      });
    }
    const winner = serves.find((one) => !isOver(one))!;
    await winner.lines(1);
    expect(stateOf(file).pid).toBe(winner.process.pid);
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
    winner.process.kill('SIGTERM');
    expect((await winner.ended()).code).toBe(0);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  test('others may write, or is a link: nobody believes it', async () => {
    put({});
    chmodSync(file, 0o666);
    const remedy = 'Remove it, or name another with --state-file.';
    expect(await expectFault('who kim', env, 'usage', 2)).toBe(
      `error: the state file ${file} can be written by others. ${remedy}\n`,
    );
    renameSync(file, `${file}.real`);
    symlinkSync(`${file}.real`, file);
    for (const line of ['who kim', 'serve --port 0']) {
      const said = await expectFault(line, env, 'usage', 2);
      expect(said).toBe(`error: the state file ${file} is a symbolic link. ${remedy}\n`);
    }
  });

  test.skipIf(!existsSync('/proc/self'))(
    'lies where the kernel takes no folder: one line, exit 2, and no waiting',
    async () => {
      const nowhere = { WSSESS_STATE_FILE: '/proc/wssess/state/embedded.json' };
      expect(await expectFault('serve --port 0', nowhere, 'usage', 2)).toContain('cannot be written: ENOENT');
      await expectFault('who kim', nowhere, 'no_store', 5);
    },
  );

  test.each(['plain/embedded.json', 'plain/wssess/embedded.json', 'folder'])(
    'cannot be written (%s): one line, exit 2, nothing is left',
    async (place) => {
      writeFileSync(join(dirname(file), 'plain'), 'mine');
      mkdirSync(join(dirname(file), 'folder'));
      const path = join(dirname(file), place);
      const said = await expectFault('serve --port 0', { WSSESS_STATE_FILE: path }, 'usage', 2);
      expect(said).toMatch(/the state file \S+ cannot be written: E\w+\. Name another with --state-file\./);
      expect(readFileSync(join(dirname(file), 'plain'), 'utf8')).toBe('mine');
    },
  );
});
