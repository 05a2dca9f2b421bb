/**
 * The demo without a terminal: what runs, the crowd, a kick as its client saw it, who is there and who is gone. What is
 * shown is what `wssess` itself prints; an answer that isn't as it must be fails the demo.
 */
import { WssessError } from '../common/errors.ts';
import { visible } from '../common/escape.ts';
import { pause } from '../common/pause.ts';
import { VERSION } from '../common/version.ts';
import type { Crowd, Tally } from './crowd.ts';
import type { Stage } from './stage.ts';
import type { Visitor } from './visitor.ts';

export interface Shell {
  out(text: string): Promise<void>;
  /** Runs `wssess ARGS` as another terminal would. @returns its exit code */
  wssess(args: readonly string[]): Promise<number>;
}

/** Milliseconds for which they come and go. */
const MINGLING = 4000;
/** Seconds that one stays meanwhile, so that there is something to tell. */
const HURRIED = 16;
/** For what must follow at once, in milliseconds. */
const PATIENCE = 5000;
const ROWS = '12';
const REASON = 'password changed';

/**
 * Prints it; cut short when the demo is over before.
 * @throws WssessError `internal` when something is not as it must be
 */
export async function report(stage: Stage, shell: Shell): Promise<void> {
  const { ws, url, where, crowd, over } = stage;
  await shell.out(
    `wssess ${VERSION} demo: the session server, a store, and clients over real sockets, all in this process.\n` +
      `  STOMP  ${ws}\n  REST   ${url}/api/session\n  store  ${where}\n\n`,
  );
  const begin = performance.now();
  await crowd.gather();
  if (over.aborted) return;
  const took = ((performance.now() - begin) / 1000).toFixed(1);
  const users = new Set(crowd.here.map(({ device }) => device.user)).size;
  await shell.out(`${count(crowd.here.length, 'session')} of ${count(users, 'user')} connected in ${took} s.\n`);
  const star = crowd.mostDevices();
  await shell.out(`${await mingled(crowd, star, over)}\n`);
  if (over.aborted) return;

  await typed(shell, ['ls', '--limit', ROWS, '-o', 'wide'], 0);
  await typed(shell, ['stats'], 0);
  await typed(shell, ['who', star], 0);
  const [kicked] = crowd.of(star);
  if (!kicked) throw failed(`${star} is not here any more`);
  await typed(shell, ['kick', kicked.session, '--reason', REASON], 0);
  await shell.out(`\nWhat its client received:\n${await received(kicked)}`);

  const gone = await crowd.arriveNew(star);
  gone.vanish();
  await unlisted(gone, stage);
  await shell.out(`\n${gone.device.user} came, and closed the tab without a word:\n`);
  await typed(shell, ['who', gone.device.user], 1);
}

/** Runs a command as if somebody had typed it. */
async function typed(shell: Shell, args: readonly string[], expected: number): Promise<void> {
  await shell.out(`\n$ wssess ${args.map((arg) => (/[\s"]/.test(arg) ? JSON.stringify(arg) : arg)).join(' ')}\n`);
  const code = await shell.wssess(args);
  if (code !== 0) await shell.out(`(exit code ${code})\n`);
  if (code !== expected) throw failed(`wssess ${args[0]} ended with exit code ${code} instead of ${expected}`);
}

/** Lets them come and go for a while. @returns what happened, as a sentence */
async function mingled(crowd: Crowd, star: string, over: AbortSignal): Promise<string> {
  const before = { ...crowd.tally };
  crowd.mingle(star, HURRIED);
  await pause(MINGLING, over);
  crowd.settle();
  const since = (what: keyof Tally) => crowd.tally[what] - before[what];
  return (
    `In the ${MINGLING / 1000} s after that ${since('arrived')} came, ${since('left')} left, ${since('vanished')} ` +
    `closed the tab without a word, and ${count(since('said'), 'message')} went to /topic/….`
  );
}

/** The ERROR frame and the close, as stompjs handed them over. */
async function received(visitor: Visitor): Promise<string> {
  const late = new AbortController();
  const how = await Promise.race([visitor.closed, pause(PATIENCE, late.signal)]);
  late.abort();
  if (!how) throw failed('the kicked client is still connected');
  const { error } = visitor;
  if (!error) throw failed('the kicked client received no ERROR');
  const headers = Object.entries(error.headers).map(([name, value]) => `${name}:${value}`);
  const frame = [error.command, ...headers, '', ...error.body.split('\n')].map((line) =>
    `  ${visible(line)}`.trimEnd(),
  );
  return `${frame.join('\n')}\nand the socket closed with ${how.code}, "${visible(how.reason)}".\n`;
}

/** Waits until the server has noticed. */
async function unlisted({ session, closed }: Visitor, { sessions, over }: Stage): Promise<void> {
  await closed;
  const end = performance.now() + PATIENCE;
  while (await sessions.directory.get(session)) {
    if (performance.now() > end || over.aborted) throw failed(`session ${session} is still listed`);
    await pause(10, over);
  }
}

const count = (many: number, what: string) => `${many.toLocaleString('en-US')} ${what}${many === 1 ? '' : 's'}`;

function failed(message: string): WssessError {
  return new WssessError('internal', `the demo failed: ${message}`);
}
