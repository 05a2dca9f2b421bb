/** `wssess kick`: throws sessions out, and says of each what really happened. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { newActionId } from '../../common/ids.ts';
import { formatAge } from '../../common/time.ts';
import { MAX_REASON } from '../../sessions/control.ts';
import { isDone, isUnanswered, KICK_TIMEOUT, type KickResult, kick } from '../../sessions/kick.ts';
import { type Session, toRow } from '../../sessions/model.ts';
import { ensureWritable } from '../../sessions/schema.ts';
import { isSelective } from '../../sessions/selection.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { type Targets, targetsOf } from '../../sessions/targets.ts';
import { Throttle } from '../../sessions/throttle.ts';
import type { Io } from '../io.ts';
import {
  addOutput,
  addSelection,
  addStore,
  countOption,
  durationOption,
  type Flags,
  rateOption,
  selectionOf,
  withSessions,
} from '../options.ts';
import { lookAhead, type Outlook, sentenceOf } from '../output/kick-outlook.ts';
import { printKick } from '../output/kick-report.ts';
import { isForPrograms, NO_MATCH, plural, print } from '../output/print.ts';
import { lsColumns } from '../output/session-columns.ts';

/** Milliseconds after which it is said what is waited for. */
const PATIENCE = 1500;

export function define(command: Command): void {
  command.argument('[session...]', 'sessions to throw out; - reads ids from standard input, one a line');
  addStore(command);
  addSelection(command);
  addOutput(command);
  command
    .option('--reason <text>', `told to the client, at most ${MAX_REASON} bytes`)
    .option('--purge', 'remove the keys of sessions that no living node owns; their sockets may live on')
    .option('--max <count>', 'refuse to act on more sessions than this', countOption)
    .option('-y, --yes', 'do not ask before more than one session is thrown out')
    .option('--rate <count/s>', 'at most so many a second, so that they do not all come back at once', rateOption)
    .option('--dry-run', 'only show which sessions it would be')
    .option('--timeout <duration>', 'how long a node may take to answer (default 10s)', durationOption)
    .addHelpText(
      'after',
      `
Outcomes, a line each:
  kicked            its node has closed the socket
  already_gone      it ended meanwhile
  not_found         no live session has this id
  no_owner          a foreign session: another program has its socket
  node_unreachable  its node is dead
  timeout           its node did not answer, and will not act on it any more
  unknown           its node took the request and never answered

Exit code 0: all kicked or already gone; 3: some; 5: none, and a node did not
answer; 1: none. What --purge removed counts as done. Ctrl-C ends it after what
is under way, and tells what was done.

Examples:
  wssess kick 9fX2kQ7wTz1mVbLq --reason "password changed"
  wssess kick --user cust01 --except 9fX2kQ7wTz1mVbLq
  wssess ls --role BOT -o name | wssess kick - --yes
  wssess kick --node chat-1 --rate 50/s --yes`,
    );
}

export async function run(args: string[], flags: Flags, io: Io): Promise<number> {
  const reason = (flags.reason as string | undefined) || null;
  if (reason !== null && Buffer.byteLength(reason) > MAX_REASON) {
    throw new WssessError('usage', `--reason has ${Buffer.byteLength(reason)} bytes, at most ${MAX_REASON} are sent`, {
      advice: 'Shorten it.',
    });
  }
  const selection = await selectionOf(args, flags, io);
  if (!isSelective(selection)) {
    throw new WssessError('usage', 'no session is selected', {
      advice: 'Name ids, or select with --user, --role or --node.',
    });
  }
  return withSessions(flags, io, async (sessions) => {
    const targets = await targetsOf(sessions.directory, selection, { lost: true });
    refuseTooMany(targets.found.length, flags);
    const outlook = () => lookAhead(targets.found, sessions.nodes, flags.purge === true);
    if (flags.dryRun) return showTargets(targets, await outlook(), flags, io);
    if (needsConfirm(targets.found, flags) && !(await isConfirmed(targets.found, await outlook(), io))) {
      io.err('nothing was done\n');
      return EXIT.no;
    }
    const actionId = newActionId();
    const results = await act(sessions, targets, { actionId, reason }, flags, io);
    await printKick(results, actionId, flags, io);
    const [all, left] = [targets.found.length, targets.found.length + targets.missing.length - results.length];
    if (left > 0) throw new WssessError('stopped', `nothing was done about ${left} of ${plural(all, 'session')}`);
    return exitOf(results);
  });
}

