/**
 * The dashboard at 1,000 and at 1,000,000 sessions (or as many as the first argument says): `npm run bench:top`. The real
 * `wssess top` on a pseudo-terminal of 120x40 (script(1) of util-linux), on a redis-server of its own, while another
 * process registers and unregisters 1,000 sessions a second. Medians of 5 runs (or as many as the second argument says).
 *
 * key to frame: from the byte of a key until the row of the cursor was drawn anew · CPU: of the dashboard, at its 2 frames
 * a second · Redis a frame: what its commands took inside Redis (INFO commandstats) · memory: resident, at the end
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownRedis } from '../scripts/own-redis.mjs';
import type { Details } from '../src/sessions/model.ts';
import { openSessions, type Sessions } from '../src/sessions/sessions.ts';
import { connect } from '../src/store/connect.ts';
import { detailsOf, holdLease, idOf, register } from './million.ts';

const BIN = fileURLToPath(new URL('../bin/wssess.js', import.meta.url));
const FEW = 1000;
/** Registers, and as many unregisters, a second. */
const CHURN = 1000;
/** Ids of sessions that come and go begin here. */
const COMING = 50_000_000;
/** Milliseconds: between keys, and of looking on without a key. */
const BETWEEN = 200;
const QUIET = 15_000;
/** Keys as a terminal sends them: down, page down, up, page up, the last, the first. */
const KEYS = [...'jjj', '\x1b[6~', '\x1b[6~', ...'kk', '\x1b[6~', 'G', '\x1b[5~', 'k', '\x1b[5~', 'g', 'j'];
const ROUNDS = 4;

async function main(many: number, runs: number): Promise<void> {
  const { url } = await ownRedis();
  const sessions = await open(url);
  const letGo = await holdLease(sessions);
  const busy = fork(fileURLToPath(import.meta.url), ['churn', url]);
  console.log(
    '| sessions | key to frame, p50 | p95 | CPU of a core | Redis a frame | memory |\n|---|---|---|---|---|---|',
  );
  for (const [from, to] of [
    [0, FEW],
    [FEW, many],
  ] as const) {
    await register(sessions, from, to, (count) => console.error(`${count.toLocaleString('en')} registered`));
    const all: Figures[] = [];
    for (let run = 0; run < runs; run++) all.push(await measure(sessions, url));
    const median = (pick: (one: Figures) => number) => all.map(pick).sort((a, b) => a - b)[runs >> 1]!;
    const cells = [
      to.toLocaleString('en'),
      `${median(({ p50 }) => p50).toFixed(0)} ms`,
      `${median(({ p95 }) => p95).toFixed(0)} ms`,
      `${(median(({ cpu }) => cpu) * 100).toFixed(1)} %`,
      `${median(({ redis }) => redis).toFixed(0)} µs`,
      `${(median(({ rss }) => rss) / 2 ** 20).toFixed(0)} MB`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  busy.kill();
  letGo();
  process.exit();
}

async function open(url: string): Promise<Sessions> {
  return openSessions(await connect({ url, source: 'bench', timeout: 30_000, lasting: true }), 'ws');
}

interface Figures {
  p50: number;
  p95: number;
  /** Share of a core. */
  cpu: number;
  /** Microseconds. */
  redis: number;
  /** Bytes. */
  rss: number;
}

async function measure({ store }: Sessions, url: string): Promise<Figures> {
  const top = new Top(url);
  await top.shows(/SESSION[\s\S]*▸/);
  await pause(3000);

  const waited: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const key of KEYS) {
      waited.push(await top.press(key));
      await pause(BETWEEN * (0.75 + Math.random() / 2));
    }
  }
  waited.sort((a, b) => a - b);
  const quantile = (share: number) => waited[Math.ceil(waited.length * share) - 1]!;

  await store.call('CONFIG', 'RESETSTAT');
  const [began, used] = [performance.now(), top.cpu()];
  await pause(QUIET);
  const cpu = (top.cpu() - used) / (performance.now() - began);
  const stats = await store.call<string>('INFO', 'commandstats');
  const read = (command: string, field: string) =>
    Number(new RegExp(`^cmdstat_${command}:.*?\\b${field}=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
  // Scripts that only read are the dashboard's alone, and what they call is counted with them; frame.lua calls TIME once.
  const redis = ['evalsha_ro', 'smismember'].reduce((sum, command) => sum + read(command, 'usec'), 0);
  const figures = {
    p50: quantile(0.5),
    p95: quantile(0.95),
    cpu,
    redis: redis / read('time', 'calls'),
    rss: top.rss(),
  };
  await top.close();
  return figures;
}

/** `wssess top` on a terminal of its own. */
class Top {
  readonly #child: ChildProcess;
  #heard = '';
  #told: () => void = () => {};

  constructor(url: string) {
    const { CI: _ci, ...env } = process.env;
    const line = `stty cols 120 rows 40; echo pid=$$; exec '${process.execPath}' '${BIN}' top`;
    this.#child = spawn('script', ['-qfc', line, '/dev/null'], {
      env: { ...env, WSSESS_REDIS_URL: url, TERM: 'xterm-256color', SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#heard += text;
      this.#told();
    });
  }

  /** Waits until this was drawn. */
  async shows(what: RegExp): Promise<void> {
    const end = performance.now() + 20_000;
    while (!what.test(this.#heard)) {
      if (performance.now() > end) throw new Error(`no ${what} in ${JSON.stringify(this.#heard.slice(-2000))}`);
      await new Promise<void>((resolve) => {
        this.#told = resolve;
        setTimeout(resolve, 1000).unref();
      });
    }
  }

  /** Presses a key. @returns milliseconds until the row with the cursor was drawn */
  async press(key: string): Promise<number> {
    this.#heard = this.#heard.slice(0, 200);
    const head = this.#heard.length;
    const began = performance.now();
    this.#child.stdin!.write(key);
    const seen = () => this.#heard.includes('▸', head);
    while (!seen()) {
      if (performance.now() - began > 10_000) throw new Error(`no frame after ${JSON.stringify(key)}`);
      await new Promise<void>((resolve) => {
        this.#told = resolve;
        setTimeout(resolve, 1000).unref();
      });
    }
    return performance.now() - began;
  }

  get #pid(): string {
    return /pid=(\d+)/.exec(this.#heard)![1]!;
  }

  /** Milliseconds of CPU so far: proc(5), utime and stime in hundredths of a second. */
  cpu(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  rss(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))![1]) * 1024;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.write('q');
    await closed;
  }
}

/** Registers and unregisters, in a process of its own: what comes at one end goes at the other. */
async function churn(url: string): Promise<void> {
  const { registry } = await open(url);
  const began = performance.now();
  const here: { id: string; details: Details }[] = [];
  for (let i = 0; ; ) {
    const due = ((performance.now() - began) / 1000) * CHURN;
    const acts: Promise<unknown>[] = [];
    for (; i < due; i++) {
      const one = { id: idOf(COMING + i), details: { ...detailsOf(COMING + i), connectedAt: Date.now() } };
      acts.push(registry.register(one.id, one.details));
      here.push(one);
      const gone = here.length > CHURN ? here.shift() : undefined;
      if (gone) acts.push(registry.unregister(gone.id, gone.details.user, gone.details));
    }
    await Promise.all(acts);
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (process.argv[2] === 'churn') await churn(process.argv[3]!);
else await main(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 5));
