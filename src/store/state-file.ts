/**
 * The state file of the embedded store: how `wssess who` in another terminal finds the store that a `wssess serve` on
 * this machine carries in itself. Readable by its owner alone, since it holds the password. How a process comes to
 * have it: state-claim.ts.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
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

/**
 * What the file says; undefined when there is none, or when it is none of ours.
 * @throws WssessError `usage` when somebody else may have written it: whoever did would be told what is typed here
 */
export function readState(file: string): State | undefined {
  const found = look(file);
  if (found?.isOpen) throw refused(file, 'can be written by others');
  return found && parseState(found.text);
}

/** A state, or undefined for any other text. */
export function parseState(text: string): State | undefined {
  let state: Partial<State>;
  try {
    state = JSON.parse(text) as Partial<State>;
  } catch {
    return undefined;
  }
  const { pid, port, password, prefix } = state ?? {};
  const within = (n: unknown, max: number) => Number.isInteger(n) && (n as number) > 0 && (n as number) <= max;
  const isOurs = within(pid, Number.MAX_SAFE_INTEGER) && within(port, 65_535) && typeof password === 'string';
  return isOurs && typeof prefix === 'string' ? (state as State) : undefined;
}

/** What lies at a path. */
export interface Found {
  /** Empty for a folder, a pipe and the like. */
  text: string;
  /** Others than its owner may write it. */
  isOpen: boolean;
}

/**
 * Looks at what lies there, which in a folder like /tmp anybody may have put: a link isn't followed, a pipe isn't
 * waited for. The mode of the folder doesn't matter then: what others put there is refused.
 * @returns undefined when nothing does
 * @throws WssessError `usage` for what belongs to neither this user nor root
 */
export function look(file: string): Found | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants; // Windows has but the first
  let fd: number;
  try {
    fd = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw refused(file, code === 'ELOOP' ? 'is a symbolic link' : `cannot be read: ${code}`);
  }
  try {
    const stat = fstatSync(fd);
    const me = process.geteuid?.(); // Windows has no owners of this kind
    if (me !== undefined && stat.uid !== me && stat.uid !== 0) throw refused(file, `belongs to user ${stat.uid}`);
    const isOpen = me !== undefined && stat.isFile() && (stat.mode & 0o022) !== 0;
    return { text: stat.isFile() ? readFileSync(fd, 'utf8') : '', isOpen };
  } finally {
    closeSync(fd);
  }
}

/** A file that is left alone: neither believed nor replaced. */
export function refused(file: string, why: string): WssessError {
  const advice = 'Remove it, or name another with --state-file.';
  return new WssessError('usage', `the state file ${file} ${why}`, { advice });
}
