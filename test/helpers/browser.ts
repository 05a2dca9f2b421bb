/** A headless Chromium that opens a page of the test's own. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { within } from './wait.ts';

const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
/** Tests that need it are skipped, and shown so, where it isn't installed. */
export const hasChromium = CHROMIUM !== undefined;
if (!hasChromium && process.env.WSSESS_TEST_REQUIRE) throw new Error('chromium is not installed, and must be here');

/**
 * Opens a page that loads these scripts, one after the other, and waits for what it posts to /done.
 * @param scripts their text
 * @param patience milliseconds
 * @returns what was posted, read as JSON
 */
export async function runPage(scripts: string[], patience: number): Promise<any> {
  const profile = mkdtempSync(join(tmpdir(), 'wssess-chromium-'));
  const tags = scripts.map(
    (_, i) => `<script type="${i === scripts.length - 1 ? 'module' : 'text/javascript'}" src="/${i}.js"></script>`,
  );
  let done: (posted: string) => void = () => {};
  const posted = new Promise<string>((resolve) => {
    done = resolve;
  });
  const server = createServer(async (request, response) => {
    const script = scripts[Number(/^\/(\d+)\.js$/.exec(request.url ?? '')?.[1] ?? -1)];
    if (request.url === '/done') done(Buffer.concat(await request.toArray()).toString());
    const type = script === undefined ? 'text/html' : 'text/javascript';
    response.setHeader('content-type', `${type}; charset=utf-8`);
    response.end(script ?? `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${tags.join('')}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const chromium = spawn(CHROMIUM!, [...flags, `--user-data-dir=${profile}`, '--enable-logging=stderr', url], {
    detached: true, // a group of its own: it has many processes
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  chromium.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => chromium.once('close', () => resolve()));
  const early = ended.then(() => Promise.reject(new Error('chromium ended')));
  try {
    return JSON.parse(await within(Promise.race([posted, early]), patience, 'the page'));
  } catch (error) {
    throw new Error(`${(error as Error).message}; chromium said: ${said}`);
  } finally {
    early.catch(() => {});
    try {
      process.kill(-chromium.pid!, 'SIGKILL');
    } catch {} // it ended by itself
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
