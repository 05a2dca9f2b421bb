/**
 * A node that was stopped, and whose name another process took: its sockets, which nobody lists, are closed, and it ends for
 * its supervisor to see. Two that are started under one name: the second doesn't start.
 */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { type Talk, talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

describeWithRedis('a node whose name another process takes', () => {
  let redis: TestRedis;
  let serves: Serve[] = [];

  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    dropClients();
    for (const { process } of serves) process.kill('SIGCONT');
    await Promise.all(serves.map((serve) => serve.stop('SIGKILL')));
    serves = [];
    await redis?.stop();
  });

  const serve = async (...args: string[]) => {
    const one = await startServe(redis.url, ['--node', 'chat-0', '--heart-beat', '0,0', ...args]);
    serves.push(one);
    return one;
  };
  const ended = ({ process }: Serve) =>
    until(() => process.exitCode !== null || process.signalCode !== null, 30_000, 'the process to end');
  const ids = (clients: Talk[]) => clients.map(({ session }) => session).sort();
  const listed = async (at: Serve) => ((await at.rest('/api/session/all')).body.sessions as string[]).sort();

  it('closes its sockets with advice when it goes on, and ends with an error; the other is unharmed', {
    timeout: 180_000,
  }, async () => {
    const old = await serve();
    const many = await Promise.all(Array.from({ length: 300 }, (_, i) => talk(old.ws, `u${i % 7}`)));
    const [purged, ...others] = many as [Talk, ...Talk[]];
    old.process.kill('SIGSTOP');
    const next = await serve(); // waits for the lease of the old one to end
    const kicked = await wssess(['kick', purged.session, '--purge', '--reason', '점검', '-o', 'json'], {
      env: { WSSESS_REDIS_URL: redis.url },
    });
    expect(kicked.code, kicked.stderr).toBe(0);
    const there = await Promise.all(Array.from({ length: 20 }, (_, i) => talk(next.ws, `u${i % 7}`)));
    await until(async () => (await listed(next)).join() === ids(there).join(), 30_000, 'the old ones to be reaped');

    old.process.kill('SIGCONT');
    for (const client of others) {
      const { code, reason } = await within(client.closed, 30_000, 'a close');
      expect([code, reason]).toEqual([1001, 'another server has taken the place of this one']);
      const error = client.frames('ERROR')[0]!;
      expect([error.header('cause'), error.body.toString()]).toEqual(['shutdown', 'Connect again.']);
    }
    expect(await within(purged.closed)).toEqual({ code: 4001, reason: '점검' });
    await ended(old);
    expect(old.process.exitCode).toBe(1);
    const told = old.stderr().trimEnd().split('\n').at(-1);
    expect(told).toBe(
      'error: node chat-0 is another process by now, which took the name while this one was stopped or cut off. ' +
        'If both are to run, give each a name of its own with --node.',
    );
    expect(await listed(next)).toEqual(ids(there));
    expect((await next.rest('/readyz')).status).toBe(200);
    for (const client of there) await client.sure('SEND', { destination: '/topic/a' }, 'x');
    expect(await next.stop()).toBe(0);
    await nothingLeft(redis);
  });

  it('goes on when the other has died meanwhile: its sessions are there again', { timeout: 180_000 }, async () => {
    const old = await serve();
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => talk(old.ws, `u${i}`)));
    old.process.kill('SIGSTOP');
    const next = await serve();
    await until(async () => (await listed(next)).length === 0, 30_000, 'the old ones to be reaped');
    await next.stop('SIGKILL');
    old.process.kill('SIGCONT');
    await until(
      async () => (await listed(old)).join() === ids(clients).join() && (await old.rest('/readyz')).status === 200,
      30_000,
      'the old ones to be back',
    );
    for (const client of clients) await client.sure('SEND', { destination: '/topic/a' }, 'x');
    expect(await old.stop()).toBe(0);
    await nothingLeft(redis);
  });

  it('is not closed for a Redis that was emptied while it was stopped', { timeout: 120_000 }, async () => {
    const one = await serve();
    const clients = await Promise.all(Array.from({ length: 50 }, (_, i) => talk(one.ws, `u${i % 7}`)));
    one.process.kill('SIGSTOP');
    await redis.client.flushall();
    one.process.kill('SIGCONT');
    await until(async () => (await listed(one)).join() === ids(clients).join(), 25_000, 'all of them to be back');
    for (const client of clients) await client.sure('SEND', { destination: '/topic/a' }, 'x');
    const { code, stdout } = await wssess(['doctor'], { env: { WSSESS_REDIS_URL: redis.url } });
    expect([code, stdout], stdout).toEqual([0, expect.any(String)]);
    expect(await one.stop()).toBe(0);
    await nothingLeft(redis);
  });

  it('while it lives: the other does not start', { timeout: 60_000 }, async () => {
    const first = await serve();
    const client = await talk(first.ws, 'kim');
    const second = await wssess(['serve', '--port', '0', '--node', 'chat-0'], { env: { WSSESS_REDIS_URL: redis.url } });
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr.trimEnd().split('\n').at(-1)).toBe(
      'error: node chat-0 is another process, which is alive. Give this one another name with --node.',
    );
    await client.sure('SEND', { destination: '/topic/a' }, 'x');
    expect(await listed(first)).toEqual([client.session]);
  });
});
