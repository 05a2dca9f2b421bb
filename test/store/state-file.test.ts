/** The state file: what is taken for one, whose it is, and that one process at a time has it. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  defaultStateFile,
  isAlive,
  readState,
  removeState,
  type State,
  writeState,
} from '../../src/store/state-file.ts';
import { faultOf } from '../helpers/floor.ts';

const STATE: State = { pid: process.pid, port: 40_001, password: 'secret', prefix: 'ws' };
/** A process that has ended. */
const gone = (): number => spawnSync(process.execPath, ['-e', '0']).pid;
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wssess-state-'));
  file = join(folder, 'wssess', 'embedded.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts this text there. */
function put(text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

test('it lies in XDG_STATE_HOME, else in ~/.local/state', () => {
  expect(defaultStateFile({ XDG_STATE_HOME: '/x', HOME: '/h' })).toBe('/x/wssess/embedded.json');
  expect(defaultStateFile({ XDG_STATE_HOME: '', HOME: '/h' })).toBe('/h/.local/state/wssess/embedded.json');
  expect(defaultStateFile({})).toBe(join(homedir(), '.local/state/wssess/embedded.json'));
});

describe('reading', () => {
  test('there is none', () => expect(readState(file)).toBeUndefined());

  test.each([
    ['nothing', ''],
    ['half of one', '{"pid":1,"por'],
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[1,2]'],
    ['bytes', '\u0000\u0001'],
    ['no pid', JSON.stringify({ ...STATE, pid: undefined })],
    ['a pid in words', JSON.stringify({ ...STATE, pid: '17' })],
    ['half a pid', JSON.stringify({ ...STATE, pid: 1.5 })],
    ["pid 0, which is the asker's own group", JSON.stringify({ ...STATE, pid: 0 })],
    ['pid -1, which is everyone', JSON.stringify({ ...STATE, pid: -1 })],
    ['no port', JSON.stringify({ ...STATE, port: null })],
    ['port 0', JSON.stringify({ ...STATE, port: 0 })],
    ['a port that is none', JSON.stringify({ ...STATE, port: 65_536 })],
    ['no password', JSON.stringify({ ...STATE, password: undefined })],
    ['no prefix', JSON.stringify({ ...STATE, prefix: 5 })],
  ])('%s is none', (_, text) => {
    put(text);
    expect(readState(file)).toBeUndefined();
  });

  test('a folder in its place is none', () => {
    mkdirSync(file, { recursive: true });
    expect(readState(file)).toBeUndefined();
  });

  test('what was written is read', () => {
    writeState(file, STATE);
    expect(readState(file)).toEqual(STATE);
  });
});

test('a process is alive while it runs, whoever owns it', () => {
  expect(isAlive(STATE)).toBe(true);
  expect(isAlive({ ...STATE, pid: 1 })).toBe(true);
  expect(isAlive({ ...STATE, pid: gone() })).toBe(false);
  expect(isAlive({ ...STATE, pid: Number.MAX_SAFE_INTEGER })).toBe(false);
});

describe('writing', () => {
  test('its owner alone can read it, whatever the umask, and nothing else is left beside it', () => {
    const before = process.umask(0);
    try {
      writeState(file, STATE);
    } finally {
      process.umask(before);
    }
    expect([mode(file), mode(dirname(file))]).toEqual(['600', '700']);
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
  });

  test.each([
    ['one of a process that is gone', () => JSON.stringify({ ...STATE, pid: gone() })],
    ['one of its own', () => JSON.stringify({ ...STATE, port: 5 })],
    ['garbage', () => 'hello'],
  ])('replaces %s, even where that was open to all', (_, text) => {
    put(text());
    chmodSync(file, 0o666);
    writeState(file, STATE);
    expect(readState(file)).toEqual(STATE);
    expect(mode(file)).toBe('600');
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
  });

  test('one of a living process stays: store_taken, which names it, its port and the file', async () => {
    const other = { ...STATE, pid: process.ppid };
    put(JSON.stringify(other));
    const fault = await faultOf(() => writeState(file, STATE));
    expect(fault).toMatchObject({ code: 'store_taken', exit: 1 });
    for (const part of [process.ppid, other.port, file]) expect(fault.message).toContain(String(part));
    for (const way of ['Stop', '--state-file', 'WSSESS_REDIS_URL']) expect(fault.advice).toContain(way);
    expect(readState(file)).toEqual(other);
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
  });

  test.each([
    ['below a file', () => join(folder, 'plain', 'embedded.json')],
    ['far below a file', () => join(folder, 'plain', 'wssess', 'embedded.json')],
    ['where a folder is', () => folder],
  ])('%s: a usage error that names the file and --state-file', async (_, place) => {
    writeFileSync(join(folder, 'plain'), 'mine');
    const fault = await faultOf(() => writeState(place(), STATE));
    expect(fault).toMatchObject({ code: 'usage', exit: 2, advice: 'Name another with --state-file.' });
    expect(fault.message).toContain(`the state file ${place()} cannot be written: E`);
    expect(readdirSync(folder)).toEqual(['plain']);
  });

  test.skipIf(process.getuid?.() === 0)('where it may not write: the same', async () => {
    chmodSync(folder, 0o500);
    expect(await faultOf(() => writeState(file, STATE))).toMatchObject({ code: 'usage', exit: 2 });
  });
});

test('of ten processes at once, one gets it', async () => {
  const source = JSON.stringify(join(import.meta.dirname, '../../src/store/state-file.ts'));
  const at = Date.now() + 1500; // all of them have loaded by then
  const code = `import { writeState } from ${source};
    const state = { pid: process.pid, port: 5, password: 'secret', prefix: 'ws' };
    process.stdin.on('end', () => process.exit()).resume();
    while (Date.now() < ${at}) {}
    try { writeState(${JSON.stringify(file)}, state); console.log('mine ' + process.pid); }
    catch (error) { console.log(error.code); }`;
  const children = Array.from({ length: 10 }, () =>
    spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const words = await Promise.all(
    children.map(
      (child) => new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text).trim()))),
    ),
  );
  for (const child of children) child.stdin.end(); // it lives until all have tried
  const [mine, ...others] = words.sort((a, b) => Number(b.startsWith('mine')) - Number(a.startsWith('mine')));
  expect(others).toEqual(Array(9).fill('store_taken'));
  expect(mine).toBe(`mine ${readState(file)?.pid}`);
  expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
});

describe('removing', () => {
  test('its own goes', () => {
    writeState(file, STATE);
    removeState(file);
    expect(existsSync(file)).toBe(false);
  });

  test("another's, garbage and none at all are left alone", () => {
    for (const text of [JSON.stringify({ ...STATE, pid: process.ppid }), 'hello']) {
      put(text);
      removeState(file);
      expect(existsSync(file)).toBe(true);
    }
    rmSync(file);
    removeState(file);
    expect(existsSync(file)).toBe(false);
  });
});
