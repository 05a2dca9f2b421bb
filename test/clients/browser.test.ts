/** The builds of the clients that pages load, in a real browser: the scenarios of every client, and heart-beats. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { hasChromium, runPage } from '../helpers/browser.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { SECRET, sign } from '../helpers/tokens.ts';
import type { Result } from './page.ts';
import { scenariosFor } from './scenarios/all.ts';

const MODULES = join(import.meta.dirname, '../../node_modules');
const BUILDS = [
  '@stomp/stompjs/bundles/stomp.umd.min.js',
  'stompjs/lib/stomp.min.js',
  'webstomp-client/dist/webstomp.min.js',
];

describe.skipIf(!hasChromium)('in a browser', () => {
  // A page of another port is of another origin: it needs a token.
  const served = serveForFile(['--node', 'browser', '--send-roles', 'AGENT', '--heart-beat', '200ms,200ms'], {
    WSSESS_JWT_SECRET: SECRET,
  });

  it('every client does what it does in Node, and keeps up heart-beats', async () => {
    const page = await build({
      entryPoints: [join(import.meta.dirname, 'page.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      target: 'es2022',
    });
    const said = { ws: served.ws, user: 'kim', token: await sign({ sub: 'kim', role: 'AGENT' }) };
    const builds = BUILDS.map((file) => readFileSync(join(MODULES, file), 'utf8'));
    const scripts = [...builds, `window.said = ${JSON.stringify(said)}`, page.outputFiles[0]!.text];
    const results = (await runPage(scripts, 60_000)) as Result[];
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
    const [all, text, beats] = [scenariosFor('1.2', true).length, scenariosFor('1.2', false).length, 1];
    expect(results).toHaveLength(3 * (all + beats) + 3 * (text + beats));
  }, 90_000);
});
