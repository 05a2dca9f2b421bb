/** How a process comes to have the state file: what it replaces, what it leaves alone, and that one alone has it. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { removeState, writeState } from '../../src/store/state-claim.ts';
import { readState, type State } from '../../src/store/state-file.ts';
import { faultOf } from '../helpers/floor.ts';
import { giveAway, stale, startLiving, startMute } from '../helpers/state.ts';
import { within } from '../helpers/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

let folder: string;
let file: string;
let living: { close(): unknown }[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wssess-state-'));
  file = join(folder, 'wssess', 'embedded.json');
  living = [];
});
afterEach(async () => {
  for (const { close } of living) await close();
  rmSync(folder, { recursive: true });
});

/** Puts this text there. */
function put(text: string, path = file): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}

/** The state of a store that runs until the end of the test. */
async function runs(): Promise<State> {
  const one = await startLiving();
  living.push(one);
  return one.state;
}

/** Exactly this file is there, and it is whole. */
function expectOnly(state: State): void {
  expect(readState(file)).toEqual(state);
  expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
}

describe('writing', () => {
  test('its owner alone can read it, whatever the umask, and nothing else is left beside it', async () => {
    const state = await runs();
    const before = process.umask(0);
    try {
      await writeState(file, state);
    } finally {
      process.umask(before);
    }
    expect([mode(file), mode(dirname(file))]).toEqual(['600', '700']);
    expectOnly(state);
  });

  test.each([
    [
      'one of a store that is gone, whose process id is that of a living process',
      async () => JSON.stringify(await stale()),
    ],
    ['one with the process id of its own', async () => JSON.stringify(await stale({ pid: process.pid }))],
    ['an empty one', async () => ''],
  ])('replaces %s, even where that was open to all', async (_, text) => {
    put(await text());
    chmodSync(file, 0o666);
    const state = await runs();
    await writeState(file, state);
    expectOnly(state);
    expect(mode(file)).toBe('600');
  });

  test('one of a store that lives stays: store_taken, which names its process, its port and the file', async () => {
    const [other, state] = [await runs(), await runs()];
    put(JSON.stringify(other));
    const fault = await faultOf(() => writeState(file, state));
    expect(fault).toMatchObject({ code: 'store_taken', exit: 1 });
    for (const part of [other.pid, other.port, file]) expect(fault.message).toContain(String(part));
    for (const way of ['Stop', '--state-file', 'WSSESS_REDIS_URL']) expect(fault.advice).toContain(way);
    expectOnly(other);
  });

  test('one of a process that is there and does not answer stays: it may be stopped', async () => {
    const mute = await startMute();
    try {
      const other = await stale({ port: mute.port });
      put(JSON.stringify(other));
      expect(await faultOf(async () => writeState(file, await runs()))).toMatchObject({ code: 'store_taken' });
      expectOnly(other);
    } finally {
      mute.close();
    }
  });

  test('the folder that is there keeps its mode', async () => {
    mkdirSync(dirname(file), { mode: 0o755 });
    await writeState(file, await runs());
    expect([mode(file), mode(dirname(file))]).toEqual(['600', '755']);
  });

  describe('where it may not: a usage error that names the file and --state-file, at once', () => {
    const PLACES: [string, () => string][] = [
      ['below a file', () => join(folder, 'plain', 'embedded.json')],
      ['far below a file', () => join(folder, 'plain', 'wssess', 'embedded.json')],
      ['where a folder is', () => folder],
      ['where the kernel takes no folder', () => '/proc/wssess/state/embedded.json'],
      ['where the kernel takes no file', () => '/proc/embedded.json'],
    ];
    const places = existsSync('/proc/self') ? PLACES : PLACES.slice(0, 3);
    test.each(places)('%s', async (_, place) => {
      writeFileSync(join(folder, 'plain'), 'mine');
      const fault = await faultOf(async () => writeState(place(), await runs()));
      expect(fault).toMatchObject({ code: 'usage', exit: 2, advice: 'Name another with --state-file.' });
      expect(fault.message).toContain(`the state file ${place()} cannot be written: E`);
      expect(readdirSync(folder)).toEqual(['plain']);
    });

    test('in a folder that is not its own', async () => {
      mkdirSync(dirname(file));
      chmodSync(dirname(file), 0o500);
      // Root may write everywhere: as another user, then.
      const asRoot = process.geteuid?.() === 0;
      if (asRoot) chmodSync(folder, 0o755);
      const state = await runs();
      try {
        if (asRoot) process.seteuid!(65_534);
        expect(await faultOf(() => writeState(file, state))).toMatchObject({
          code: 'usage',
          message: expect.stringMatching(/cannot be (written|read): EACCES$/),
        });
      } finally {
        if (asRoot) process.seteuid!(0);
      }
      expect(readdirSync(dirname(file))).toEqual([]);
    });
  });

  test('a symbolic link is neither followed nor replaced', async () => {
    const target = join(folder, 'precious');
    put('mine', target);
    mkdirSync(dirname(file));
    symlinkSync(target, file);
    const fault = await faultOf(async () => writeState(file, await runs()));
    expect(fault).toMatchObject({ code: 'usage', advice: 'Remove it, or name another with --state-file.' });
    expect(fault.message).toBe(`the state file ${file} is a symbolic link`);
    expect(readFileSync(target, 'utf8')).toBe('mine');
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
  });

  test('a file that holds something else is not replaced', async () => {
    put('precious');
    const fault = await faultOf(async () => writeState(file, await runs()));
    expect(fault).toMatchObject({ code: 'usage', message: `the state file ${file} holds something else` });
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
  });

  test("another user's file is not replaced", async () => {
    put('theirs');
    const giveBack = giveAway(file);
    try {
      const fault = await faultOf(async () => writeState(file, await runs()));
      expect(fault).toMatchObject({ code: 'usage', message: expect.stringContaining('belongs to user') });
    } finally {
      giveBack();
    }
    expect(readFileSync(file, 'utf8')).toBe('theirs');
    expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
  });
});