function refuseTooMany(count: number, flags: Flags): void {
  const max = flags.max as number | undefined;
  if (max !== undefined && count > max) {
    throw new WssessError('too_many', `${plural(count, 'session')} are selected, --max allows ${max}`);
  }
}

async function showTargets({ found, missing }: Targets, outlook: Outlook, flags: Flags, io: Io): Promise<number> {
  // No table of nobody, and one sentence: which ids name nobody, or else that nobody fits.
  if (found.length === 0 && !isForPrograms(flags)) {
    io.err(missing.length > 0 ? notFound(missing) : NO_MATCH);
    return missing.length > 0 ? EXIT.no : EXIT.ok;
  }
  const rows = found.map((session) => toRow(session));
  const results = rows.map(({ session_id, user, node }) => ({ session_id, user, node }));
  await print(io, flags, {
    json: { results },
    lines: results,
    rows,
    columns: lsColumns(undefined, outlook.ghosts),
    name: (row) => row.session_id,
  });
  if (!isForPrograms(flags)) io.err(`${sentenceOf(outlook, 'would be')}\n`);
  if (missing.length > 0) io.err(notFound(missing));
  return rows.length === 0 && missing.length > 0 ? EXIT.no : EXIT.ok;
}

const notFound = (ids: readonly string[]) => `not found: ${ids.map(visible).join(', ')}\n`;

/** More than one is asked for, unless nothing will happen to any. */
function needsConfirm(found: readonly Session[], flags: Flags): boolean {
  return found.length > 1 && !flags.yes && (flags.purge === true || found.some(({ details }) => details));
}

/** Shows who it is and asks; the default is No. */
async function isConfirmed(found: readonly Session[], outlook: Outlook, io: Io): Promise<boolean> {
  if (!io.canAsk()) throw new WssessError('confirm_needed', sentenceOf(outlook, 'would be'));
  const stays = outlook.purge ? 'only its keys go' : 'stays';
  const most = Math.max(5, io.size().rows - 6);
  const lines = found.slice(0, most).map(({ id, user, details }) => {
    const since = details ? formatAge(Date.now() - details.connectedAt) : '';
    const node = details ? visible(details.node) : '';
    const where = !details ? `(foreign: ${stays})` : outlook.ghosts.has(id) ? `${node} (dead: ${stays})` : node;
    return `  ${visible(id)}  ${visible(user)}  ${where}  ${since}\n`;
  });
  if (found.length > most) lines.push(`  … ${found.length - most} more\n`);
  io.err(`${sentenceOf(outlook, 'will be')}:\n${lines.join('')}`);
  const question = outlook.kicked > 0 || !outlook.purge ? 'Kick them?' : 'Remove the keys?';
  return /^\s*y(es)?\s*$/i.test(await io.ask(`${question} [y/N] `));
}

/** Until it is done, or called off by a signal. */
async function act(
  sessions: Sessions,
  { found, missing }: Targets,
  told: { actionId: string; reason: string | null },
  flags: Flags,
  io: Io,
): Promise<KickResult[]> {
  if (found.length > 0) await ensureWritable(sessions.store, sessions.keys);
  const timeout = (flags.timeout as number | undefined) ?? KICK_TIMEOUT;
  const rate = flags.rate as number | undefined;
  const stopped = new AbortController();
  if (!isForPrograms(flags) && rate && found.length > rate) {
    io.err(`${rate} a second: about ${formatAge((found.length / rate) * 1000)}\n`);
  }
  // At a pace it takes long anyhow.
  const patience = rate ? undefined : setTimeout(() => io.err('waiting for a node to answer\n'), PATIENCE);
  io.onSignal(() => {
    if (!isForPrograms(flags)) io.err('stopping after what is under way\n');
    stopped.abort();
  });
  const pace = new Throttle(rate, stopped.signal);
  const options = { ...told, purge: flags.purge === true, timeout, pace };
  const results = await kick(found, sessions, options).finally(() => clearTimeout(patience));
  const order = new Map(found.map(({ id }, i) => [id, i]));
  results.sort((a, b) => order.get(a.session_id)! - order.get(b.session_id)!);
  const absent = missing.map((id): KickResult => {
    return { session_id: id, user: null, node: null, outcome: 'not_found', purged: false, took: 0 };
  });
  return [...results, ...absent];
}

/** 0 all done, 3 some, and if none: 5 when a node didn't answer, else 1. */
function exitOf(results: readonly KickResult[]): number {
  const done = results.filter(isDone).length;
  if (results.length > 0 && done === results.length) return EXIT.ok;
  if (done > 0) return EXIT.partial;
  return results.some(isUnanswered) ? EXIT.unreachable : EXIT.no;
}
