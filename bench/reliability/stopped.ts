/** A node is stopped for longer than its lease, and goes on: who is back, and who is not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { disperse, gather } from './crowd.ts';
import { Node, type OwnRedis, until, wssess } from './stage.ts';

const SESSIONS = 200;
const KICKED = 40;
/** Milliseconds after the lease's end in which the stopped node's sessions are thrown out, before they are reaped. */
const LEASE = 8000;

/** One trial. @returns seconds from SIGCONT until everybody else was registered again */
export async function stoppedAndContinued(redis: OwnRedis, stop: number): Promise<number> {
  const [node, witness] = await Promise.all([Node.start(redis.url, 'stopped'), Node.start(redis.url, 'witness')]);
  const visitors = await gather(node.url, SESSIONS);
  const thrownOut = visitors.slice(0, KICKED);
  node.signal('SIGSTOP');
  const stopped = performance.now();
  await until(async () => (await redis.client.exists('ws:x:node:stopped')) === 0, 'the lease to end', 5);
  const ids = thrownOut.map(({ session }) => session);
  const { stdout } = await wssess(redis.url, 'kick', ...ids, '--purge', '--yes', '-o', 'json');
  const { results } = JSON.parse(stdout) as { results: { session_id: string; outcome: string }[] };
  // What the sweep had reaped before is not found, and may return.
  const gone = new Set(results.filter(({ outcome }) => outcome === 'node_unreachable').map((one) => one.session_id));
  if (gone.size === 0) throw new Error('nobody was thrown out: the sweep was faster');
  await sleep(Math.max(LEASE, stop - (performance.now() - stopped)));
  node.signal('SIGCONT');
  const continued = performance.now();
  const [kicked, others] = [true, false].map((is) => visitors.filter(({ session }) => gone.has(session) === is));
  await until(async () => (await redis.client.scard('ws:sessions:all')) >= others!.length, 'the others to be back');
  const seconds = (performance.now() - continued) / 1000;
  await until(() => kicked!.every(({ closed }) => closed === 4001), 'the kicked to be told');
  const listed = new Set(await redis.client.smembers('ws:sessions:all'));
  const wrong = [
    ...kicked!.filter(({ session }) => listed.has(session)),
    ...others!.filter(({ session, closed }) => !listed.has(session) || closed !== undefined),
  ];
  if (wrong.length > 0 || listed.size !== others!.length) {
    throw new Error(`${wrong.length} sessions are not as they should be, ${listed.size} are listed`);
  }
  disperse(visitors);
  await Promise.all([node.kill(), witness.kill()]);
  await redis.client.flushall();
  return seconds;
}
