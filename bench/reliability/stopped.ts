/** A node is stopped for longer than its lease, and goes on: who is back, and who is not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { kick } from '../../src/sessions/kick.ts';
import { openSessions } from '../../src/sessions/sessions.ts';
import { connect } from '../../src/store/connect.ts';
import { disperse, gather } from './crowd.ts';
import { Node, type OwnRedis, until } from './stage.ts';

const SESSIONS = 200;
const KICKED = 40;
/** Milliseconds after the lease's end in which the stopped node's sessions are thrown out, before they are reaped. */
const LEASE = 8000;

/** One trial. @returns seconds from SIGCONT until everybody else was registered again */
export async function stoppedAndContinued(redis: OwnRedis, stop: number): Promise<number> {
  const [node, witness] = await Promise.all([Node.start(redis.url, 'stopped'), Node.start(redis.url, 'witness')]);
  const visitors = await gather(node.url, SESSIONS);
  const thrownOut = visitors.slice(0, KICKED);
  const sessions = openSessions(await connect({ url: redis.url, source: 'kick', timeout: 5000, lasting: false }), 'ws');
  const { sessions: found } = await sessions.directory.getAll(thrownOut.map(({ session }) => session));
  node.signal('SIGSTOP');
  const stopped = performance.now();
  await until(async () => (await redis.client.exists('ws:x:node:stopped')) === 0, 'the lease to end', 5);
  // Looked up before: whether the sweep reaps them first, or this is first, they were thrown out.
  const options = { actionId: 'reliability', reason: null, purge: true, timeout: 1000 };
  const results = await kick(found, sessions, options);
  const gone = new Set(results.map(({ session_id }) => session_id));
  sessions.store.close();
  if (gone.size !== KICKED) throw new Error(`${gone.size} of ${KICKED} were thrown out`);
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
