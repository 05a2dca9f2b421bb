/** The program while it runs, for what ends only at a signal or when Redis goes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { BIN, environment, type Ran } from './program.ts';
import { until, within } from './wait.ts';

export interface Background {
  process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Waits until standard output holds so many lines. */
  lines(count: number): Promise<string[]>;
  /** Waits for the end. */
  ended(): Promise<Ran>;
}

const running = new Set<ChildProcess>();

/** Kills what is still running; for afterEach. */
export function killBackground(): void {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
}

/** Starts `wssess ARGS`. */
export function start(args: string[], env: Record<string, string>): Background {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const end = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    async lines(count) {
      const what = `${count} lines of wssess ${args.join(' ')}`;
      return until(
        () => {
          const lines = stdout.split('\n').slice(0, -1);
          if (child.exitCode !== null && lines.length < count) throw new Error(`it ended before ${what}: ${stderr}`);
          return lines.length >= count ? lines : undefined;
        },
        20_000,
        what,
      ) as Promise<string[]>;
    },
    async ended() {
      const code = await within(end, 20_000, `wssess ${args.join(' ')} to end`);
      return { code, stdout, stderr };
    },
  };
}
