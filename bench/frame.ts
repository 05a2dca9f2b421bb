/**
 * What a frame of the overview costs Redis: `npm run bench:frame`. Starts a redis-server of its own, registers 1,000 and
 * then 1,000,000 sessions (or as many as the argument says), and reads Redis's own clock: INFO commandstats, what the
 * commands of a frame took inside Redis. Medians of 5 runs of 200 frames.
 */
import { ownRedis } from '../scripts/own-redis.mjs';
import { type Asks, Overview } from '../src/sessions/overview.ts';
import { openSessions } from '../src/sessions/sessions.ts';
import { connect } from '../src/store/connect.ts';
import { detailsOf, holdLease, idOf, register } from './million.ts';

const MANY = Number(process.argv[2] ?? 1_000_000);
const FEW = 1000;
const ROWS = 50;
const FRAMES = 200;
const RUNS = 5;

const { url } = await ownRedis();
const store = await connect({ url, source: 'bench', timeout: 30_000, lasting: false });
const sessions = openSessions(store, 'ws');
const letGo = await holdLease(sessions);
console.log('| sessions | window | Redis a frame, µs | frame.lua | frame, ms |\n|---|---|---|---|---|');
for (const [from, to] of [
  [0, FEW],
  [FEW, MANY],
] as const) {
  const began = performance.now();
  await register(sessions, from, to, (count) => console.error(`${count.toLocaleString('en')} registered`));
  const seconds = (performance.now() - began) / 1000;
  console.error(`${((to - from) / seconds).toFixed(0)} registrations a second`);
  const middle = to >> 1;
  const keep = (i: number) => ({ id: idOf(i), score: detailsOf(i).connectedAt, row: 20 });
  const window = { top: 0, rows: ROWS, oldestFirst: false };
  const deep = { top: middle, rows: ROWS, oldestFirst: false, keep: keep(to - 1 - middle - 20) };
  await measure(to, 'newest 50', { sessions: window });
  await measure(to, 'newest 50, one kept', { sessions: { ...window, keep: keep(to - 10) } });
  await measure(to, '50 in the middle, one kept', { sessions: deep });
  await measure(to, '50 in the middle, one gone', { sessions: { ...deep, keep: { ...deep.keep, id: 'gone' } } });
  await measure(to, 'newest 50, 20 looked at', {
    sessions: window,
    look: Array.from({ length: 20 }, (_, i) => idOf(i)),
  });
  await measure(to, '50 users', { users: window });
}
letGo();
store.close();
process.exit();

async function measure(count: number, name: string, asks: Asks): Promise<void> {
  const overview = new Overview(sessions);
  await overview.frame(asks);
  const runs: { inRedis: number; script: number; took: number }[] = [];
  for (let run = 0; run < RUNS; run++) {
    await store.call('CONFIG', 'RESETSTAT');
    const began = performance.now();
    let took = 0;
    for (let i = 0; i < FRAMES; i++) took += (await overview.frame(asks)).took;
    const stats = await store.call<string>('INFO', 'commandstats');
    const usec = (command: string) =>
      Number(new RegExp(`^cmdstat_${command}:.*?usec=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
    // What scripts call is counted within EVALSHA_RO; of the rest a frame sends these itself.
    const inRedis = ['evalsha_ro', 'smismember', 'sscan', 'mget'].reduce((sum, command) => sum + usec(command), 0);
    runs.push({ inRedis: inRedis / FRAMES, script: took / FRAMES, took: (performance.now() - began) / FRAMES });
  }
  const median = (pick: (run: (typeof runs)[number]) => number) => runs.map(pick).sort((a, b) => a - b)[RUNS >> 1]!;
  const cells = [
    count.toLocaleString('en'),
    name,
    median((run) => run.inRedis).toFixed(0),
    `${median((run) => run.script).toFixed(2)} ms`,
    median((run) => run.took).toFixed(2),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
