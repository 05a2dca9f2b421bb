/** `wssess ls`: lists sessions, or with --by user the users. */
import { type Command, InvalidArgumentError } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { safeJson, visible } from '../../common/escape.ts';
import { EXACT } from '../../sessions/counts.ts';
import { type Listing, list, SORTS, type Sort, stream } from '../../sessions/listing.ts';
import { Presence } from '../../sessions/presence.ts';
import { find, type Selection } from '../../sessions/selection.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { targetsOf } from '../../sessions/targets.ts';
import type { Io } from '../io.ts';
import { lacking, warnLeftOut, warnUnanswered } from '../nodes-missing.ts';
import {
  addOutput,
  addSelection,
  addStore,
  countOption,
  type Flags,
  formatOf,
  intervalOption,
  selectionOf,
  withSessions,
} from '../options.ts';
import type { Column } from '../output/columns.ts';
import { exactness, since } from '../output/exactness.ts';
import { isForPrograms, type Printed, plural, render, thousands } from '../output/print.ts';
import { watch } from '../output/screen.ts';
import { lsColumns } from '../output/session-columns.ts';

/** Rows that a table on a terminal shows unless --limit says otherwise. */
const TERMINAL_LIMIT = 1000;
/** Milliseconds between frames. */
const INTERVAL = 2000;

export function define(command: Command): void {
  const oneOf =
    <T extends string>(choices: readonly T[]) =>
    (value: string): T => {
      const choice = choices.find((one) => one === value);
      if (!choice) throw new InvalidArgumentError(`Choose one of ${choices.join(', ')}.`);
      return choice;
    };
  command.argument('[session...]', 'only these; - reads ids from standard input');
  addStore(command);
  addSelection(command);
  addOutput(command);
  command
    .option('--sort <name>', `by ${SORTS.join(', ')}`, oneOf(SORTS))
    .option('--reverse', 'the other way round')
    .option('--limit <count>', `at most so many rows (a table on a terminal: ${TERMINAL_LIMIT})`, countOption)
    .option('--by <what>', 'user: the users online, and how many sessions each has', oneOf(['user']))
    .option('--watch', 'again and again, until Ctrl-C')
    .addOption(intervalOption('2s'))
    .addHelpText(
      'after',
      `
Newest first unless sorted; jsonl and name come as they are found, however
many there are. With wide, json, jsonl, and where the order needs it, the nodes
are asked for what only they know (idle, subscriptions, counters). With
--watch, json and jsonl give a line a frame.

Sessions whose server is dead are left out, also while nobody has removed them;
nodes_missing names it. A server that has been away for more than 8 s may only
seem so: then ls looks again after 4 s, before it leaves its sessions out.

Exit code 0; 1: an id that was named is not alive; 3: a node did not answer, or
is dead and was to be asked.

Examples:
  wssess ls --role AGENT --sort idle -o wide
  wssess ls --node chat-1 -o name | wssess kick - --yes`,
    );
}

export async function run(args: string[], flags: Flags, io: Io): Promise<number> {
  const selection = await selectionOf(args, flags, io);
  if (!flags.watch) {
    return withSessions(flags, io, (sessions) =>
      flags.by ? listUsers(sessions, selection, flags, io) : listSessions(sessions, selection, flags, io),
    );
  }
  if (formatOf(flags) === 'name') throw new WssessError('usage', '--watch has no frames of names');
  const between = isForPrograms(flags) ? '' : '\n';
  await withSessions(flags, io, (sessions) => {
    const presence = new Presence(sessions);
    return watch(
      io,
      {
        interval: (flags.interval as number | undefined) ?? INTERVAL,
        between,
        onScreen: io.tty && !isForPrograms(flags),
      },
      () => frame(sessions, selection, flags, io, presence),
    );
  });
  return EXIT.ok;
}

async function listSessions(sessions: Sessions, selection: Selection, flags: Flags, io: Io): Promise<number> {
  const streams = ['jsonl', 'name'].includes(formatOf(flags)) && !flags.sort && !flags.reverse;
  const wanted = { selection, limit: limitOf(flags, io), live: needsNodes(flags) };
  const presence = new Presence(sessions);
  const listed = streams
    ? await stream(sessions, wanted, presence, async (rows) =>
        io.out(await render(io, flags, printed({ ...NONE, rows }, flags))),
      )
    : await list(sessions, { ...wanted, ...order(flags) }, presence);
  if (!streams) await io.out(await render(io, flags, printed(listed as Listing, flags)));
  const missing = selection.ids ? (await targetsOf(sessions.directory, selection)).missing : [];
  if (selection.ids) missing.push(...listed.leftOut.ids);
  tellRest(listed, missing, wanted.limit, flags, io);
  warnUnanswered(io, listed.unanswered);
  warnLeftOut(io, listed.leftOut);
  if (missing.length > 0) return EXIT.no;
  return listed.nodesMissing.length > 0 ? EXIT.partial : EXIT.ok;
}

