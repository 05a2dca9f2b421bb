/** A node is killed: how long until its sessions are gone from every answer, and what that costs others. */
import { disperse, gather } from './crowd.ts';
import { Node, type OwnRedis, until, wssess } from './stage.ts';

/** Milliseconds between two looks at Redis's ping. */
const PING_EVERY = 5;

export interface Crash {
  /** Seconds from SIGKILL until the last of its sessions was gone from all answers. */
  seconds: number;
  /** Milliseconds: what Redis answered PING in meanwhile. */
  pings: number[];
}

/** One trial: two nodes, so many sessions on the one that is killed. */
export async function crash(redis: OwnRedis, sessions: number): Promise<Crash> {
  const [victim, witness] = await Promise.all([Node.start(redis.url, 'victim'), Node.start(redis.url, 'witness')]);
  const visitors = await gather(victim.url, sessions);
  const pings: number[] = [];
  const pinging = setInterval(async () => {
    const asked = performance.now();
    await redis.client.ping();
    pings.push(performance.now() - asked);
  }, PING_EVERY);
  await victim.kill();
  const killed = performance.now();
  const last = visitors.at(-1)!;
  await until(async () => (await witness.get('/api/session/stats')).totalActiveSessions === 0, 'stats to say none', 50);
  await until(async () => (await redis.client.scard('ws:sessions:all')) === 0, 'the set to be empty');
  await until(async () => (await witness.get(`/api/session/user/${last.user}/online`)).isOnline === false, 'offline');
  const seconds = (performance.now() - killed) / 1000;
  clearInterval(pinging);
  const who = await wssess(redis.url, 'who', last.user);
  const ls = await wssess(redis.url, 'ls', '-o', 'json');
  const left = await redis.client.keys('ws:session:*');
  if (who.code !== 1 || (JSON.parse(ls.stdout) as { total: number }).total !== 0 || left.length > 0) {
    throw new Error(`who, ls or Redis still name a session of the killed node: ${left.slice(0, 3)}`);
  }
  disperse(visitors);
  await witness.kill();
  await redis.client.flushall();
  return { seconds, pings };
}
