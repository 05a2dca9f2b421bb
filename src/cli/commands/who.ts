/** `wssess who USER…`: online? and where. */
import type { Command } from 'commander';
import { EXIT } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { askLive } from '../../sessions/live.ts';
import { type Row, toRow } from '../../sessions/model.ts';
import { Presence } from '../../sessions/presence.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import type { Io } from '../io.ts';
import { warnLeftOut, warnUnanswered } from '../nodes-missing.ts';
import { addOutput, addStore, emptyArgument, type Flags, withSessions } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { drawTable, isForPrograms, plural, print, thousands } from '../output/print.ts';
import { whoColumns } from '../output/session-columns.ts';

export function define(command: Command): void {
  command.argument('<user...>', 'users to look up');
  addStore(command);
  addOutput(command);
  command.option('--any', 'exit 0 when at least one of them is online').addHelpText(
    'after',
    `
With -o json one user gives an object, several a list; -o jsonl always gives a
line a user. In a pipe, and with --no-headers, the sessions of all users are one
table, with USER at its end, and who is online is told on standard error.

Sessions whose server is dead count for nobody, also while nobody has removed
them. A server that has been away for more than 8 s may only seem so: then who
looks again after 4 s, before it says offline.

Exit code 0: all of them are online; 1: not all.

Example:
  wssess who -q cust01 && echo online`,
  );
}

/** The published shape. */
interface Answer {
  user: string;
  online: boolean;
  session_count: number;
  sessions: Row[];
}

export async function run(users: string[], flags: Flags, io: Io): Promise<number> {
  if (users.includes('')) throw emptyArgument('user');
  const { answers, unanswered, leftOut } = await withSessions(flags, io, (sessions) =>
    look(sessions, users, flags.quiet !== true),
  );
  if (!flags.quiet) {
    await show(answers, flags, io);
    warnUnanswered(io, unanswered);
    warnLeftOut(io, leftOut);
  }
  const isOnline = ({ online }: Answer) => online;
  return (flags.any ? answers.some(isOnline) : answers.every(isOnline)) ? EXIT.ok : EXIT.no;
}

async function look(sessions: Sessions, users: string[], askNodes: boolean) {
  const pages = await Promise.all([...new Set(users)].map((user) => sessions.directory.sessionsOf(user)));
  const presence = new Presence(sessions);
  const online = await presence.only(pages.flatMap((page) => page.sessions));
  const live = askNodes ? await askLive(online, sessions) : undefined;
  const answers = users.map((user): Answer => {
    const own = online.filter((session) => session.user === user);
    const rows = own.map((session) => toRow(session, live?.facts.get(session.id))).sort(longestFirst);
    return { user, online: rows.length > 0, session_count: rows.length, sessions: rows };
  });
  return { answers, unanswered: live?.nodesMissing ?? [], leftOut: presence.leftOut };
}

/** Foreign sessions, whose connect time nobody knows, come last. */
const longestFirst = (a: Row, b: Row) => ((a.connected_at ?? '~') < (b.connected_at ?? '~') ? -1 : 1);

async function show(answers: Answer[], flags: Flags, io: Io): Promise<void> {
  if (isForPrograms(flags)) {
    await print(io, flags, {
      json: answers.length === 1 ? answers[0] : answers,
      lines: answers,
      rows: answers.flatMap(({ sessions }) => sessions),
      columns: whoColumns(),
      name: (row) => row.session_id,
    });
    return;
  }
  const isBare = flags.headers === false;
  if (isBare || !io.tty) {
    for (const answer of answers) if (!(isBare && answer.online)) io.err(`${sentence(answer)}\n`);
    const rows = answers.flatMap(({ sessions }) => sessions);
    return io.out(await drawTable(io, flags, rows, [...whoColumns(), USER]));
  }
  for (const [i, answer] of answers.entries()) {
    if (i > 0) await io.out('\n');
    await io.out(`${sentence(answer)}\n`);
    if (answer.online) await io.out(`\n${await drawTable(io, flags, answer.sessions, whoColumns())}`);
  }
}

const USER: Column<Row> = { name: 'USER', value: ({ user }) => user, shrink: true };

/** `cust01 is online: 2 sessions on 2 nodes` */
function sentence({ user, online, sessions }: Answer): string {
  if (!online) return `${visible(user)} is offline`;
  const nodes = new Set(sessions.flatMap(({ node }) => node ?? [])).size;
  const foreign = sessions.filter(({ node }) => node === null).length;
  const where = nodes > 0 ? ` on ${plural(nodes, 'node')}` : '';
  const kind =
    foreign === 0 ? '' : foreign === sessions.length ? ', foreign' : `, ${thousands(foreign)} of them foreign`;
  return `${visible(user)} is online: ${plural(sessions.length, 'session')}${where}${kind}`;
}
