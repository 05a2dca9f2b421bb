/** `wssess drain`: a node is emptied at a pace, stays up, and can be taken back; nodes are restarted one after the other. */
import { Client } from '@stomp/stompjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { killBackground, start } from '../helpers/background.ts';
import { dropClients } from '../helpers/clients.ts';
import { heldBy } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, freePort, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, type Talk, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

describeWithRedis('drain', () => {
  let redis: TestRedis;
  let serves: Serve[] = [];

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    killBackground();
    dropClients();
    for (const { process } of serves) process.kill('SIGCONT');
    await Promise.all(serves.map((one) => one.stop('SIGKILL')));
    serves = [];
    await redis?.stop();
  });

  const serve = async (node: string, port = 0) => {
    const one = await startServe(redis.url, ['--node', node, '--port', String(port)]);
    serves.push(one);
    return one;
  };
  const env = () => ({ WSSESS_REDIS_URL: redis.url });
  const cli = (...args: string[]) => wssess(args, { env: env(), patience: 60_000 });
  const crowd = (at: Serve, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => talk(at.ws, `cust${i}`, { userRole: 'CUSTOMER' })));
  const lease = async (node: string) => JSON.parse((await redis.client.get(`ws:x:node:${node}`))!.slice(16));
  const isDraining = async (node: string) => (await lease(node)).draining === true;
  const closedOf = (clients: Talk[]) => clients.filter(({ socket }) => socket.readyState === WebSocket.CLOSED).length;
  const alive = (client: Talk) => client.sure('SEND', { destination: '/topic/alive' });

  it('closes all at a pace, takes no connections, stays up, and is taken back', { timeout: 90_000 }, async () => {
    const [a, b] = [await serve('node-a'), await serve('node-b')];
    const clients = await crowd(a, 25);
    const other = await talk(b.ws, 'other');
    const silent = await open(a.ws); // hasn't sent CONNECT
    const closed: number[] = [];
    for (const client of clients) void client.closed.then(() => closed.push(performance.now()));
    const { code, stdout, stderr } = await cli('drain', 'node-a', '--rate', '10/s', '--reason', '점검', '--yes');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^node-a is drained: 25 sessions closed in \d+s\n$/);
    for (const client of clients) {
      expect(await within(client.closed)).toEqual({ code: 1001, reason: '점검' });
      const error = client.frames('ERROR').at(-1)!;
      expect([error.header('cause'), error.body.toString()]).toEqual(['shutdown', '점검']);
    }
    expect((await within(silent.closed)).code).toBe(1001);
    // 13 steps of two, each a fifth of a second after the one before; the first at once.
    expect(closed.at(-1)! - closed[0]!).toBeGreaterThan(2000);

    await expect(open(a.ws)).rejects.toThrow('503');
    const ready = await a.rest('/readyz');
    expect([ready.status, ready.body.error.code, ready.body.error.message]).toEqual([503, 'not_ready', 'draining']);
    expect((await a.rest('/healthz')).status).toBe(200);
    expect((await a.rest('/api/session/stats')).body.totalActiveSessions).toBe(1);
    expect((await cli('nodes')).stdout).toMatch(/^node-a\tdraining\t0\t/m);
    const { nodes } = JSON.parse((await cli('nodes', '-o', 'json')).stdout);
    expect(nodes.map((node: any) => [node.node, node.alive, node.draining])).toEqual([
      ['node-a', true, true],
      ['node-b', true, false],
    ]);
    await alive(other);

    const again = await cli('drain', 'node-a', '--yes', '-o', 'json'); // it is empty already
    expect([again.code, JSON.parse(again.stdout)]).toEqual([
      0,
      { node: 'node-a', state: 'drained', closed: 0, sessions: 0 },
    ]);
    const undone = await cli('drain', 'node-a', '--undo', '-o', 'json');
    expect([undone.code, JSON.parse(undone.stdout)]).toEqual([
      0,
      { node: 'node-a', state: 'open', closed: 0, sessions: 0 },
    ]);
    expect((await a.rest('/readyz')).status).toBe(200);
    await alive(await talk(a.ws, 'back'));
    expect((await cli('nodes')).stdout).toMatch(/^node-a\talive\t/m);
    expect(await a.stop()).toBe(0);
  });

  it('Ctrl-C ends the waiting alone; the same again gives the rest another pace', { timeout: 60_000 }, async () => {
    const [a] = [await serve('node-a'), await serve('node-b')];
    const clients = await crowd(a, 12);
    const late = await open(a.ws);
    const waiting = start(['drain', 'node-a', '--rate', '1/s', '--yes'], env());
    await until(() => closedOf(clients) > 0, 20_000, 'the first to be closed');
    waiting.process.kill('SIGINT');
    const { code, stdout, stderr } = await waiting.ended();
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/^error: node node-a goes on draining, \d+ sessions left\. Wait on: .*--undo\n$/);
    const before = closedOf(clients);
    await until(() => closedOf(clients) > before, 20_000, 'the next to be closed');
    expect(closedOf(clients)).toBeLessThan(12);
    late.say('CONNECT', { 'accept-version': '1.2', userId: 'late' });
    expect((await within(late.closed)).code).toBe(1001);
    expect(late.frames().map(({ command, header }) => [command, header('cause')])).toEqual([['ERROR', 'shutdown']]);
    expect((await cli('drain', 'node-a', '--rate', '1000/s', '--yes')).code).toBe(0);
    expect(await heldBy(redis, 'node-a')).toBe(0);
    await until(() => closedOf(clients) === 12, 10_000, 'all to be closed');
  });

  it('--timeout: exit 3, it goes on; undone meanwhile: exit 3, who is there stays', { timeout: 60_000 }, async () => {
    const [a] = [await serve('node-a'), await serve('node-b')];
    const clients = await crowd(a, 30);
    const late = await cli('drain', 'node-a', '--rate', '1/s', '--yes', '--timeout', '1s', '-o', 'json');
    expect([late.code, late.stdout, JSON.parse(late.stderr).error.code]).toEqual([3, '', 'drain_unfinished']);
    expect(await isDraining('node-a')).toBe(true);
    const waiting = start(['drain', 'node-a', '--rate', '1/s', '--yes'], env());
    await until(() => closedOf(clients) > 2, 20_000, 'some to be closed');
    expect((await cli('drain', 'node-a', '--undo')).stdout).toBe('node-a takes connections again\n');
    const { code, stderr } = await waiting.ended();
    expect([code, stderr]).toEqual([3, expect.stringContaining('takes connections again: another undid it')]);
    const stay = clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN);
    expect(stay.length).toBeGreaterThan(10);
    await alive(await talk(a.ws, 'new'));
    for (const client of stay) await alive(client);
  });

  it('says now and then how far it is', { timeout: 60_000 }, async () => {
    const [a] = [await serve('node-a'), await serve('node-b')];
    await crowd(a, 7);
    const { code, stderr } = await cli('drain', 'node-a', '--rate', '1/s', '--yes');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^node-a: \d sessions? left\n$/)]);
  });

  it('SIGTERM during a drain closes the rest at once and ends with 0; the wait ends with 0', {
    timeout: 60_000,
  }, async () => {
    const [a] = [await serve('node-a'), await serve('node-b')];
    const clients = await crowd(a, 20);
    const waiting = start(['drain', 'node-a', '--rate', '1/s', '--yes', '-o', 'json'], env());
    await until(() => closedOf(clients) > 0, 20_000, 'the first to be closed');
    expect(await a.stop()).toBe(0);
    const { code, stdout } = await waiting.ended();
    expect([code, JSON.parse(stdout)]).toEqual([0, { node: 'node-a', state: 'ended', closed: 20, sessions: 0 }]);
    for (const client of clients) expect((await within(client.closed)).code).toBe(1001);
    expect((await redis.keys()).filter((key) => /session|user:cust|own/.test(key))).toEqual([]);
  });

  it('a second SIGTERM ends it at once', { timeout: 60_000 }, async () => {
    const a = await serve('node-a');
    const clients = await crowd(a, 20);
    void start(['drain', 'node-a', '--rate', '1/s', '--yes'], env());
    await until(() => closedOf(clients) > 0, 20_000, 'the first to be closed');
    redis.pause(); // so that it can't end well
    a.process.kill('SIGTERM');
    await until(() => a.stderr().includes('SIGTERM'), 10_000, 'the first to be taken');
    expect(await a.stop()).toBe(143);
    redis.resume();
  });

  it('a node that dies during a drain: one line, exit 5', { timeout: 90_000 }, async () => {
    const a = await serve('node-a');
    const clients = await crowd(a, 20);
    const waiting = start(['drain', 'node-a', '--rate', '1/s', '--yes'], env());
    await until(() => closedOf(clients) > 2, 20_000, 'some to be closed, and the request to be answered');
    await a.stop('SIGKILL');
    const { code, stderr } = await waiting.ended(); // when its lease has ended
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '));
    expect([code, errors]).toEqual([5, [expect.stringMatching(/^error: node node-a died with 1\d sessions left\./)]]);
  });

  describe('refuses in one line', () => {
    it('an unknown node, a dead one, one that does not answer, and no yes', { timeout: 120_000 }, async () => {
      const [a, dead] = [await serve('node-a'), await serve('node-b')];
      const clients = await crowd(a, 2);
      const unknown = await cli('drain', 'nobody');
      expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/^error: no node nobody .*\n$/)]);
      const unasked = await cli('drain', 'node-a');
      expect([unasked.code, unasked.stderr]).toEqual([
        2,
        'error: 2 sessions of node-a would be closed. Repeat with --yes.\n',
      ]);
      const long = await cli('drain', 'node-a', '--reason', 'x'.repeat(1025), '--yes');
      expect(long.code).toBe(2);

      await dead.stop('SIGKILL');
      await redis.client.del('ws:x:node:node-b');
      const gone = await cli('drain', 'node-b', '--yes');
      expect([gone.code, gone.stderr]).toEqual([5, expect.stringMatching(/^error: node node-b is dead.*\n$/)]);
      expect(await isDraining('node-a')).toBe(false);

      a.process.kill('SIGSTOP');
      await redis.client.persist('ws:x:node:node-a');
      const mute = await cli('drain', 'node-a', '--yes');
      a.process.kill('SIGCONT');
      const lines = mute.stderr.split('\n').filter(Boolean);
      expect([mute.code, lines.length]).toEqual([5, 2]);
      expect(lines[0]).toMatch(/^warning: no other node takes connections/);
      expect(lines[1]).toContain('did not answer, and will not act on it any more');
      // What woke the node for that request comes before what wakes it for this one.
      expect((await cli('kick', clients[0]!.session)).code).toBe(0);
      expect(await isDraining('node-a')).toBe(false);
      await alive(clients[1]!);
    });
  });

  it('rolling restart: three nodes, one after the other; everybody is back, and nothing is left behind', {
    timeout: 240_000,
  }, async () => {
    const names = ['node-a', 'node-b', 'node-c'];
    const ports = [await freePort(), await freePort(), await freePort()];
    for (const [i, name] of names.entries()) await serve(name, ports[i]);
    const old = await Promise.all(
      names.map(async (name) => (await redis.client.get(`ws:x:node:${name}`))!.slice(0, 16)),
    );
    let turn = 0;
    const clients = Array.from({ length: 60 }, (_, i) => {
      const client = new Client({
        webSocketFactory: () => new WebSocket(`ws://127.0.0.1:${ports[turn++ % 3]}/ws`, ['v12.stomp']),
        connectHeaders: { userId: `cust${i % 20}`, userRole: 'CUSTOMER' },
        reconnectDelay: 200,
        heartbeatIncoming: 0,
        heartbeatOutgoing: 0,
      });
      client.activate();
      return client;
    });
    const online = async () => (await redis.client.scard('ws:sessions:all')) === 60;
    try {
      await until(async () => clients.every(({ connected }) => connected) && (await online()), 30_000, 'all clients');
      for (const [i, name] of names.entries()) {
        const drained = await cli('drain', name, '--rate', '20/s', '--yes', '--timeout', '60s');
        expect([name, drained.code, drained.stderr]).toEqual([name, 0, '']);
        expect(await heldBy(redis, name)).toBe(0);
        const before = serves.find(({ node, process }) => node === name && process.exitCode === null)!;
        expect(await before.stop()).toBe(0);
        await serve(name, ports[i]);
        await until(
          async () => clients.every(({ connected }) => connected) && (await online()),
          30_000,
          `all, ${name}`,
        );
      }
    } finally {
      for (const client of clients) client.reconnectDelay = 0;
    }
    const keys = await redis.keys();
    expect(keys.filter((key) => old.some((incarnation) => key.includes(incarnation)))).toEqual([]);
    expect(keys.filter((key) => /^ws:session:[^:]+$/.test(key))).toHaveLength(60);
    expect(keys.filter((key) => key.startsWith('ws:user:'))).toHaveLength(20);
    for (const key of keys.filter((one) => one.startsWith('ws:x:details:')))
      expect(old).not.toContain(JSON.parse((await redis.client.get(key))!)[1]);
    const doctor = await cli('doctor', '-o', 'json');
    const { faults, complete, checked } = JSON.parse(doctor.stdout);
    expect([doctor.code, faults, complete, checked.sessions]).toEqual([0, [], true, 60]);
    expect(JSON.parse((await cli('ls', '-o', 'json')).stdout)).toMatchObject({ total: 60, nodes_missing: [] });
    await Promise.all(clients.map((client) => client.deactivate()));
  });
});
