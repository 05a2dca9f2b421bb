/** `wssess doctor`: what is wrong in Redis and with the nodes' memory; with --fix it mends that. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { rfc3339 } from '../../common/time.ts';
import { type CheckOptions, check, type FaultRow, type Report } from '../../sessions/doctor/doctor.ts';
import { ensureWritable } from '../../sessions/schema.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Io } from '../io.ts';
import { addOutput, addStore, countOption, type Flags, withSessions } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { drawTable, isForPrograms, plural, print, thousands } from '../output/print.ts';

/** Faults that are mended without a yes. */
const UNASKED = 10;
/** Faults that are named, where nothing is said. */
const LISTED = 100;

export function define(command: Command): void {
  addStore(command);
  addOutput(command);
  command
    .option('--fix', 'mend what is found')
    .option('-y, --yes', `do not ask before more than ${UNASKED} faults are mended`)
    .option('--limit <count>', `faults that are listed; all are counted (default ${LISTED})`, countOption)
    .addHelpText(
      'after',
      `
Compares the four families, the indexes and what the nodes have in memory, at a
pace that Redis doesn't notice. What comes and goes meanwhile is no fault: each
is looked at again after some seconds. Without --fix nothing is changed.

Faults, and what --fix does:
  ghost          a session that no process has a socket for: removed
  expired_id     an id whose session key is gone: taken out, or written again
                 by its node, which has the socket
  unlisted       a live session that the set of all lacks: listed again
  missing_index  one that another set or index lacks, or that lost its role or
                 details, or whose details can't be read: written again
  orphan_index   an entry or details that belong to no session, or to another:
                 removed
  no_ttl         a key without a TTL where what it belongs to has one: it gets
                 that. No TTL is shortened. A foreign session key without one is
                 no fault, its program wants it so: "endless" counts these, and
                 wssess refresh SESSION gives them one
  bad_id         an id that can't be a session's (empty, a colon, over 512
                 bytes, not UTF-8), or a key of another type: the id is taken
                 out of the indexes, and out of the sets where no key stands
                 behind it. The rest is for you: look with redis-cli TYPE KEY,
                 then RENAME or DEL it, and run this again. An id behind which
                 a key stands, or that is not UTF-8, you take out of KEY with
                 redis-cli SREM or ZREM, if it is nobody's

Exit code 0: nothing found, or all mended; 1: faults found, or left; 3: a node did
not answer, so that what it has in memory is not known; 5: Redis is unreachable.

Examples:
  wssess doctor
  wssess doctor --fix --yes -o json`,
    );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  const stopped = new AbortController();
  io.onSignal(() => stopped.abort());
  const report = await withSessions(flags, io, (sessions) => examine(sessions, stopped.signal, flags, io));
  await tell(report, flags, io);
  if (stopped.signal.aborted) throw new WssessError('stopped', 'not everything was looked at');
  if (report.total > report.fixed) return EXIT.no;
  return report.complete ? EXIT.ok : EXIT.partial;
}

async function examine(sessions: Sessions, signal: AbortSignal, flags: Flags, io: Io): Promise<Report> {
  const options: CheckOptions = { signal, limit: (flags.limit as number | undefined) ?? LISTED };
  if (!flags.fix) return check(sessions, options);
  await ensureWritable(sessions.store, sessions.keys);
  if (flags.yes) return check(sessions, { ...options, fix: true });
  const found = await check(sessions, options);
  if (found.mendable === 0 || signal.aborted) return found;
  if (found.mendable > UNASKED && !(await isConfirmed(found, flags, io))) return found;
  return check(sessions, { ...options, fix: true });
}

async function isConfirmed(found: Report, flags: Flags, io: Io): Promise<boolean> {
  const what = plural(found.mendable, 'fault');
  if (!io.canAsk()) {
    throw new WssessError('confirm_needed', `${what} would be mended`, {
      advice: 'Look without --fix, then repeat with --yes.',
    });
  }
  io.err(await drawTable(io, { ...flags, headers: false }, countsOf(found), COUNTS));
  if (/^\s*y(es)?\s*$/i.test(await io.ask(`Mend ${what}? [y/N] `))) return true;
  io.err('nothing was changed\n');
  return false;
}

