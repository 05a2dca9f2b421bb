/** Redis comes back empty: how long until every live session is registered again, and none twice. */
import type { Visitor } from './crowd.ts';
import { type OwnRedis, until } from './stage.ts';

/** One trial. @returns seconds from Redis's first answer until the last session was there */
export async function comesBackEmpty(redis: OwnRedis, visitors: readonly Visitor[]): Promise<number> {
  await redis.kill();
  await redis.back();
  const answered = performance.now();
  await until(async () => (await redis.client.scard('ws:sessions:all')) >= visitors.length, 'all to be registered');
  const seconds = (performance.now() - answered) / 1000;
  await check(redis, visitors);
  return seconds;
}

/** Each live session is there, under its own user, and no other. */
async function check(redis: OwnRedis, visitors: readonly Visitor[]): Promise<void> {
  const lost = visitors.filter(({ closed }) => closed !== undefined).length;
  const listed = await redis.client.scard('ws:sessions:all');
  const users = await redis.client.mget(visitors.map(({ session }) => `ws:session:${session}`));
  const wrong = visitors.filter(({ user }, i) => users[i] !== user).length;
  const keys = (await redis.client.keys('ws:user:*')).length;
  if (lost + wrong > 0 || listed !== visitors.length || keys !== visitors.length) {
    throw new Error(`${lost} sockets lost, ${wrong} sessions wrong, ${listed} listed, ${keys} users`);
  }
}
