/** Sessions as another program writes them: the four families, and nothing else. */
import type { Redis } from 'ioredis';

/** Writes one, in one transaction. */
export async function addForeign(redis: Redis, id: string, user: string, role?: string, ttl = 86_400): Promise<void> {
  const writing = redis.multi().set(`ws:session:${id}`, user, 'EX', ttl);
  if (role !== undefined) writing.set(`ws:session:${id}:role`, role, 'EX', ttl);
  await writing.sadd(`ws:user:${user}`, id).expire(`ws:user:${user}`, ttl).sadd('ws:sessions:all', id).exec();
}

/** Sessions `f0` … of users `u0` … (ten sessions a user), role BOT for one in four. */
const MANY = `
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  local id, user = 'f' .. string.format('%d', i), 'u' .. string.format('%d', math.floor(i / 10))
  redis.call('SET', 'ws:session:' .. id, user, 'EX', 86400)
  if i % 4 == 0 then redis.call('SET', 'ws:session:' .. id .. ':role', 'BOT', 'EX', 86400) end
  redis.call('SADD', 'ws:user:' .. user, id)
  redis.call('SADD', 'ws:sessions:all', id)
end`;

/** Writes `count` of them at once. */
export async function addManyForeign(redis: Redis, count: number): Promise<void> {
  const loading = redis.pipeline();
  for (let from = 0; from < count; from += 10_000) loading.eval(MANY, 0, from, Math.min(count, from + 10_000));
  for (const [error] of (await loading.exec()) ?? []) if (error) throw error;
}

/** Removes all that is in the four families, whoever wrote it. */
export async function clearFamilies(redis: Redis): Promise<void> {
  const keys = [...(await redis.keys('ws:session:*')), ...(await redis.keys('ws:user:*')), 'ws:sessions:all'];
  await redis.del(...keys);
}
