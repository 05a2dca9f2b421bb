/** A terminal of the test's own, in tmux. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN } from './program.ts';
import { until } from './wait.ts';

/** Tests that need it are skipped, and shown so, where it isn't installed. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0;
if (!hasTmux && process.env.WSSESS_TEST_REQUIRE) throw new Error('tmux is not installed, and must be here');

export interface Terminal {
  /** What is on the screen: lines without the spaces at their end, empty ones at the bottom left out. */
  screen(): string[];
  /** The same with colours as SGR sequences. */
  painted(): string;
  /** Every byte that was sent to the terminal. */
  raw(): string;
  /** Types keys, as tmux names them. */
  type(...keys: string[]): void;
  /** Waits until the screen has a line that fits, and returns the screen. */
  shows(line: RegExp): Promise<string[]>;
  /** Makes the terminal another size. */
  resize(columns: number, rows: number): void;
  close(): void;
}

/** Runs shell commands in a terminal of this size. What they leave stays on the screen until `close`. */
export async function openTerminal(
  script: string,
  { columns, rows, env = {} }: { columns: number; rows: number; env?: Record<string, string> },
): Promise<Terminal> {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-tmux-'));
  const socket = join(folder, 'socket');
  const log = join(folder, 'raw');
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-u', '-f', '/dev/null', '-S', socket, ...args], { encoding: 'utf8', timeout: 20_000 });
  const given = Object.entries({ LC_ALL: 'C.UTF-8', ...env }).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  // It waits for a line, so that everything after that is in the log.
  tmux(
    'new-session',
    '-d',
    '-x',
    String(columns),
    '-y',
    String(rows),
    ...given,
    `stty -echo; tmux -S '${socket}' wait-for -S quiet; read _; stty echo; ${script}\ncat`,
  );
  tmux('wait-for', 'quiet'); // or that line would be echoed
  tmux('pipe-pane', '-o', `cat > '${log}'`);
  const terminal: Terminal = {
    screen: () =>
      tmux('capture-pane', '-p')
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd()),
    painted: () => tmux('capture-pane', '-p', '-e'),
    raw: () => readFileSync(log, 'utf8'),
    type: (...keys) => void tmux('send-keys', ...keys),
    shows: (line) =>
      until(
        () => {
          const screen = terminal.screen();
          return screen.some((one) => line.test(one)) ? screen : undefined;
        },
        20_000,
        `${line} on the screen`,
      ).catch((error: Error) => {
        throw new Error(`${error.message}:\n${terminal.screen().join('\n')}`);
      }) as Promise<string[]>,
    resize: (width, height) => void tmux('resize-window', '-x', String(width), '-y', String(height)),
    close() {
      tmux('kill-server');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  terminal.type('Enter');
  return terminal;
}

/** Runs shell lines in which `wssess` is the program; then says how the last one ended: `exit=0`. */
export function openShell(
  script: string,
  env: Record<string, string>,
  { columns, rows }: { columns: number; rows: number } = { columns: 80, rows: 24 },
): Promise<Terminal> {
  const program = `wssess() { '${process.execPath}' '${BIN}' "$@"; }`;
  return openTerminal(`${program}; ${script}; echo "exit=$?"`, { columns, rows, env });
}
