/** A TTL that somebody made shorter than the client's lease: nobody who is connected is offline by it. */
import { expect, test } from 'vitest';
import { startNode } from '../helpers/node.ts';
import { until } from '../helpers/wait.ts';
import { contract } from './stores.ts';

const TTL = 60_000;

contract('A session whose TTL was made shorter', (f) => {
  const left = (id: string) => f.redis.client.pttl(`ws:session:${id}`);

  test('is written again with what its client has left, when its node next renews its lease', async () => {
    const node = await startNode(f, { ttl: TTL });
    const [short, other] = [await node.connect('kim'), await node.connect('lee')];
    const { id } = short.connection;
    await f.registry.refresh((await f.directory.get(id))!, 3000);
    expect(await left(id)).toBeLessThanOrEqual(3000);
    await f.registry.refresh((await f.directory.get(other.connection.id))!, 10 * TTL);
    await node.lease.renew();
    await until(async () => (await left(id)) > TTL / 2, 10_000, 'its TTL to be raised');
    expect(await left(id)).toBeLessThanOrEqual(TTL);
    expect(await left(other.connection.id)).toBeGreaterThan(5 * TTL);
    expect(short.closed).toBeUndefined();
    expect(node.faults).toEqual([]);
  });

  test('comes back when it had ended', async () => {
    const node = await startNode(f, { ttl: TTL });
    const { connection } = await node.connect('kim');
    await f.registry.refresh((await f.directory.get(connection.id))!, 1);
    await until(async () => (await left(connection.id)) < 0, 10_000, 'its end');
    await node.lease.renew();
    await until(async () => (await left(connection.id)) > TTL / 2, 10_000, 'its return');
    expect((await f.directory.sessionsOf('kim')).sessions).toHaveLength(1);
  });
});