describe('several at once', () => {
  /** Of all that try, one has it and the others are told. */
  async function expectOneOf(states: readonly State[]): Promise<void> {
    const tried = await Promise.allSettled(states.map((state) => writeState(file, state)));
    const lost = tried.filter((one) => one.status === 'rejected').map(({ reason }) => reason.code);
    expect(lost).toEqual(Array(states.length - 1).fill('store_taken'));
    expectOnly(states[tried.findIndex(({ status }) => status === 'fulfilled')]!);
  }

  test.each([
    ['no file', undefined],
    ['a stale one', async () => JSON.stringify(await stale())],
    ['an empty one', async () => ''],
  ])('in one process, on %s: one has it', async (_, text) => {
    const states = await Promise.all(Array.from({ length: 6 }, runs));
    for (let round = 0; round < 20; round++) {
      rmSync(dirname(file), { recursive: true, force: true });
      if (text) put(await text());
      await expectOneOf(states);
    }
  });

  /** A process with a store: of each path that it is told, it says whether it has got it. */
  const claimer = (prelude = '') => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', prelude + CLAIMER], {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    living.push({ close: () => child.kill('SIGKILL') });
    return child;
  };
  const CLAIMER = `
    import { createInterface } from 'node:readline';
    import { startEmbedded } from './src/store/embedded/server.ts';
    import { writeState } from './src/store/state-claim.ts';
    const password = 'of process ' + process.pid;
    const { port } = await startEmbedded({ password, scripts: [] });
    console.log('ready');
    for await (const file of createInterface(process.stdin)) {
      await writeState(file, { pid: process.pid, port, password, prefix: 'ws' }).then(
        () => console.log('mine'),
        ({ code, message }) => console.log(code ?? message),
      );
    }
    process.exit();`;

  test('in six processes, on a stale one, again and again: one has it', async () => {
    const children = Array.from({ length: 6 }, () => claimer());
    const lines = children.map(({ stdout }) => createInterface(stdout)[Symbol.asyncIterator]());
    const answers = () => Promise.all(lines.map(async (line) => (await within(line.next(), 20_000)).value as string));
    expect(new Set(await answers())).toEqual(new Set(['ready']));
    for (let round = 0; round < 15; round++) {
      rmSync(dirname(file), { recursive: true, force: true });
      put(JSON.stringify(await stale()));
      for (const { stdin } of children) stdin.write(`${file}\n`);
      const said = await answers();
      expect([...said].sort()).toEqual(['mine', ...Array(5).fill('store_taken')]);
      expect(readState(file)?.pid).toBe(children[said.indexOf('mine')]!.pid);
      expect(readdirSync(dirname(file))).toEqual(['embedded.json']);
    }
  });

  test('where processes were killed in the midst of replacing one: one has it', async () => {
    put(JSON.stringify(await stale()));
    const dying = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.renameSync = () => process.kill(process.pid, 'SIGKILL');
      syncBuiltinESMExports();`;
    for (let killed = 1; killed <= 2; killed++) {
      const child = claimer(dying);
      const end = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
      child.stdin.write(`${file}\n`);
      expect(await within(end, 20_000)).toBe('SIGKILL');
      // The part that it wrote, and under another name the right to replace what it found.
      expect(readdirSync(dirname(file))).toHaveLength(1 + 2 * killed);
    }
    // These stay: nobody can tell them from what is being written.
    for (const name of readdirSync(dirname(file))) if (name.endsWith('.part')) rmSync(join(dirname(file), name));
    expect(readdirSync(dirname(file))).toHaveLength(3);
    await expectOneOf(await Promise.all(Array.from({ length: 6 }, runs)));
  });
});

describe('removing', () => {
  test('its own goes', async () => {
    const state = await runs();
    await writeState(file, state);
    removeState(file, state);
    expect(existsSync(file)).toBe(false);
  });

  test("another's, garbage and none at all are left alone", async () => {
    const state = await runs();
    // In a container each process may have the same id.
    for (const text of [JSON.stringify({ ...state, password: "another's" }), 'hello']) {
      put(text);
      removeState(file, state);
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
    rmSync(file);
    removeState(file, state);
    expect(existsSync(file)).toBe(false);
  });

  test('what it may not look at any more does not stop the end of the process', async () => {
    const state = await runs();
    put(JSON.stringify(state), `${file}.real`);
    symlinkSync(`${file}.real`, file);
    removeState(file, state);
    expect(readdirSync(dirname(file))).toHaveLength(2);
  });
});
