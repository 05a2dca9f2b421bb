/** The program as its user runs it, against `serve` with real clients and a Redis that others write to as well. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { killBackground, start } from '../helpers/background.ts';
import { connect7, connectBare, dropClients, frame } from '../helpers/clients.ts';
import { addForeign, clearFamilies } from '../helpers/foreign.ts';
import { type Ran, type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until } from '../helpers/wait.ts';

/** The published names, in their order. */
const ROW = `session_id user role node ip port connected_at idle ttl user_agent version subscriptions rooms recv_cnt
  send_cnt recv_oct send_oct cause`.split(/\s+/);
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describeWithRedis('the CLI', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'chat-1', '--ttl', '1h']);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });
  afterEach(async () => {
    killBackground();
    dropClients();
    await until(
      async () => (await redis.client.keys('ws:x:details:*')).length === 0,
      10_000,
      'own sessions to be gone',
    );
    await clearFamilies(redis.client);
  });

  const env = () => ({ WSSESS_REDIS_URL: redis.url });
  const cli = (line: string | string[], input?: string): Promise<Ran> =>
    wssess(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, {
      env: env(),
      ...(input !== undefined && { input }),
    });
  /** Runs it, expects this exit code and nothing on standard error, and reads its JSON. */
  const json = async (line: string | string[], code = 0): Promise<any> => {
    const ran = await cli(line);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: '' });
    return JSON.parse(ran.stdout);
  };
  const connect = (user: string, role?: string) =>
    connect7(serve.ws, { userId: user, ...(role && { userRole: role }) });
  const isAlive = async (id: string) => (await redis.client.exists(`ws:session:${id}`)) === 1;

  describe('who', () => {
    test('an online user: a line a session, a sentence on standard error, exit 0', async () => {
      const [first, second] = [await connect('kim', 'AGENT'), await connect('kim', 'AGENT')];
      const { code, stdout, stderr } = await cli('who kim');
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'kim is online: 2 sessions on 1 node\n' });
      const [header, ...rows] = stdout.trimEnd().split('\n');
      const names = header!.split('\t');
      expect([...names.slice(0, 3), names.at(-1)]).toEqual(['SESSION', 'ROLE', 'NODE', 'USER']);
      expect(rows.map((row) => row.split('\t').slice(0, 3))).toEqual([
        [first.session, 'AGENT', 'chat-1'],
        [second.session, 'AGENT', 'chat-1'],
      ]);
    });

    test('an offline user: a sentence and exit 1; once all sessions left, too', async () => {
      const { code, stdout, stderr } = await cli('who kim');
      expect({ code, stderr }).toEqual({ code: 1, stderr: 'kim is offline\n' });
      expect(stdout).toMatch(/^SESSION\t[^\n]*\tUSER\n$/);
      const client = await connect('kim');
      await client.disconnect();
      await until(async () => !(await isAlive(client.session)));
      expect((await cli('who kim')).code).toBe(1);
    });

    test('several users: exit 0 if all are online, with --any if one is', async () => {
      await connect('kim');
      await connect('lee');
      const codes: Record<string, number | null> = {};
      for (const line of ['kim lee', 'kim park', 'park choi', '--any kim park', '--any park choi']) {
        codes[line] = (await cli(`who ${line}`)).code;
      }
      expect(codes).toEqual({ 'kim lee': 0, 'kim park': 1, 'park choi': 1, '--any kim park': 0, '--any park choi': 1 });
      expect((await cli('who kim park')).stderr).toBe('kim is online: 1 session on 1 node\npark is offline\n');
    });

    test('in a pipe it is one table, whoever is asked for; with --no-headers rows alone, as stats has them', async () => {
      const [kim, lee] = [await connect('kim'), await connect('lee')];
      const ids = `${kim.session}\n${lee.session}\n`;
      const first = (text: string) => text.replace(/\t.*/g, '');
      const table = (await cli('who kim park lee')).stdout;
      expect(first(table)).toBe(`SESSION\n${ids}`);
      expect(
        table
          .trimEnd()
          .split('\n')
          .map((line) => line.split('\t').at(-1)),
      ).toEqual(['USER', 'kim', 'lee']);
      const bare = await cli('who --no-headers kim park lee');
      expect({ ...bare, stdout: first(bare.stdout) }).toEqual({ code: 1, stdout: ids, stderr: 'park is offline\n' });
      expect((await cli('who --no-headers kim')).stderr).toBe('');
      expect(await cli('stats --no-headers')).toEqual({
        code: 0,
        stdout: 'node\tchat-1\t2\nrole\t(none)\t2\n',
        stderr: '',
      });
    });

    test('-q prints nothing, and tells by the exit code', async () => {
      await connect('kim');
      expect(await cli('who -q kim')).toEqual({ code: 0, stdout: '', stderr: '' });
      expect(await cli('who -q kim park')).toEqual({ code: 1, stdout: '', stderr: '' });
    });

    test('-o json is one object for one user, a list for several; jsonl a line a user; name the ids', async () => {
      const { session } = await connect('kim', 'AGENT');
      const one = await json('who kim -o json');
      expect(Object.keys(one)).toEqual(['user', 'online', 'session_count', 'sessions']);
      expect(one).toMatchObject({ user: 'kim', online: true, session_count: 1 });
      expect(Object.keys(one.sessions[0])).toEqual(ROW);
      const absent = { user: 'park', online: false, session_count: 0, sessions: [] };
      expect(await json('who park -o json', 1)).toEqual(absent);
      expect(await json('who park kim -o json', 1)).toEqual([
        absent,
        { ...one, sessions: [expect.objectContaining({ session_id: session })] },
      ]);
      const lines = (await cli('who park kim -o jsonl')).stdout.trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line).user)).toEqual(['park', 'kim']);
      expect(await cli('who kim park -o name')).toEqual({ code: 1, stdout: `${session}\n`, stderr: '' });
    });

    test('a foreign session makes its user online, and one whose key is gone does not', async () => {
      await addForeign(redis.client, 'spring-1', 'kim', 'CUSTOMER');
      expect((await cli('who kim')).stderr).toBe('kim is online: 1 session, foreign\n');
      await connect('kim');
      expect((await cli('who kim')).stderr).toBe('kim is online: 2 sessions on 1 node, 1 of them foreign\n');
      dropClients();
      await redis.client.del('ws:session:spring-1');
      await until(async () => (await cli('who -q kim')).code === 1);
    });
  });

  describe('ls', () => {
    test('-o json has exactly the published keys', async () => {
      const { session } = await connect('kim', 'AGENT');
      const found = await json('ls -o json');
      expect(Object.keys(found)).toEqual(['complete', 'exact', 'total', 'skipped', 'nodes_missing', 'sessions']);
      expect(found).toMatchObject({ complete: true, exact: true, total: 1, skipped: 0, nodes_missing: [] });
      const [row] = found.sessions;
      expect(Object.keys(row)).toEqual(ROW);
      expect(row).toEqual({
        session_id: session,
        user: 'kim',
        role: 'AGENT',
        node: 'chat-1',
        ip: '127.0.0.1',
        port: expect.any(Number),
        connected_at: expect.stringMatching(RFC3339),
        idle: expect.any(Number),
        ttl: expect.any(Number),
        user_agent: null,
        version: '1.2',
        subscriptions: 0,
        rooms: [],
        recv_cnt: 1,
        send_cnt: 1,
        recv_oct: expect.any(Number),
        send_oct: expect.any(Number),
        cause: null,
      });
      expect(row.ttl).toBeGreaterThan(3500);
      expect(row.ttl).toBeLessThanOrEqual(3600);
    });

    test('a foreign session has the same keys, and null for what nobody knows', async () => {
      await addForeign(redis.client, 'spring-1', 'kim');
      const { sessions } = await json('ls -o json');
      expect(Object.keys(sessions[0])).toEqual(ROW);
      const { session_id, user, ttl, rooms, ...unknown } = sessions[0];
      expect({ session_id, user, rooms }).toEqual({ session_id: 'spring-1', user: 'kim', rooms: [] });
      expect(ttl).toBeGreaterThan(86_000);
      expect(new Set(Object.values(unknown))).toEqual(new Set([null]));
    });

    test('nobody there: no rows, exit 0', async () => {
      expect(await json('ls -o json')).toEqual({
        complete: true,
        exact: true,
        total: 0,
        skipped: 0,
        nodes_missing: [],
        sessions: [],
      });
      for (const format of ['jsonl', 'name']) {
        expect(await cli(`ls -o ${format}`)).toEqual({ code: 0, stdout: '', stderr: '' });
      }
    });

    describe('selections', () => {
      let ids: Record<string, string>;

      beforeEach(async () => {
        ids = {};
        for (const [name, user, role] of [
          ['a', 'kim', 'AGENT'],
          ['b', 'kim', 'BOT'],
          ['c', 'lee', 'BOT'],
        ] as const) {
          ids[name] = (await connect(user, role)).session;
        }
        await addForeign(redis.client, 'spring-1', 'lee', 'AGENT');
        await addForeign(redis.client, 'spring-2', 'park');
        ids.d = 'spring-1';
        ids.e = 'spring-2';
      });

      const named = (letters: string) => [...letters].map((letter) => ids[letter]!);
      const selected = async (line: string[], input?: string) => {
        const { code, stdout, stderr } = await cli(['ls', '-o', 'name', ...line], input);
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        const letters = Object.fromEntries(Object.entries(ids).map(([letter, id]) => [id, letter]));
        return stdout
          .split('\n')
          .slice(0, -1)
          .map((id) => letters[id])
          .sort()
          .join('');
      };

      test('by user, role, node, --except, ids and standard input; within a field or, between fields and', async () => {
        const [a, b, c] = named('abc');
        const found: Record<string, string> = {};
        for (const line of [
          '',
          '--user kim',
          '--user kim --user park',
          '--user nobody',
          '--role BOT',
          '--role BOT --role AGENT',
          '--node chat-1',
          '--node chat-2',
          '--user kim --role BOT',
          '--role AGENT --node chat-1',
          '--user lee --except spring-1',
          '--except spring-1 --except spring-2',
          '--node (foreign)',
          '--node (foreign) --node chat-1 --user lee',
          '--role (none)',
        ]) {
          found[line] = await selected(line.split(' ').filter(Boolean));
        }
        expect(found).toEqual({
          '': 'abcde',
          '--user kim': 'ab',
          '--user kim --user park': 'abe',
          '--user nobody': '',
          '--role BOT': 'bc',
          '--role BOT --role AGENT': 'abcd',
          '--node chat-1': 'abc',
          '--node chat-2': '',
          '--user kim --role BOT': 'b',
          '--role AGENT --node chat-1': 'a',
          '--user lee --except spring-1': 'c',
          '--except spring-1 --except spring-2': 'abc',
          '--node (foreign)': 'de',
          '--node (foreign) --node chat-1 --user lee': 'cd',
          '--role (none)': 'e',
        });
        expect(await selected([a!, 'spring-2'])).toBe('ae');
        expect(await selected([a!, b!, '--role', 'BOT'])).toBe('b');
        expect(await selected(['-'], `${a}\n\n${c}\r\n${a}\n`)).toBe('ac');
        expect(await selected([b!, '-'], `${a}`)).toBe('ab');
      });

      test('an id that is not alive is named on standard error, exit 1; the others are listed', async () => {
        const a = await connect('kim');
        const { code, stdout, stderr } = await cli(`ls ${a.session} nobody-there -o name`);
        expect({ code, stdout, stderr }).toEqual({
          code: 1,
          stdout: `${a.session}\n`,
          stderr: 'not found: nobody-there\n',
        });
      });

      test('--limit bounds the rows, and total, complete and a line on standard error say so', async () => {
        const found = await json('ls -o json --limit 2');
        expect(found).toMatchObject({ total: 5, complete: false });
        expect(found.sessions.map((row: any) => row.session_id)).toEqual(named('cb'));
        expect(await json('ls -o json --limit 5')).toMatchObject({ total: 5, complete: true });
        const { stdout, stderr } = await cli('ls --limit 2');
        expect(stdout.trimEnd().split('\n')).toHaveLength(3);
        expect(stderr).toBe('2 of 5 sessions shown; --limit shows more\n');
        for (const format of ['jsonl', 'name']) {
          expect((await cli(`ls -o ${format} --limit 2`)).stdout.trimEnd().split('\n')).toHaveLength(2);
        }
      });

      test('newest first, foreign ones last; --reverse oldest first, foreign ones last again', async () => {
        const order = async (flags: string) =>
          (await json(`ls -o json ${flags}`)).sessions.map((row: any) => row.session_id);
        expect(await order('')).toEqual(named('cbade'));
        expect(await order('--reverse')).toEqual(named('abcde'));
        expect(await order('--sort connected_at')).toEqual(named('abcde'));
      });

      test('the column that is sorted by is in the table, behind the others', async () => {
        const header = async (line: string) => (await cli(line)).stdout.split('\n')[0];
        const usual = 'SESSION\tUSER\tROLE\tNODE\tIP\tCONNECTED\tTTL';
        for (const [sort, name] of [
          ['idle', 'IDLE'],
          ['subscriptions', 'SUBS'],
          ['version', 'STOMP'],
          ['send_oct', 'SEND_OCT'],
        ]) {
          expect(await header(`ls --sort ${sort}`)).toBe(`${usual}\t${name}`);
        }
        for (const sort of ['ttl', 'user', 'connected_at']) expect(await header(`ls --sort ${sort}`)).toBe(usual);
        const wide = await header('ls -o wide');
        expect(await header('ls -o wide --sort idle')).toBe(wide);
        expect(await header('ls -o wide --sort recv_oct')).toBe(`${wide}\tRECV_OCT`);
      });

      test('--by user: who has how many, most first', async () => {
        expect(await json('ls --by user -o json')).toEqual({
          users: [
            { user: 'kim', session_count: 2 },
            { user: 'lee', session_count: 2 },
            { user: 'park', session_count: 1 },
          ],
        });
        expect(await json('ls --by user --role BOT -o json')).toEqual({
          users: [
            { user: 'kim', session_count: 1 },
            { user: 'lee', session_count: 1 },
          ],
        });
        expect((await cli('ls --by user')).stdout).toBe('USER\tSESSIONS\nkim\t2\nlee\t2\npark\t1\n');
        expect((await cli('ls --by user -o name')).stdout).toBe('kim\nlee\npark\n');
        expect((await cli('ls --by user -o jsonl --limit 1')).stdout).toBe('{"user":"kim","session_count":2}\n');
        expect(await cli('ls --by user --limit 2')).toEqual({
          code: 0,
          stdout: 'USER\tSESSIONS\nkim\t2\nlee\t2\n',
          stderr: '2 of 3 users shown; --limit shows more\n',
        });
        expect((await cli('ls --by user --limit 3')).stderr).toBe('');
      });

      test('jsonl is a row a line with the published keys, foreign ones too', async () => {
        const { stdout } = await cli('ls -o jsonl');
        const rows = stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line));
        expect(rows.map((row) => row.session_id).sort()).toEqual(named('abcde').sort());
        for (const row of rows) expect(Object.keys(row)).toEqual(ROW);
        expect(rows.find((row) => row.session_id === ids.a).idle).toEqual(expect.any(Number));
      });

      test('in a pipe a table is tab-separated and without colour; --no-headers leaves the first line out; wide has more', async () => {
        const [table, bare, wide] = await Promise.all(['ls', 'ls --no-headers', 'ls -o wide'].map((line) => cli(line)));
        const cells = table!.stdout
          .trimEnd()
          .split('\n')
          .map((line) => line.split('\t'));
        expect(cells[0]).toEqual(['SESSION', 'USER', 'ROLE', 'NODE', 'IP', 'CONNECTED', 'TTL']);
        expect(new Set(cells.map((line) => line.length))).toEqual(new Set([7]));
        expect(table!.stdout).not.toContain('\u001b');
        expect(
          bare!.stdout
            .trimEnd()
            .split('\n')
            .map((line) => line.split('\t')[0]),
        ).toEqual(cells.slice(1).map(([id]) => id));
        const [header, first] = wide!.stdout.split('\n').map((line) => line.split('\t'));
        expect(header).toEqual([...cells[0]!, 'IDLE', 'SUBS', 'RECV', 'SENT', 'STOMP', 'PORT', 'AGENT']);
        expect(first?.slice(8, 12)).toEqual(['0', '1', '1', '1.2']);
      });
    });

    test.each([
      'session_id',
      'user',
      'role',
      'node',
      'ip',
      'connected_at',
      'idle',
      'ttl',
      'version',
      'subscriptions',
      'recv_cnt',
      'send_cnt',
      'recv_oct',
      'send_oct',
    ])('--sort %s sorts upwards, --reverse downwards, and what has no value comes last', async (name) => {
      const busy = await connect('kim', 'B');
      await connect('lee', 'A');
      busy.client.subscribe('/topic/a', () => {});
      const receipt = new Promise((resolve) => busy.client.watchForReceipt('r1', resolve));
      busy.client.publish({ destination: '/topic/b', body: 'x', headers: { receipt: 'r1' } });
      await receipt;
      await addForeign(redis.client, 'spring-1', 'ann', undefined, 60);

      const column = async (flags: string) =>
        (await json(`ls -o json --sort ${name} ${flags}`)).sessions.map((row: any) => row[name]) as unknown[];
      for (const [flags, sign] of [
        ['', 1],
        ['--reverse', -1],
      ] as const) {
        const values = await column(flags);
        const present = values.filter((value) => value !== null) as (string | number)[];
        expect(values).toHaveLength(3);
        expect(values.slice(present.length).every((value) => value === null)).toBe(true);
        expect(present).toEqual([...present].sort((a, b) => (a === b ? 0 : a < b ? -sign : sign)));
        if (!['node', 'ip', 'version', 'idle'].includes(name)) expect(new Set(present).size).toBeGreaterThan(1);
      }
    });
  });

  describe('show', () => {
    test('-o json is the row and client_data; the text has a line a fact', async () => {
      const client = await connect('kim', 'AGENT');
      client.client.subscribe('/topic/room/1', () => {});
      await until(async () => (await json(`show ${client.session} -o json`)).subscriptions === 1);
      const shown = await json(`show ${client.session} -o json`);
      expect(Object.keys(shown)).toEqual([...ROW, 'client_data']);
      expect(shown).toMatchObject({ session_id: client.session, user: 'kim', role: 'AGENT', client_data: null });
      const { stdout } = await cli(`describe ${client.session}`);
      expect(stdout).toMatch(new RegExp(`^Session: +${client.session}\nUser: +kim\nRole: +AGENT\nNode: +chat-1\n`));
      expect(stdout).toMatch(/^Subscriptions: +1\n +\/topic\/room\/1\n/m);
      expect(await cli(`show ${client.session} -o name`)).toMatchObject({ code: 0, stdout: `${client.session}\n` });
    });

    test('a foreign one says that nobody here knows more', async () => {
      await addForeign(redis.client, 'spring-1', 'kim');
      const { code, stdout } = await cli('show spring-1');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Node: +none: a foreign session/m);
      expect(Object.keys(await json('show spring-1 -o json'))).toEqual([...ROW, 'client_data']);
    });

    test('an unknown id: one line and exit 1, in JSON where asked', async () => {
      const { code, stdout, stderr } = await cli('show nobody');
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toBe('error: no live session has the id "nobody". List them with: wssess ls\n');
      const asked = await cli('show nobody -o json');
      expect(asked).toMatchObject({ code: 1, stdout: '' });
      expect(JSON.parse(asked.stderr).error.code).toBe('session_not_found');
    });
  });

  describe('kick', () => {
    test('one session: the client gets an ERROR with the reason, then close 4001; exit 0', async () => {
      const [client, other] = [await connect('kim'), await connect('kim')];
      const ran = await cli(['kick', client.session, '--reason', '비밀번호 changed', '-o', 'json']);
      expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
      const told = JSON.parse(ran.stdout);
      expect(Object.keys(told)).toEqual(['action_id', 'results']);
      expect(told.action_id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(told.results).toEqual([{ session_id: client.session, user: 'kim', node: 'chat-1', outcome: 'kicked' }]);
      expect(Object.keys(told.results[0])).toEqual(['session_id', 'user', 'node', 'outcome']);
      expect(await client.closed).toEqual({ code: 4001, reason: '비밀번호 changed' });
      expect(client.error?.body).toBe('비밀번호 changed');
      expect(client.error?.headers).toMatchObject({ cause: 'kicked', 'action-id': told.action_id });
      expect(await isAlive(client.session)).toBe(false);
      expect(other.client.connected).toBe(true);
      expect((await json('who kim -o json')).sessions.map((row: any) => row.session_id)).toEqual([other.session]);
    });

    test('an unknown id: not_found, exit 1', async () => {
      const { results } = await json('kick nobody -o json', 1);
      expect(results).toEqual([{ session_id: 'nobody', user: null, node: null, outcome: 'not_found' }]);
      expect((await cli('kick nobody')).stdout).toContain('not_found');
    });

    test('some: exit 3, and a result for each in the order that was asked', async () => {
      const { session } = await connect('kim');
      const { results } = await json(`kick nobody ${session} -o json`, 3);
      expect(results.map((one: any) => [one.session_id, one.outcome]).sort()).toEqual(
        [
          ['nobody', 'not_found'],
          [session, 'kicked'],
        ].sort(),
      );
    });

    test('more than one where nobody can be asked: exit 2, and nothing done', async () => {
      const clients = [await connect('kim'), await connect('kim')];
      const { code, stdout, stderr } = await cli('kick --user kim');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: 2 sessions would be kicked\. .*--yes.*\n$/);
      for (const { session, client } of clients) {
        expect(await isAlive(session)).toBe(true);
        expect(client.connected).toBe(true);
      }
    });

    test('--yes kicks them all, and no other; --except is spared', async () => {
      const [a, b, c, other] = [await connect('kim'), await connect('kim'), await connect('kim'), await connect('lee')];
      const { results } = await json(`kick --user kim --except ${c.session} --yes -o json`);
      expect(results.map((one: any) => one.session_id).sort()).toEqual([a.session, b.session].sort());
      expect(await Promise.all([a.closed, b.closed])).toMatchObject([{ code: 4001 }, { code: 4001 }]);
      expect([c.client.connected, other.client.connected]).toEqual([true, true]);
    });

    test('more than --max: exit 2 and nothing done, --yes or not; as many as --max: done', async () => {
      const clients = [await connect('kim'), await connect('kim')];
      const refused = await cli('kick --user kim --yes --max 1');
      expect(refused).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/^error: 2 sessions.*--max allows 1.*\n$/),
      });
      for (const { session } of clients) expect(await isAlive(session)).toBe(true);
      expect((await cli('kick --user kim --yes --max 2')).code).toBe(0);
    });

    test('--dry-run names whom it would be, and does nothing', async () => {
      const clients = [await connect('kim'), await connect('kim')];
      const ids = clients.map(({ session }) => session).sort();
      const names = await cli('kick --user kim --dry-run -o name');
      expect({ code: names.code, stderr: names.stderr }).toEqual({ code: 0, stderr: '' });
      expect(names.stdout.trimEnd().split('\n').sort()).toEqual(ids);
      expect(
        (await json('kick --user kim --dry-run -o json')).results.map((one: any) => one.session_id).sort(),
      ).toEqual(ids);
      expect((await cli('kick --user kim --dry-run')).stderr).toBe('2 sessions would be kicked\n');
      for (const { session, client } of clients) {
        expect(await isAlive(session)).toBe(true);
        expect(client.connected).toBe(true);
      }
    });

    test('what would happen is said of each kind: own, foreign, of a dead node', async () => {
      const said = async (line: string) => (await cli(line)).stderr;
      await addForeign(redis.client, 'spring-1', 'kim');
      expect(await said('kick spring-1 --dry-run')).toBe(
        'no session would be kicked, 1 is foreign and stays (another program has its socket); --purge removes the keys\n',
      );
      expect(await said('kick spring-1 --dry-run --purge')).toBe(
        'no session would be kicked, 1 is foreign: its keys would be removed, its socket may live on\n',
      );
      const own = await connect('kim');
      expect(await said('kick --user kim --dry-run')).toBe(
        '1 session would be kicked, 1 is foreign and stays (another program has its socket)\n',
      );
      expect(await said('kick --user kim')).toMatch(
        /^error: 1 session would be kicked, 1 is foreign and stays \(another program has its socket\)\. .*--yes/,
      );
      const details = JSON.parse((await redis.client.get(`ws:x:details:${own.session}`))!);
      const dead = JSON.stringify(details.with(0, 'dead-1').with(1, 'x'.repeat(16)));
      await redis.client.set('ws:x:details:spring-1', dead, 'EX', 60);
      const shown = await cli('kick spring-1 --dry-run');
      expect(shown.stderr).toBe(
        'no session would be kicked, 1 is of a dead node and stays; --purge removes the keys\n',
      );
      expect(shown.stdout).toContain('dead-1 (dead)');
      await redis.client.del('ws:x:details:spring-1');
      await addForeign(redis.client, 'spring-2', 'lee');
      // Nothing will happen to any: nobody is asked.
      const none = await cli('kick spring-1 spring-2');
      expect(none.code).toBe(1);
      expect(none.stdout.match(/no_owner/g)).toHaveLength(2);
      expect(await said('kick spring-1 spring-2 --purge')).toMatch(
        /^error: no session would be kicked, 2 are foreign: their keys would be removed, their sockets may live on\. /,
      );
      expect(await isAlive('spring-1')).toBe(true);
      expect(own.client.connected).toBe(true);
    });

    test('a selection that fits nobody: one line, and nothing for programs to trip over', async () => {
      for (const [line, code] of [
        ['kick --user nobody', 1],
        ['kick --user nobody --yes', 1],
        ['kick --user nobody --dry-run', 0],
        ['refresh --user nobody', 1],
      ] as const) {
        expect({ line, ...(await cli(line)) }).toEqual({ line, code, stdout: '', stderr: 'no session matches\n' });
        for (const format of ['json', 'jsonl', 'name']) {
          expect(await cli(`${line} -o ${format}`)).toMatchObject({ code, stderr: '' });
        }
      }
      const dry = await cli('kick nosuch --dry-run');
      expect(dry).toEqual({ code: 1, stdout: '', stderr: 'not found: nosuch\n' });
    });

    test('kick - reads ids from standard input, and what ls -o name prints can be piped into it', async () => {
      const clients = [await connect('kim', 'BOT'), await connect('lee', 'BOT')];
      const spared = await connect('lee');
      const { stdout } = await cli('ls --role BOT -o name');
      expect(await cli('kick - --yes', stdout)).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/^2 kicked · action \S+\n$/),
      });
      expect(await Promise.all(clients.map(({ closed }) => closed))).toMatchObject([{ code: 4001 }, { code: 4001 }]);
      expect(spared.client.connected).toBe(true);
    });

    test.each(['', '\n', ' \r\n\n'])('an empty list of ids (%j) is a usage error', async (input) => {
      const { session } = await connect('kim');
      const ran = await cli('kick - --yes', input);
      expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^error: .*\n$/) });
      expect(await isAlive(session)).toBe(true);
    });

    test('a selection that fits nobody: exit 1, said on standard error', async () => {
      expect(await cli('kick --user nobody --yes')).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/\S/),
      });
      expect((await json('kick --user nobody -o json', 1)).results).toEqual([]);
    });

    test('a foreign one: no_owner, exit 1 and nothing changed; --purge removes its keys alone, exit 0', async () => {
      await addForeign(redis.client, 'spring-1', 'kim', 'AGENT');
      await addForeign(redis.client, 'spring-2', 'kim', 'AGENT');
      const families = async () => (await redis.keys()).filter((key) => !key.startsWith('ws:x:'));
      const before = await families();
      const { results } = await json('kick spring-1 -o json', 1);
      expect(results).toEqual([{ session_id: 'spring-1', user: 'kim', node: null, outcome: 'no_owner' }]);
      expect(await families()).toEqual(before);
      expect(await redis.client.ttl('ws:session:spring-1')).toBeGreaterThan(86_000);
      expect((await cli('kick spring-1')).stdout).toContain('--purge');

      const purged = await cli('kick spring-1 --purge');
      expect(purged.code).toBe(0);
      expect(purged.stdout).toContain('its socket may live on');
      expect(await families()).toEqual(before.filter((key) => !key.startsWith('ws:session:spring-1')));
      expect(await redis.client.smembers('ws:user:kim')).toEqual(['spring-2']);
      expect(await redis.client.smembers('ws:sessions:all')).toEqual(['spring-2']);
    });

    test('--purge kicks a living node’s session like any other', async () => {
      const { session, closed } = await connect('kim');
      expect((await json(`kick ${session} --purge -o json`)).results[0].outcome).toBe('kicked');
      expect((await closed).code).toBe(4001);
    });

    test('a reason of 1,024 bytes reaches the client whole in ERROR, and cut at a character in the close', async () => {
      const client = await connect('kim');
      const reason = `${'한'.repeat(341)}x`;
      expect((await cli(['kick', client.session, '--reason', reason])).code).toBe(0);
      expect(await client.closed).toEqual({ code: 4001, reason: '한'.repeat(41) });
      expect(client.error?.body).toBe(reason);
    });

    test('in a pipe, standard output holds the table alone', async () => {
      const { session } = await connect('kim');
      const { stdout } = await cli(`kick ${session} nobody`);
      const lines = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
      expect(lines[0]).toEqual(['SESSION', 'OUTCOME', 'USER', 'NODE', 'NOTE']);
      expect(new Set(lines.map((cells) => cells.length))).toEqual(new Set([5]));
      expect(lines).toHaveLength(3);
    });
  });

  describe('refresh', () => {
    const ttlOf = (id: string) => redis.client.pttl(`ws:session:${id}`);

    test('gives an own session the TTL of its server again, role and user set with it', async () => {
      const { session } = await connect('kim', 'AGENT');
      for (const key of [`ws:session:${session}`, `ws:session:${session}:role`, 'ws:user:kim']) {
        await redis.client.pexpire(key, 60_000);
      }
      expect(await json(`refresh ${session} -o json`)).toEqual({
        results: [{ session_id: session, refreshed: true, ttl: 3600 }],
      });
      for (const key of [`ws:session:${session}`, `ws:session:${session}:role`, 'ws:user:kim']) {
        expect(await redis.client.pttl(key)).toBeGreaterThan(3_500_000);
      }
    });

    test('--ttl sets it, and WSSESS_TTL does', async () => {
      const { session } = await connect('kim');
      expect((await json(`refresh ${session} --ttl 7d -o json`)).results[0].ttl).toBe(604_800);
      expect(await ttlOf(session)).toBeGreaterThan(604_000_000);
      const { stdout } = await wssess(['refresh', session, '-o', 'jsonl'], { env: { ...env(), WSSESS_TTL: '2h' } });
      expect(JSON.parse(stdout)).toEqual({ session_id: session, refreshed: true, ttl: 7200 });
    });

    test('a foreign one gets 24h, one without an end gets one', async () => {
      await addForeign(redis.client, 'spring-1', 'kim', 'AGENT', 60);
      await redis.client.persist('ws:session:spring-1');
      expect((await json('refresh spring-1 -o json')).results).toEqual([
        { session_id: 'spring-1', refreshed: true, ttl: 86_400 },
      ]);
      expect(await ttlOf('spring-1')).toBeGreaterThan(86_000_000);
      expect(await redis.client.ttl('ws:session:spring-1:role')).toBeGreaterThan(86_000);
    });

    test('by selection, from standard input; 0 all, 3 some, 1 none', async () => {
      const [a, b] = [await connect('kim', 'BOT'), await connect('lee', 'BOT')];
      const bots = await json('refresh --role BOT --ttl 2h -o json');
      expect(bots.results.map((one: any) => one.session_id).sort()).toEqual([a.session, b.session].sort());
      const some = await json(`refresh ${a.session} nobody -o json`, 3);
      expect(some.results).toContainEqual({ session_id: 'nobody', refreshed: false, ttl: null });
      expect((await json('refresh nobody -o json', 1)).results).toEqual([
        { session_id: 'nobody', refreshed: false, ttl: null },
      ]);
      expect((await cli('refresh -', `${a.session}\n${b.session}\n`)).code).toBe(0);
      expect((await cli('refresh --user nobody')).code).toBe(1);
    });

    test('-o name prints those that were refreshed, and no other', async () => {
      const { session } = await connect('kim');
      expect(await cli(`refresh ${session} nobody -o name`)).toMatchObject({ code: 3, stdout: `${session}\n` });
    });
  });

  describe('stats', () => {
    test('-o json has exactly the published keys', async () => {
      await connect('kim', 'AGENT');
      await connect('kim');
      await addForeign(redis.client, 'spring-1', 'lee', 'AGENT');
      const found = await json('stats -o json');
      expect(Object.keys(found)).toEqual([
        'at',
        'exact',
        'sessions',
        'users',
        'nodes',
        'by_node',
        'by_role',
        'by_room',
      ]);
      expect(found).toEqual({
        at: expect.stringMatching(RFC3339),
        exact: true,
        sessions: 3,
        users: 2,
        nodes: 1,
        by_node: { 'chat-1': 2 },
        by_role: { AGENT: 2 },
        by_room: {},
      });
      const { stdout, stderr } = await cli('count');
      expect(stderr).toBe('sessions 3  users 2  nodes 1\n');
      expect(stdout).toMatch(/^BY\tNAME\tSESSIONS\n/);
      expect(stdout).toContain('node\t(foreign)\t1\n');
      expect(stdout).toContain('role\t(none)\t1\n');
    });

    test('--watch prints a line each time, with the change, and ends at SIGINT with exit 0', async () => {
      const watching = start(['stats', '--watch', '--interval', '100ms'], env());
      await watching.lines(2);
      await connect('kim');
      // Nodes tell what they count every 2 s: those of earlier tests may be among it.
      await until(() => /sessions 1 \(\+\d/.test(watching.stdout()), 10_000, 'the change');
      watching.process.kill('SIGINT');
      const { code, stdout, stderr } = await watching.ended();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const line of stdout.trimEnd().split('\n')) {
        expect(line).toMatch(
          /^\d\d:\d\d:\d\d {2}sessions \d+( \((\+\d+)? ?(−\d+)?\))? {2}users \d+ {2}nodes 1 {2}msgs\/s (?:-|[\d,]+) {2}redis \d+\.\d ms$/,
        );
      }
    });

    test('--watch counts foreign sessions and their users too', async () => {
      await connect('kim');
      await addForeign(redis.client, 'spring-1', 'lee');
      await addForeign(redis.client, 'spring-2', 'kim');
      const watching = start(['stats', '--watch', '--interval', '100ms'], env());
      const [line] = await watching.lines(1);
      watching.process.kill('SIGINT');
      expect((await watching.ended()).code).toBe(0);
      expect(line).toMatch(/^\S+ {2}sessions 3 {2}users 2 {2}nodes 1 {2}msgs\/s - {2}/);
    });

    test('--watch -o jsonl prints the published object a line', async () => {
      const watching = start(['stats', '--watch', '--interval', '100ms', '-o', 'jsonl'], env());
      const lines = await watching.lines(2);
      watching.process.kill('SIGTERM');
      expect((await watching.ended()).code).toBe(0);
      for (const line of lines) expect(Object.keys(JSON.parse(line))).toContain('by_room');
    });
  });

  describe('nodes', () => {
    test('names each server, where it listens and how many sessions it has', async () => {
      await connect('kim');
      const { nodes } = await json('nodes -o json');
      expect(nodes).toEqual([
        {
          node: 'chat-1',
          alive: true,
          seen_at: expect.stringMatching(RFC3339),
          incarnation: expect.stringMatching(/^[\w-]{16}$/),
          url: serve.url,
          host: expect.any(String),
          pid: serve.process.pid,
          version: expect.any(String),
          started_at: expect.stringMatching(RFC3339),
          sessions: expect.any(Number),
          draining: false,
          connects: expect.any(Number),
          disconnects: expect.any(Number),
          kicks: expect.any(Number),
          messages_in: expect.any(Number),
          messages_out: expect.any(Number),
          loop_delay_ms: expect.any(Number),
          cpu: expect.any(Number),
          rss: expect.any(Number),
        },
      ]);
      const { stdout } = await cli('nodes');
      expect(stdout).toMatch(/^NODE\tSTATE\tSESSIONS\tCPU\tLOOP\tRSS\tUP\tSEEN\tURL\nchat-1\talive\t/);
      expect(stdout).toMatch(/\t\d+%\t[\d.]+ ms\t[\d,]+ MB\t/);
      expect((await cli('nodes -o name')).stdout).toBe('chat-1\n');
    });
  });

  describe('ls --watch in a pipe', () => {
    test('prints frame after frame, without escape sequences, and ends at SIGINT with exit 0', async () => {
      await connect('kim');
      const watching = start(['ls', '--watch', '--interval', '100ms'], env());
      await until(() => watching.stdout().split('\n\n').length >= 3, 10_000, 'three frames');
      watching.process.kill('SIGINT');
      const { code, stdout, stderr } = await watching.ended();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toContain('\u001b');
      for (const frame of stdout.trimEnd().split('\n\n')) {
        expect(frame).toMatch(/^\d\d:\d\d:\d\d {2}1 session\nSESSION\t.*\n\S+\tkim\t/);
      }
    });

    test.each(['json', 'jsonl'])('-o %s prints an object a line, and the next one shows what came', async (format) => {
      const watching = start(['ls', '--watch', '--interval', '100ms', '-o', format], env());
      await watching.lines(1);
      await connect('kim');
      await until(() => watching.stdout().includes('"kim"'), 10_000, 'the new session');
      watching.process.kill('SIGINT');
      const { code, stdout } = await watching.ended();
      expect(code).toBe(0);
      const frames = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(Object.keys(frames[0])).toEqual(['complete', 'exact', 'total', 'skipped', 'nodes_missing', 'sessions']);
      expect([frames[0].total, frames.at(-1).total]).toEqual([0, 1]);
    });

    test('-o name is a usage error', async () => {
      expect((await cli('ls --watch -o name')).code).toBe(2);
    });
  });

  describe('what others wrote', () => {
    /** What moves a cursor, starts a sequence, breaks a line or turns text round. Tab and newline are the program's. */
    const RAW = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
    const HOSTILE: [id: string, user: string, role: string][] = [
      ['esc\u001b[2J', 'u\u001b]0;owned\u0007', 'r\u001b[31m'],
      ['nl\nFORGED-ID\tkim', 'nl\nFORGED-USER', 'nl\nFORGED-ROLE'],
      ['cr\rFORGED', 'cr\rFORGED', 'cr\rFORGED'],
      ['c1\u009b31m', 'c1\u009d0;x\u009c', 'c1\u0085'],
      ['bidi\u202egnp', 'bidi\u2066x', 'bidi\u200f'],
      ['tag\u{e0041}', 'zero\u200bwidth', '\ufeffbom'],
      ['__proto__', '__proto__', '__proto__'],
    ];

    beforeEach(async () => {
      for (const [id, user, role] of HOSTILE) await addForeign(redis.client, id, user, role);
      await addForeign(redis.client, 'x'.repeat(600), 'long');
      await addForeign(redis.client, 'a:b', 'colon');
      await redis.client.lpush('ws:session:wrong', 'x');
      await redis.client.sadd('ws:user:wrong', 'wrong');
      await redis.client.sadd('ws:sessions:all', 'wrong');
      await addForeign(redis.client, 'plain', 'kim', 'AGENT');
    });

    test('is never raw in any output of any command and format', async () => {
      const ids = HOSTILE.map(([id]) => id);
      const users = HOSTILE.map(([, user]) => user);
      const lines: string[][] = [];
      for (const format of ['table', 'wide', 'json', 'jsonl', 'name']) {
        lines.push(['ls', '-o', format], ['ls', '--by', 'user', '-o', format]);
        lines.push(['who', ...users, '-o', format], ['show', ids[0]!, '-o', format], ['show', ids[1]!, '-o', format]);
        lines.push(['kick', ...ids, '--dry-run', '-o', format], ['kick', ...ids, '--yes', '-o', format]);
        lines.push(['refresh', ...ids, '-o', format]);
      }
      for (const format of ['table', 'json', 'jsonl']) lines.push(['stats', '-o', format]);
      lines.push(['show', 'absent\u001b[2J'], ['show', 'absent\u009b2J', '-o', 'json'], ['who', 'absent\u001b[2J']);
      lines.push(
        ['kick', 'absent\u001b[2J'],
        ['kick', 'absent\nFORGED', 'plain', '--dry-run'],
        ['refresh', 'absent\u202e'],
      );
      // Two at a time: the machine is shared.
      for (let at = 0; at < lines.length; at += 2) {
        await Promise.all(
          lines.slice(at, at + 2).map(async (line) => {
            const { stdout, stderr, code } = await cli(line);
            expect(stdout + stderr, line.join(' ')).not.toMatch(RAW);
            expect(stdout + stderr, line.join(' ')).not.toMatch(/^FORGED/m);
            expect(stdout + stderr).not.toContain('internal');
            expect([0, 1]).toContain(code);
          }),
        );
      }
    });

    test('what cannot be shown is counted in skipped, and nowhere else', async () => {
      const found = await json('ls -o json');
      expect(found).toMatchObject({ total: HOSTILE.length + 1, skipped: 3, complete: true });
      expect(found.sessions.map((row: any) => row.session_id).sort()).toEqual(
        [...HOSTILE.map(([id]) => id), 'plain'].sort(),
      );
      expect(await json('stats -o json')).toMatchObject({ sessions: HOSTILE.length + 1, users: HOSTILE.length + 1 });
      expect((await json('who long -o json', 1)).online).toBe(false);
      expect((await json('who wrong -o json', 1)).online).toBe(false);
      const { stderr } = await cli('ls');
      expect(stderr).toMatch(/^3 entries skipped/);
      for (const id of ['a:b', 'x'.repeat(600), 'wrong']) expect((await cli(['show', id])).code).toBe(1);
    });

    test('JSON gives ids and users back exactly, and by them the session is found, shown, refreshed', async () => {
      const { sessions } = await json('ls -o json');
      for (const [id, user, role] of HOSTILE) {
        expect(sessions).toContainEqual(expect.objectContaining({ session_id: id, user, role }));
      }
      for (const [id, user] of HOSTILE.slice(0, 2)) {
        expect((await json(['who', user, '-o', 'json'])).sessions[0].session_id).toBe(id);
        expect((await json(['show', id, '-o', 'json'])).user).toBe(user);
        expect((await json(['refresh', id, '-o', 'json'])).results[0].refreshed).toBe(true);
      }
      expect((await json('stats -o json')).by_role).toHaveProperty(['__proto__'], 1);
    });

    test('a row is one line whatever is in it, and cells stay in their columns', async () => {
      const { stdout } = await cli('ls');
      const cells = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t').length);
      expect(cells).toEqual(Array.from({ length: HOSTILE.length + 2 }, () => 7));
    });

    test('own sessions with a hostile user, role, agent and destination are as harmless', async () => {
      const bare = await connectBare(serve.ws, ['v12.stomp'], { 'User-Agent': 'agent\u009b2J\u009d' });
      bare.send(
        frame('CONNECT', { 'accept-version': '1.2', userId: 'own\u001b[2J\u009b', userRole: 'r\u202e\u001b[0m' }),
      );
      await until(() => bare.received().startsWith('CONNECTED'));
      const id = /^session:(.*)$/m.exec(bare.received())![1]!;
      bare.send(frame('SUBSCRIBE', { id: 's', destination: '/topic/\u001b[2J\u202e', receipt: 'r' }));
      await until(() => bare.received().includes('RECEIPT'));
      for (const line of [
        ['ls'],
        ['ls', '-o', 'wide'],
        ['show', id],
        ['show', id, '-o', 'json'],
        ['who', 'own\u001b[2J\u009b'],
        ['stats'],
        ['kick', id],
      ]) {
        const { code, stdout, stderr } = await cli(line);
        expect({ line, code }).toEqual({ line, code: 0 });
        expect(stdout, line.join(' ')).toContain(
          line[0] === 'stats' ? 'r\\u{202e}\\x1b[0m' : 'own\\'.slice(0, line.includes('json') ? 3 : 4),
        );
        expect(stdout + stderr).not.toMatch(RAW);
      }
    });
  });

  test('Korean and emoji users and roles are found, shown and kicked by their names', async () => {
    const users = ['상담원 김', '고객🙂', '👩‍👩‍👧 family', '고객:1'];
    for (const user of users) await connect(user, '상담');
    for (const user of users) {
      expect((await cli(['who', user])).stderr).toBe(`${user} is online: 1 session on 1 node\n`);
    }
    const { stdout } = await cli('ls');
    for (const user of users) expect(stdout).toContain(`\t${user}\t상담\tchat-1\t`);
    expect((await json('ls --role 상담 -o json')).total).toBe(users.length);
    for (const user of users) expect((await cli(['kick', '--user', user])).code).toBe(0);
    expect((await json('ls -o json')).total).toBe(0);
  });
});