async function tell(report: Report, flags: Flags, io: Io): Promise<void> {
  const { faults, total, checked, mendable, byHand } = report;
  await print(io, flags, {
    json: published(report),
    lines: faults,
    rows: isForPrograms(flags) ? faults.filter(({ session_id }) => session_id !== null) : faults,
    columns: COLUMNS,
    name: ({ session_id }) => session_id ?? '',
  });
  if (isForPrograms(flags)) return;
  if (faults.length < total) io.err(`… ${thousands(total - faults.length)} more, --limit lists them\n`);
  io.err(`${plural(checked.sessions, 'session')}, ${plural(checked.users, 'user')} looked at: ${verdict(report)}\n`);
  if (checked.endless > 0) io.err(`${endless(checked.endless)}\n`);
  if (mendable > 0) io.err(flags.fix ? `${unmended(mendable)}\n` : 'mend with: wssess doctor --fix\n');
  if (byHand.key > 0) io.err(`${are(byHand.key)} for you: look with redis-cli TYPE KEY, then RENAME or DEL it\n`);
  if (byHand.member > 0) {
    io.err(`${are(byHand.member)} for you: take the id out of KEY with redis-cli SREM or ZREM, and leave KEY\n`);
  }
  if (report.cut) io.err('nothing else was looked at: all else depends on these keys; run it again then\n');
  if (report.nodesMissing.length > 0) {
    io.err(
      `warning: ${report.nodesMissing.map(visible).join(', ')} did not answer: what is in memory there is not known\n`,
    );
  }
}

/** The published shape. */
function published({ at, complete, nodesMissing, checked, faults, counts }: Report) {
  return { at: rfc3339(at), complete, nodes_missing: nodesMissing, checked, faults, counts };
}

/** `nothing wrong`; `3 faults, 2 mended` */
function verdict({ total, fixed, complete }: Report): string {
  if (total === 0) return complete ? 'nothing is wrong' : 'nothing wrong was found';
  return `${plural(total, 'fault')}${fixed > 0 ? `, ${fixed === total ? 'all' : thousands(fixed)} mended` : ''}`;
}

const are = (count: number) => `${plural(count, 'fault')} ${count === 1 ? 'is' : 'are'}`;

const unmended = (count: number) =>
  `${plural(count, 'fault')} could not be mended: the node did not take it, or others keep changing it; see the log of the node, and run it again`;

function endless(count: number): string {
  const has = count === 1 ? '1 foreign session has' : `${thousands(count)} foreign sessions have`;
  return `${has} no TTL, as ${count === 1 ? 'its' : 'their'} program wrote it; wssess refresh gives one`;
}

const COLUMNS: Column<FaultRow>[] = [
  { name: 'FAULT', value: ({ fault }) => fault, keep: true },
  { name: 'SESSION', value: ({ session_id }) => session_id ?? '', shrink: true },
  { name: 'USER', value: ({ user }) => user ?? '', shrink: true },
  { name: 'NODE', value: ({ node }) => node ?? '' },
  {
    name: 'FIXED',
    value: ({ fixed }) => (fixed ? 'yes' : 'no'),
    style: ({ fixed }) => (fixed ? 'green' : 'red'),
  },
  { name: 'KEY', value: ({ key }) => key ?? '', shrink: true },
];

type Count = readonly [fault: string, count: number];
const countsOf = ({ counts }: Report): Count[] => Object.entries(counts).filter(([, count]) => count > 0);
const COUNTS: Column<Count>[] = [
  { name: 'FAULT', value: ([fault]) => fault },
  { name: 'COUNT', value: ([, count]) => thousands(count), align: 'right' },
];
