/** How a process comes to have the state file, and one process alone: whoever else wants it is told that it is taken. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { WssessError } from '../common/errors.ts';
import { isAlive } from './alive.ts';
import { look, parseState, refused, type State } from './state-file.ts';

/**
 * Writes the file, whole or not at all; a stale one is replaced. The store must answer already: it is asked by others
 * who want the file at the same time.
 * @throws WssessError `store_taken` when it says how to reach a store that lives, `usage` when it can't be written
 */
export async function writeState(file: string, state: State): Promise<void> {
  const part = `${file}.${randomBytes(6).toString('hex')}.part`;
  let isWritten = false;
  try {
    makeFolder(dirname(file));
    writeFileSync(part, `${JSON.stringify(state)}\n`, { mode: 0o600, flag: 'wx' });
    isWritten = true;
    await take(file, part, file);
  } catch (cause) {
    if (cause instanceof WssessError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const advice = 'Name another with --state-file.';
    throw new WssessError('usage', `the state file ${file} cannot be written: ${code}`, { advice, cause });
  } finally {
    if (isWritten) rmSync(part, { force: true });
  }
}

/** Removes the file, if it still is the one with this state. */
export function removeState(file: string, { password }: State): void {
  try {
    const found = look(file);
    if (found && parseState(found.text)?.password === password) rmSync(file);
  } catch {
    // The end of a process has nobody to tell: the file is stale then, or another's.
  }
}

/**
 * Gives `part` the name `path` as well, when no living process has that name.
 *
 * A name that is free is taken by link(), which one process at a time can do. What is stale there is not removed, since
 * by then it may be what a quicker process has just written. Instead the right to replace it is taken first: a second
 * name, made of what the stale file says, in this same way. Whoever has it looks again. Is the stale file still there,
 * then nobody else can be about to replace it, and one rename() does and gives the right back. No two files say the
 * same (each password is new), so that the right to replace one is never mistaken for that of another. A process that
 * was killed half-way leaves its right behind: that is stale like any state, and replaced like one.
 */
async function take(path: string, part: string, file: string): Promise<void> {
  for (;;) {
    try {
      return linkSync(part, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = look(path);
    if (!found) continue; // it went in between
    const other = parseState(found.text);
    if (other && (await isAlive(other))) throw taken(other, file);
    // An empty one is what a full disk leaves of a state; anything else is somebody's.
    if (!other && found.text !== '') throw refused(path, 'holds something else');
    const right = `${path}.${createHash('sha256').update(found.text).digest('hex').slice(0, 12)}`;
    await take(right, part, file);
    try {
      if (look(path)?.text === found.text) return renameSync(right, path);
    } finally {
      rmSync(right, { force: true });
    }
  }
}

function taken({ pid, port }: State, file: string): WssessError {
  return new WssessError('store_taken', `process ${pid} already carries an embedded store, on port ${port} (${file})`);
}

/** As `mkdirSync` with `recursive`, which never returns where a folder is there and takes no other: /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder) || dirname(folder) === folder) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process was quicker
  }
}
