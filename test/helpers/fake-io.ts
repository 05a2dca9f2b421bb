/** A world for a command that runs in this process: what it prints is kept, what it reads is given. */
import { Readable } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';

export interface FakeIo extends Io {
  stdout(): string;
  stderr(): string;
}

interface World {
  tty?: boolean;
  env?: Record<string, string>;
  /** Standard input. */
  input?: string;
}

/** Nobody can be asked, and no signal ever comes. */
export function fakeIo({ tty = false, env = {}, input = '' }: World = {}): FakeIo {
  let [stdout, stderr] = ['', ''];
  return {
    async out(text) {
      stdout += text;
    },
    err(text) {
      stderr += text;
    },
    tty,
    size: () => ({ columns: 80, rows: 24 }),
    color: tty,
    env,
    stdin: Readable.from(input === '' ? [] : [input]),
    terminal: () => undefined,
    canAsk: () => false,
    ask: async () => '',
    onSignal: () => {},
    stdout: () => stdout,
    stderr: () => stderr,
  };
}