/** What the rows don't say, on standard error. */
function tellRest(
  { total, skipped, ...exact }: Pick<Listing, 'total' | 'skipped' | 'exact' | 'asOf'>,
  missing: string[],
  limit: number,
  flags: Flags,
  io: Io,
): void {
  if (missing.length > 0) io.err(`not found: ${missing.map(visible).join(', ')}\n`);
  else if (total === 0 && !isForPrograms(flags)) io.err('no sessions\n');
  tellLimit(limit, total, 'session', flags, io, since(exact));
  if (skipped > 0 && formatOf(flags) !== 'json') {
    io.err(
      `${plural(skipped, 'entry', 'entries')} skipped: ids that can't be a session's, or keys of another type (wssess doctor)\n`,
    );
  }
}

async function listUsers(sessions: Sessions, selection: Selection, flags: Flags, io: Io): Promise<number> {
  const limit = limitOf(flags, io);
  const presence = new Presence(sessions);
  const users = await usersOf(sessions, selection, presence);
  await io.out(await render(io, flags, printedUsers(users.slice(0, limit))));
  if (users.length === 0 && !isForPrograms(flags)) io.err(NO_USERS);
  tellLimit(limit, users.length, 'user', flags, io);
  warnLeftOut(io, presence.leftOut);
  return EXIT.ok;
}

/** How many are not shown. */
function tellLimit(limit: number, total: number, what: string, flags: Flags, io: Io, since = ''): void {
  if (total > limit && !isForPrograms(flags)) {
    io.err(`${thousands(limit)} of ${plural(total, what)} shown; --limit shows more${since}\n`);
  }
}

/** One frame of --watch. */
async function frame(
  sessions: Sessions,
  selection: Selection,
  flags: Flags,
  io: Io,
  presence: Presence,
): Promise<string> {
  const limit = limitOf(flags, io);
  if (flags.by) {
    const shown = printedUsers((await usersOf(sessions, selection, presence)).slice(0, limit));
    if (isForPrograms(flags)) return `${safeJson(shown.json)}\n`;
    return shown.rows.length > 0 ? render(io, flags, shown) : NO_USERS;
  }
  const listing = await list(sessions, { selection, limit, live: needsNodes(flags), ...order(flags) }, presence);
  const shown = printed(listing, flags);
  if (isForPrograms(flags)) return `${safeJson(shown.json)}\n`;
  const missing = lacking(listing.unanswered, listing.leftOut);
  const head = `${new Date().toTimeString().slice(0, 8)}  ${plural(listing.total, 'session')}${since(listing)}${missing}\n`;
  return head + (await render(io, flags, shown));
}

const NO_USERS = 'no users\n';
const NONE: Listing = {
  rows: [],
  total: 0,
  skipped: 0,
  ...EXACT,
  nodesMissing: [],
  unanswered: [],
  leftOut: { ids: [], nodes: [] },
};

function printed(
  { rows, total, skipped, exact, asOf, nodesMissing }: Listing,
  flags: Flags,
): Printed<Listing['rows'][number]> {
  return {
    json: {
      complete: nodesMissing.length === 0 && rows.length === total,
      ...exactness({ exact, asOf }),
      total,
      skipped,
      nodes_missing: nodesMissing,
      sessions: rows,
    },
    rows,
    columns: lsColumns(flags.sort as Sort | undefined),
    name: (row) => row.session_id,
  };
}

interface UserCount {
  user: string;
  session_count: number;
}

/** The users online, those with the most sessions first. */
async function usersOf({ directory }: Sessions, selection: Selection, presence: Presence): Promise<UserCount[]> {
  const counts = new Map<string, number>();
  for await (const { sessions } of presence.online(find(directory, selection))) {
    for (const { user } of sessions) counts.set(user, (counts.get(user) ?? 0) + 1);
  }
  return [...counts]
    .map(([user, session_count]) => ({ user, session_count }))
    .sort((a, b) => b.session_count - a.session_count || (a.user < b.user ? -1 : 1));
}

function printedUsers(users: UserCount[]): Printed<UserCount> {
  return { json: { users }, rows: users, columns: USER_COLUMNS, name: ({ user }) => user };
}

const USER_COLUMNS: Column<UserCount>[] = [
  { name: 'USER', value: ({ user }) => user, shrink: true },
  { name: 'SESSIONS', value: ({ session_count }) => thousands(session_count), align: 'right' },
];

function order(flags: Flags): { sort: Sort | undefined; reverse: boolean } {
  return { sort: flags.sort as Sort | undefined, reverse: flags.reverse === true };
}

function limitOf(flags: Flags, io: Io): number {
  const unsaid = io.tty && !isForPrograms(flags) ? TERMINAL_LIMIT : Number.POSITIVE_INFINITY;
  return (flags.limit as number | undefined) ?? unsaid;
}

function needsNodes(flags: Flags): boolean {
  return ['wide', 'json', 'jsonl'].includes(formatOf(flags));
}
