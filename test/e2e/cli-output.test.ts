/** What a command does when standard output can't take what it has to say. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BIN, environment } from '../helpers/program.ts';
import { within } from '../helpers/wait.ts';

/** A device that is always full. */
const FULL = '/dev/full';

async function onFull(args: string[], full: 'stdout' | 'stderr' = 'stdout') {
  const device = openSync(FULL, 'w');
  const stdio = full === 'stdout' ? [device, 'pipe' as const] : ['ignore' as const, device];
  const child = spawn(process.execPath, [BIN, ...args], { env: environment(), stdio: ['ignore', ...stdio] });
  closeSync(device);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await within(
    new Promise<number | null>((resolve) => child.once('close', resolve)),
    30_000,
    args.join(' '),
  );
  return { code, stderr };
}

(existsSync(FULL) ? describe : describe.skip)('a full disk behind standard output', () => {
  const line = 'cannot write to standard output: no space left on device';

  test.each([['config'], ['config --no-headers'], ['--help'], ['ls --help'], ['--version']])(
    '%s: one line, exit 1',
    async (args) => {
      const ran = await onFull(args.split(' '));
      expect(ran).toEqual({ code: 1, stderr: `error: ${line}. Make room there, or write elsewhere.\n` });
    },
  );

  test('the published JSON where that was asked for', async () => {
    const { code, stderr } = await onFull(['config', '-o', 'json']);
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'output_failed', message: line } });
  });

  test('behind standard error: the exit code tells', async () => {
    expect((await onFull(['ls'], 'stderr')).code).toBe(5);
  });
});
