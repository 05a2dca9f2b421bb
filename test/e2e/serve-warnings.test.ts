/** What serve warns of when it starts: settings that are taken as they are, and were hardly meant so. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startServe } from '../helpers/program.ts';
import { until } from '../helpers/wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'wssess-warnings-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['10000,10000', 'is 2h46m40s,2h46m40s, since a bare number is seconds: write 10s,10s if milliseconds were meant'],
  ['0,4500', 'is 0s,1h15m, since a bare number is seconds: write 0s,4s500ms if milliseconds were meant'],
  ['10s,15m', undefined],
])('--heart-beat %s', async (text, warning) => {
  const serve = await startServe('', ['--heart-beat', text, '--state-file', join(folder, 'state.json')]);
  try {
    await until(() => serve.stderr().includes('clients need no token'), 10_000, 'the warnings');
    if (warning) await until(() => serve.stderr().includes(`warn --heart-beat ${warning}`), 10_000, 'the warning');
    else expect(serve.stderr()).not.toContain('--heart-beat');
  } finally {
    await serve.stop();
  }
});
