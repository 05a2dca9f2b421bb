/** Whether the store of a state lives: its port is asked, its process id only where that says nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from '../../src/store/alive.ts';
import { PASSWORD, startStore } from '../helpers/embedded.ts';
import { stale, startLiving, startMute } from '../helpers/state.ts';
import { until, within } from '../helpers/wait.ts';

const GONE = spawnSync(process.execPath, ['-e', '0']).pid;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
const ended = <T extends { close(): unknown }>(one: T): T => {
  ends.push(() => one.close());
  return one;
};

test('one that answers lives, whatever its process id', async () => {
  const { state } = ended(await startLiving());
  expect(await isAlive(state)).toBe(true);
  expect(await isAlive({ ...state, pid: GONE })).toBe(true);
});

test('where nothing listens it is gone, though there is a process of that id', async () => {
  expect(await isAlive(await stale())).toBe(false);
  expect(await isAlive(await stale({ pid: 1 }))).toBe(false);
});

test.skipIf(!existsSync('/proc/self/stat'))('a zombie is gone', async () => {
  // A shell that has become `sleep` never asks after the child that it had before; which ends after that.
  const parent = spawn('sh', ['-c', 'sleep 1 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  ends.push(() => parent.kill('SIGKILL'));
  const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
  await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '), 10_000, 'the child to end');
  expect(() => process.kill(pid, 0)).not.toThrow();
  expect(await isAlive(await stale({ pid }))).toBe(false);
});

test('a store of another password has its port now: gone', async () => {
  const { port } = ended(await startStore({ password: PASSWORD }));
  expect(await isAlive(await stale({ port }))).toBe(false);
});

test.each(['HTTP/1.1 400 Bad Request\r\n\r\n', '-ERR AUTH called without any password\r\n', '+OK\r\n-ERR\r\n'])(
  'something else has its port now, which says %j: gone',
  async (greeting) => {
    const { port } = ended(await startMute(greeting));
    expect(await isAlive(await stale({ port }))).toBe(false);
  },
);

test.each(['', '+OK\r\n', '-ERR max number of clients reached\r\n'])(
  'what is there says no more than %j (stopped, busy): its process decides',
  async (greeting) => {
    const { port } = ended(await startMute(greeting));
    expect(await within(isAlive(await stale({ port })))).toBe(true);
    expect(await within(isAlive(await stale({ port, pid: GONE })))).toBe(false);
  },
);
