/** What lies in Redis, seen from beside wssess. */
import type { TestRedis } from './redis.ts';
import { until } from './wait.ts';

/** Keys under the prefix `ws`, without what the nodes keep of themselves and, for an hour, the traces of sessions that were reaped. */
export async function sessionKeys(redis: Pick<TestRedis, 'keys'>): Promise<string[]> {
  return (await redis.keys()).filter(
    (key) => key.startsWith('ws:') && !/^ws:x:(schema$|nodes$|node:|processes$|sweeper$|lost:)/.test(key),
  );
}

/** Waits until no session is left in Redis, by any key. */
export async function nothingLeft(redis: Pick<TestRedis, 'keys'>, patience = 10_000): Promise<void> {
  let left: string[] = [];
  const gone = async () => {
    left = await sessionKeys(redis);
    return left.length === 0;
  };
  await until(gone, patience, 'the sessions to be gone').catch((error: Error) => {
    throw new Error(`${error.message}; left: ${left.join(' ')}`);
  });
}

/** Sessions that this process of a node has in memory, as it says with each renewal of its lease. */
export async function heldBy(redis: TestRedis, node: string): Promise<number> {
  const lease = await redis.client.get(`ws:x:node:${node}`);
  return lease === null ? -1 : (JSON.parse(lease.slice(16)) as { sessions: number }).sessions;
}

/** The three commands of the seed: a session that another program wrote. */
export function writeForeign(redis: TestRedis, id: string, user: string, life: string[] = ['EX', '86400']): void {
  redis.cli('SET', `ws:session:${id}`, user, ...life);
  redis.cli('SADD', `ws:user:${user}`, id);
  redis.cli('SADD', 'ws:sessions:all', id);
}

/** Removes them again. */
export async function removeForeign(redis: TestRedis, id: string, user: string): Promise<void> {
  await redis.client.del(`ws:session:${id}`, `ws:session:${id}:role`);
  await redis.client.srem(`ws:user:${user}`, id);
  await redis.client.srem('ws:sessions:all', id);
}

/** From about now on none of the servers sweeps: what a killed one left stays as it is. @returns lets them again */
export async function stopSweeping({ client }: TestRedis): Promise<() => Promise<unknown>> {
  await client.set('ws:x:sweeper', 'nobody-sweeps-01');
  return () => client.del('ws:x:sweeper');
}
