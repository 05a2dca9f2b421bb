/**
 * What wssess promises when things fail, measured: `npm run bench:reliability` (some 15 minutes), or a few trials of each
 * with `npm run bench:reliability -- --trials 3`. A promise that is broken ends it with an error. With `--write` the
 * table goes into docs/reliability.md.
 *
 * Everything is real: `wssess serve` processes, a redis-server, WebSocket clients; killed and stopped by signals, cut off
 * by a proxy. A seed (`--seed N`) repeats the random faults.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { seeded } from '../src/demo/people.ts';
import { crash } from './reliability/crash.ts';
import { disperse, gather } from './reliability/crowd.ts';
import { comesBackEmpty } from './reliability/empty.ts';
import { kicksUnderFaults } from './reliability/kicks.ts';
import { Node, OwnRedis } from './reliability/stage.ts';
import { stoppedAndContinued } from './reliability/stopped.ts';

const PAGE = new URL('../docs/reliability.md', import.meta.url);
const [BEGIN, END] = ['<!-- measured -->', '<!-- end -->'];

interface Row {
  promise: string;
  promised: string;
  trials: number | string;
  p50: string;
  worst: string;
}

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '20' },
    kicks: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const trials = Number(values.trials);
const fewer = Math.max(1, Math.round(trials / 4));

const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);
const at = (list: readonly number[], share: number) =>
  sorted(list)[Math.min(list.length - 1, Math.floor(list.length * share))]!;
const seconds = (value: number) => `${value.toFixed(1)} s`;

/** Repeats a trial, and ends with an error as soon as one is beyond what is promised. */
async function repeat(what: string, count: number, limit: number, trial: () => Promise<number>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < count; i++) {
    took.push(await trial());
    say(`${what}: ${seconds(took.at(-1)!)} (${i + 1} of ${count})`);
    if (took.at(-1)! > limit) throw new Error(`${what}: promised are ${limit} s`);
  }
  return took;
}

function rowOf(promise: string, limit: number, took: readonly number[]): Row {
  return {
    promise,
    promised: `${limit} s`,
    trials: took.length,
    p50: seconds(at(took, 0.5)),
    worst: seconds(Math.max(...took)),
  };
}

async function crashed(redis: OwnRedis): Promise<Row[]> {
  const took = await repeat('a killed node', trials, 15, async () => (await crash(redis, 1000)).seconds);
  const pings: number[] = [];
  const many = await repeat('a killed node with 10,000', fewer, 15, async () => {
    const one = await crash(redis, 10_000);
    pings.push(at(one.pings, 0.99));
    return one.seconds;
  });
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return [
    rowOf("a killed node's 1,000 sessions are gone from every answer", 15, took),
    rowOf('the same with 10,000 sessions', 15, many),
    {
      promise: "Redis's ping meanwhile, p99 of each trial",
      promised: '',
      trials: pings.length,
      p50: ms(at(pings, 0.5)),
      worst: ms(Math.max(...pings)),
    },
  ];
}

async function emptied(redis: OwnRedis): Promise<Row[]> {
  const node = await Node.start(redis.url, 'lasting');
  const visitors = await gather(node.url, 10_000);
  const took = await repeat('Redis back empty', trials, 5, () => comesBackEmpty(redis, visitors));
  disperse(visitors);
  await node.kill();
  await redis.client.flushall();
  return [rowOf('Redis comes back empty: 10,000 live sessions are registered again, none twice', 5, took)];
}

async function kicked(redis: OwnRedis): Promise<Row[]> {
  const count = Number(values.kicks ?? trials * 50);
  const { outcomes, wrong } = await kicksUnderFaults(redis, count, seeded(Number(values.seed)), (done) => {
    if (done % 100 === 0) say(`kicks: ${done} of ${count}`);
  });
  say(`kicks, seed ${values.seed}: ${[...outcomes].map(([name, many]) => `${many} ${name}`).join(', ')}`);
  if (wrong.length > 0) throw new Error(`untrue outcomes:\n${wrong.join('\n')}`);
  const told = [...outcomes].sort((a, b) => b[1] - a[1]).map(([name, many]) => `${many} \`${name}\``);
  return [
    {
      promise: `the outcome of a kick is true, under random faults (${told.join(', ')})`,
      promised: 'all',
      trials: count,
      p50: `${count} true`,
      worst: '0 untrue',
    },
  ];
}

async function stopped(redis: OwnRedis): Promise<Row[]> {
  const took = await repeat('a stopped node', Math.max(1, fewer), 5, () => stoppedAndContinued(redis, 30_000));
  const promise = 'a node stopped for 30 s goes on: nobody who was kicked is back, everybody else is';
  return [rowOf(promise, 5, took)];
}

/** The soak of the tests, which ends with an error at the first difference. */
async function soaked(): Promise<Row[]> {
  const time = trials * 6;
  const env = { ...process.env, WSSESS_SOAK: String(time), WSSESS_SOAK_SEED: values.seed, WSSESS_TEST_REQUIRE: '1' };
  const { status } = spawnSync('npx', ['vitest', 'run', 'test/e2e/soak.test.ts'], { env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`the soak found a difference; WSSESS_SOAK_SEED=${values.seed} repeats it`);
  const promise = 'differences between the clients, Redis, REST, `ls` and `doctor` at the quiet moments of a soak';
  return [{ promise, promised: '0', trials: `${time} s`, p50: '0', worst: '0' }];
}

const PARTS = { crashed, emptied, kicked, stopped, soaked };
const rows: Row[] = [];
for (const [name, part] of Object.entries(PARTS)) {
  if (values.only !== undefined && values.only !== name) continue;
  const redis = await OwnRedis.start();
  rows.push(...(await part(redis)));
  await redis.stop();
}
const HEAD = '| promise | promised | trials | p50 | worst |\n|---|---|---|---|---|';
const lines = rows.map((row) => `| ${row.promise} | ${row.promised} | ${row.trials} | ${row.p50} | ${row.worst} |`);
console.log([HEAD, ...lines].join('\n'));
if (values.write) {
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)];
  // Of `--only`: the other rows stay, each with the day that it is of.
  const name = (line: string) => /^\| ([^(|]*)/.exec(line)?.[1];
  const fresh = new Map(lines.map((line) => [name(line), `${line} ${today()} |`]));
  const kept = page
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1);
  const all = kept.map((line) => {
    const better = fresh.get(name(line));
    fresh.delete(name(line));
    return better ?? line;
  });
  const head = `${HEAD.replace('worst |', 'worst | measured |')}---|`;
  const [{ model } = { model: 'unknown' }] = cpus();
  const where = `Node ${process.versions.node}, ${cpus().length} cores (${model.trim()}), shared by all processes.`;
  writeFileSync(
    PAGE,
    `${page.slice(0, from)}\n${[head, ...all, ...fresh.values()].join('\n')}\n\n${where}\n${page.slice(to)}`,
  );
}
process.exit();

function today(): string {
  return new Date().toISOString().slice(0, 10);
}
