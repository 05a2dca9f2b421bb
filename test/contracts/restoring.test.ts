/** What a node does when whoever sweeps asks it to write sessions again. */
import { expect, test, vi } from 'vitest';
import { dump, endOf, HOUR, makeDetails, nodeInfo, OTHER_INCARNATION, writeByHand } from '../helpers/floor.ts';
import { startNode } from '../helpers/node.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

contract('Restoring', (f) => {
  const TTL = 24 * HOUR;
  /** A node with one session, of kim. */
  const start = async (ttl = TTL) => {
    const node = await startNode(f, { ttl });
    const client = await node.connect('kim');
    const { id } = client.connection;
    const asked = async (...ids: string[]) =>
      Object.fromEntries(
        (await node.handlers.restore!({ sessions: ids })).map(({ session_id, outcome }) => [session_id, outcome]),
      );
    const families = [`ws:session:${id}`, `ws:session:${id}:role`, 'ws:user:kim', 'ws:sessions:all'];
    const beside = [`ws:x:details:${id}`, 'ws:x:newest', 'ws:x:users', `ws:x:own:${node.incarnation}`];
    return { ...node, client, id, asked, own: `ws:x:own:${node.incarnation}`, families, beside };
  };
  const isAbout = (actual: number, expected: number) => expect(Math.abs(actual - expected)).toBeLessThan(25_000);

  test('what it has no socket for is unknown, what is coming or going is kept: nothing is written', async () => {
    const { connect, asked } = await start();
    const [coming, going] = [(await connect('lee')).connection, (await connect('lee')).connection];
    await f.redis.client.del(`ws:session:${coming.id}`, `ws:session:${going.id}`);
    coming.state = 'connecting';
    going.state = 'closed';
    const leaveOut = ({ 'ws:x:node:n1': _, ...rest }: Awaited<ReturnType<typeof dump>>) => Object.keys(rest);
    const before = leaveOut(await dump(f.redis));
    expect(await asked('s1', coming.id, going.id)).toEqual({ s1: 'unknown', [coming.id]: 'kept', [going.id]: 'kept' });
    expect(leaveOut(await dump(f.redis))).toEqual(before);
  });

  test.each([
    ['the four families', (one: Awaited<ReturnType<typeof start>>) => one.families],
    ['what lies beside them', (one: Awaited<ReturnType<typeof start>>) => one.beside],
    ['all of it', (one: Awaited<ReturnType<typeof start>>) => [...one.families, ...one.beside]],
  ])('who lost %s has it again as it was', async (_, lost) => {
    const one = await start();
    const { sessions } = await f.directory.getAll([one.id]);
    const before = Object.keys(await dump(f.redis));
    await f.redis.client.del(...lost(one));
    expect(await one.asked(one.id)).toEqual({ [one.id]: 'restored' });
    expect(Object.keys(await dump(f.redis))).toEqual(before);
    const { sessions: after } = await f.directory.getAll([one.id]);
    expect(after).toMatchObject([{ ...sessions[0], ttl: expect.any(Number) }]);
    for (const key of [`ws:session:${one.id}`, 'ws:user:kim']) isAbout(await endOf(f.redis, key), Date.now() + TTL);
    for (const key of [`ws:x:details:${one.id}`, one.own]) isAbout(await endOf(f.redis, key), Date.now() + TTL + HOUR);
    isAbout(Number(await f.redis.client.zscore(one.own, one.id)), Date.now() + TTL);
  });

  test.each([
    ['as its index says, where a refresh raised it', String(Date.now() + 2 * TTL), 2 * TTL],
    ['as the last sign of its client gives, where the index says less', String(Date.now() + HOUR), TTL],
    ['the same where the index says nothing that is a time', 'inf', TTL],
    ['the same where somebody wrote half a millisecond', `${Date.now() + 2 * TTL}.5`, TTL],
  ])('a lost session key comes back with what it had left: %s', async (_, score, left) => {
    const { id, asked, own, families } = await start();
    await f.redis.client.del(...families);
    await f.redis.client.zadd(own, score, id);
    expect(await asked(id)).toEqual({ [id]: 'restored' });
    isAbout((await endOf(f.redis, `ws:session:${id}`)) - Date.now(), left);
    isAbout((await endOf(f.redis, 'ws:user:kim')) - Date.now(), left);
    expect((await f.directory.sessionsOf('kim')).sessions).toMatchObject([{ id }]);
  });

  test.each([
    ['longer', 2 * TTL, 2 * TTL],
    ['shorter than what the last sign of its client gives, and is raised to that', HOUR, TTL],
  ])('a session that lives keeps its user; so does its TTL, unless it is %s', async (_, found, left) => {
    const { id, asked, own } = await start();
    await f.redis.client.set(`ws:session:${id}`, 'lee', 'PX', found);
    await f.redis.client.zrem('ws:x:newest', id);
    await f.redis.client.zrem(own, id);
    expect(await asked(id)).toEqual({ [id]: 'restored' });
    expect(await f.redis.client.get(`ws:session:${id}`)).toBe('lee');
    isAbout((await endOf(f.redis, `ws:session:${id}`)) - Date.now(), left);
    expect(await f.redis.client.sismember('ws:user:lee', id)).toBe(1);
    expect(await f.redis.client.zscore('ws:x:newest', id)).not.toBeNull();
    expect(Number(await f.redis.client.zscore(own, id))).toBe(await endOf(f.redis, `ws:session:${id}`));
  });

  test('one past its end is not written again: its owner ends it', async () => {
    const { id, asked, client, own } = await start(400);
    await f.redis.client.del(`ws:session:${id}`);
    await f.redis.client.zrem(own, id);
    client.connection.onSign = () => {};
    await until(() => client.closed, 5000, 'its end');
    expect(client.closed?.code).toBe(4005);
    await until(async () => (await asked(id))[id] === 'unknown', 5000, 'it to be forgotten');
    expect((await f.redis.keys()).filter((key) => key.includes(id))).toEqual([]);
  });

  test('one whose id is another process’s by now is closed, and the other’s stays', async () => {
    const { id, asked, client } = await start();
    await f.nodes.hold(nodeInfo({ name: 'n2', incarnation: OTHER_INCARNATION }));
    await f.redis.client.del(`ws:session:${id}`, `ws:x:details:${id}`);
    const theirs = makeDetails({ node: 'n2', incarnation: OTHER_INCARNATION, user: 'lee' });
    await f.registry.register(id, theirs);
    expect(await asked(id)).toEqual({ [id]: 'kept' });
    expect(client.closed?.code).toBe(1013);
    await until(async () => (await asked(id))[id] === 'unknown', 5000, 'it to be forgotten');
    expect(await f.directory.get(id)).toMatchObject({ user: 'lee', details: theirs });
  });

  test('one that was reaped, and whose id another program has given to another user, is closed; that one’s stays', async () => {
    const { id, asked, client, own } = await start();
    await f.redis.client.del(`ws:session:${id}`, `ws:x:details:${id}`, own);
    await writeByHand(f.redis, id, 'lee');
    expect(await asked(id)).toEqual({ [id]: 'kept' });
    expect(client.closed).toEqual({ code: 1013, reason: 'the session id belongs to another by now' });
    expect(client.received).toMatch(/^ERROR\nmessage:the session id belongs to another by now\ncause:closed\n/);
    await until(async () => (await asked(id))[id] === 'unknown', 5000, 'it to be forgotten');
    expect(await f.directory.get(id)).toMatchObject({ user: 'lee', details: null });
    expect((await f.directory.sessionsOf('lee')).sessions).toHaveLength(1);
  });

  test('one that ends while it is written is gone', async () => {
    const { id, asked, client, sessions, own } = await start();
    await f.redis.client.del(`ws:session:${id}`, `ws:x:details:${id}`);
    const renew = sessions.registry.renew.bind(sessions.registry);
    let ended: Promise<void> | undefined;
    vi.spyOn(sessions.registry, 'renew').mockImplementationOnce(async (...args) => {
      ended = client.connection.end('client', { code: 1000, reason: '' });
      return renew(...args);
    });
    expect(await asked(id)).toEqual({ [id]: 'kept' });
    await ended;
    expect(await f.directory.get(id)).toBeUndefined();
    expect(await f.redis.client.exists('ws:sessions:all', 'ws:user:kim', `ws:x:details:${id}`, own)).toBe(0);
  });

  test('what Redis refuses is kept, and told', async () => {
    const { id, asked, faults } = await start();
    await f.redis.client.del(`ws:session:${id}`, 'ws:user:kim');
    await f.redis.client.rpush('ws:user:kim', 'a list');
    expect(await asked(id)).toEqual({ [id]: 'kept' });
    expect(faults).toMatchObject([{ code: 'key_type' }]);
  });
});
