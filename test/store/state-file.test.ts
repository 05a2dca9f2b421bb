/** The state file as it is read: where it lies, what is taken for one, and whose are believed. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultStateFile, readState, type State } from '../../src/store/state-file.ts';
import { faultOf } from '../helpers/floor.ts';
import { giveAway } from '../helpers/state.ts';

const STATE: State = { pid: process.pid, port: 40_001, password: 'secret', prefix: 'ws' };
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
  writeFileSync(file, text, { mode: 0o600 });
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
    put(JSON.stringify(STATE));
    expect(readState(file)).toEqual(STATE);
  });

  test('below a file there is none', () => {
    put('mine');
    expect(readState(join(file, 'embedded.json'))).toBeUndefined();
  });

  test('a pipe is none, and is not waited for', () => {
    mkdirSync(dirname(file), { recursive: true });
    execFileSync('mkfifo', [file]);
    expect(readState(file)).toBeUndefined();
  });

  describe('what others may have written is not believed: a usage error that names the file', () => {
    const expectRefused = async (why: RegExp) => {
      const fault = await faultOf(() => readState(file));
      expect(fault).toMatchObject({ code: 'usage', exit: 2 });
      expect(fault.message).toContain(file);
      expect(fault.message).toMatch(why);
      expect(fault.advice).toBe('Remove it, or name another with --state-file.');
    };

    test.each([0o620, 0o602, 0o666])('mode %o', async (mode) => {
      put(JSON.stringify(STATE));
      chmodSync(file, mode);
      await expectRefused(/can be written by others/);
    });

    test('a symbolic link', async () => {
      put(JSON.stringify(STATE));
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
      await expectRefused(/is a symbolic link/);
    });

    test('the file of another user', async () => {
      put(JSON.stringify(STATE));
      const giveBack = giveAway(file);
      try {
        await expectRefused(/belongs to user \d+/);
      } finally {
        giveBack();
      }
    });
  });
});
