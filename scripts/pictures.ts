/**
 * The README's picture, from the real thing: `npm run pictures` opens `wssess demo` on a terminal of tmux, waits until its
 * curves have something to show, picks two sessions, and draws the screen as docs/pictures/top.svg.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toSvg } from './screen-to-svg.ts';

const [COLUMNS, ROWS] = [110, 30];
/** Seconds that the crowd is watched. */
const WATCHED = Number(process.argv[2] ?? 150);

const TITLE = 'wssess top: live sessions, newest first, with two of them marked';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'wssess-picture-'));
const tmux = (...args: string[]) =>
  execFileSync('tmux', ['-u', '-f', '/dev/null', '-S', join(folder, 'socket'), ...args], { encoding: 'utf8' });
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const program = `'${process.execPath}' '${join(root, 'bin/wssess.js')}' demo --sessions 120 --state-file '${join(folder, 'state')}'`;
tmux('new-session', '-d', '-x', String(COLUMNS), '-y', String(ROWS), `unset CI; ${program}`);
try {
  await pause(WATCHED);
  for (const key of ['NPage', 'NPage', 'Up', 'Space', 'Up', 'Up', 'Space', 'Up', 'Up', 'Up', 'Up']) {
    tmux('send-keys', key);
    await pause(0.3);
  }
  await pause(2.5); // what only the node knows of new rows is there then
  const file = join(root, 'docs/pictures/top.svg');
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, toSvg(tmux('capture-pane', '-p', '-e'), { columns: COLUMNS, rows: ROWS - 1, title: TITLE }));
  console.log(`written: ${file}`);
} finally {
  tmux('send-keys', 'q');
  await pause(3); // the server of tmux ends with its only program
  rmSync(folder, { recursive: true, force: true });
}
