/** What a command sees of the world: streams, terminal, environment. Tests give it another one. */
import { openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { ReadStream, type WriteStream } from 'node:tty';
import { wordsOf } from '../common/errno.ts';
import { WssessError } from '../common/errors.ts';

export interface Io {
  /** Writes to standard output; resolves when more may be written. @throws WssessError `output_failed` */
  out(text: string): Promise<void>;
  err(text: string): void;
  /** Standard output is a terminal. */
  tty: boolean;
  /** Columns and lines of that terminal. */
  size(): { columns: number; rows: number };
  color: boolean;
  env: NodeJS.ProcessEnv;
  stdin: Readable;
  /** The terminal, keys and screen, for what takes it whole; undefined when there is none that can be drawn on. */
  terminal(): { stdin: ReadStream; stdout: WriteStream } | undefined;
  /** True when somebody can be asked. */
  canAsk(): boolean;
  /** Asks on the terminal; '' when it was closed. */
  ask(question: string): Promise<string>;
  /** Calls `stop` at SIGINT and SIGTERM instead of dying; the second one ends the process at once. */
  onSignal(stop: (signal: NodeJS.Signals) => void): void;
}

export function processIo(): Io {
  const { stdout, stderr, stdin, env } = process;
  // `wssess ls | head`: the reader has seen enough; a terminal that was closed.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isUnread(error)) process.exit(0);
    // Anything else is told by the write that it came from.
  });
  stderr.on('error', () => {}); // whom to tell?
  const tty = stdout.isTTY === true;
  return {
    out: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (fault) => {
          if (!fault) return resolve();
          if (isUnread(fault)) return; // the process ends by it
          reject(
            new WssessError('output_failed', `cannot write to standard output: ${wordsOf(fault)}`, { cause: fault }),
          );
        });
      }),
    err: (text) => void stderr.write(text),
    tty,
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    color: tty && !env.NO_COLOR && env.TERM !== 'dumb',
    env,
    stdin,
    terminal: () => (tty && stdin.isTTY && env.TERM !== 'dumb' ? { stdin, stdout } : undefined),
    canAsk() {
      const input = keyboard();
      if (input !== process.stdin) input?.destroy();
      return input !== undefined;
    },
    async ask(question) {
      const input = keyboard();
      if (!input) return '';
      const { createInterface } = await import('node:readline/promises');
      const lines = createInterface({ input, output: stderr });
      try {
        return await new Promise<string>((resolve) => {
          const ended = () => {
            stderr.write('\n');
            resolve('');
          };
          lines.once('close', ended);
          lines.question(question).then((answer) => {
            lines.off('close', ended);
            resolve(answer);
          }, ended);
        });
      } finally {
        lines.close();
        input.destroy();
      }
    },
    onSignal(stop) {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) {
        process.once(signal, () => {
          process.once(signal, () => process.exit(signal === 'SIGINT' ? 130 : 143));
          stop(signal);
        });
      }
    },
  };
}

/** Whether nobody reads there any more. */
const isUnread = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EIO';

/** Where answers are typed: standard input, or the terminal itself when standard input brings ids. */
function keyboard(): Readable | undefined {
  if (process.stdin.isTTY) return process.stdin;
  if (!process.stderr.isTTY) return undefined;
  try {
    // Not createReadStream: its read can't be called off, and the process would wait for one more line.
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    return undefined;
  }
}
