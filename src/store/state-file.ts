/**
 * The state file of the embedded store: how `wssess who` in another terminal finds the store that a `wssess serve` on
 * this machine carries in itself. Readable by its owner alone, since it holds the password.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { WssessError } from '../common/errors.ts';

export interface State {
  /** Of the process that carries the store. */
  pid: number;
  /** On 127.0.0.1. */
  port: number;
  password: string;
  /** Of the keys, so that nobody has to say it again. */
  prefix: string;
}

/** Where it is unless --state-file says otherwise (XDG Base Directory Specification, XDG_STATE_HOME). */
export function defaultStateFile(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'wssess', 'embedded.json');
}

/** What the file says; undefined when there is none, or when it is none of ours. */
export function readState(file: string): State | undefined {
  let state: Partial<State>;
  try {
    state = JSON.parse(readFileSync(file, 'utf8')) as Partial<State>;
  } catch {
    return undefined;
  }
  const { pid, port, password, prefix } = state ?? {};
  const within = (n: unknown, max: number) => Number.isInteger(n) && (n as number) > 0 && (n as number) <= max;
  const isOurs = within(pid, Number.MAX_SAFE_INTEGER) && within(port, 65_535) && typeof password === 'string';
  return isOurs && typeof prefix === 'string' ? (state as State) : undefined;
}

/** False when the process that wrote the file is gone: killed, it couldn't remove it. */
export function isAlive({ pid }: State): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Writes the file, whole or not at all; a stale one is replaced.
 * @throws WssessError `store_taken` when a living process has written it, `usage` when it can't be written
 */
export function writeState(file: string, state: State): void {
  const part = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(part, `${JSON.stringify(state)}\n`, { mode: 0o600 });
    const wasThere = existsSync(file); // asked first: what another process writes from here on is not removed
    const other = readState(file);
    if (other && isAlive(other) && other.pid !== state.pid) throw taken(other, file);
    if (wasThere) rmSync(file, { force: true });
    linkSync(part, file); // unlike a rename, it doesn't overwrite what another process wrote in between
  } catch (cause) {
    if (cause instanceof WssessError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const other = readState(file);
    if (code === 'EEXIST' && other) throw taken(other, file);
    throw new WssessError('usage', `the state file ${file} cannot be written: ${code}`, {
      advice: 'Name another with --state-file.',
      cause,
    });
  } finally {
    if (existsSync(part)) rmSync(part, { force: true }); // below a file, rmSync itself would throw
  }
}

function taken({ pid, port }: State, file: string): WssessError {
  return new WssessError('store_taken', `process ${pid} already carries an embedded store, on port ${port} (${file})`);
}

/** Removes the file, if it is still this process's. */
export function removeState(file: string): void {
  if (readState(file)?.pid === process.pid) rmSync(file, { force: true });
}
