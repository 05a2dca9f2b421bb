/** `wssess stats`: counts, once or a line a second. */
import type { Command } from 'commander';
import { EXIT } from '../../common/errors.ts';
import { safeJson } from '../../common/escape.ts';
import type { Frame } from '../../sessions/overview.ts';
import { Presence } from '../../sessions/presence.ts';
import { type Change, Rates } from '../../sessions/rates.ts';
import { NO_NODE, NO_ROLE } from '../../sessions/selection.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { countAll, type Stats } from '../../sessions/stats.ts';
import { Surveyor, type Unindexed } from '../../sessions/surveyor.ts';
import type { Io } from '../io.ts';
import { warnLeftOut } from '../nodes-missing.ts';
import { addOutput, addStore, type Flags, intervalOption, withSessions } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { exactness, since } from '../output/exactness.ts';
import { drawTable, isForPrograms, print, thousands } from '../output/print.ts';
import { repeat } from '../output/repeat.ts';

/** Milliseconds between lines. */
const INTERVAL = 1000;

export function define(command: Command): void {
  addStore(command);
  addOutput(command, ['table', 'wide', 'json', 'jsonl']);
  command
    .option('--watch', 'a line a second, until Ctrl-C')
    .addOption(intervalOption('1s'))
    .addHelpText(
      'after',
      `
Sessions by node and by role; '${NO_NODE}' are those that another program wrote.
Those whose server is dead are not counted, also while nobody has removed them.
In a pipe the totals are on standard error, and the table alone on standard
output. With --watch, json and jsonl give a line a count.

Exit code 0, also when nobody is there; 5: Redis is unreachable.

Examples:
  wssess stats
  wssess stats -o json | jq .users
  wssess stats --watch --interval 5s`,
    );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  await withSessions(flags, io, (sessions) =>
    flags.watch ? watchCounts(sessions, flags, io) : printCounts(sessions, flags, io),
  );
  return EXIT.ok;
}

/** The published shape. Rooms come with a later version: there are none to count. */
function published({ at, exact, asOf, sessions, users, nodes, byNode, byRole }: Stats) {
  return {
    at: new Date(at).toISOString(),
    ...exactness({ exact, asOf }),
    sessions,
    users,
    nodes,
    by_node: Object.fromEntries(byNode),
    by_role: Object.fromEntries(byRole),
    by_room: {},
  };
}

async function printCounts(sessions: Sessions, flags: Flags, io: Io): Promise<void> {
  const presence = new Presence(sessions);
  const stats = await countAll(sessions, presence);
  if (isForPrograms(flags)) {
    const json = published(stats);
    await print(io, flags, { json, lines: [json], rows: [], columns: [], name: () => '' });
  } else await printTable(stats, flags, io);
  warnLeftOut(io, presence.leftOut);
}

async function printTable(stats: Stats, flags: Flags, io: Io): Promise<void> {
  const groups: Group[] = [
    ...grouped('node', stats.byNode),
    ...grouped('node', new Map([[NO_NODE, stats.foreign]])),
    ...grouped('role', stats.byRole),
    ...grouped('role', new Map([[NO_ROLE, stats.withoutRole]])),
  ];
  const drawn = await drawTable(io, flags, groups, COLUMNS);
  const totals = `${line(stats)}${since(stats)}\n`;
  if (flags.headers === false) return io.out(drawn);
  if (io.tty) return io.out(drawn === '' ? totals : `${totals}\n${drawn}`);
  io.err(totals); // a pipe gets the table alone
  await io.out(drawn);
}

/** A line a second. For programs each line is a whole count; for people the counts that nodes and indexes keep. */
async function watchCounts(sessions: Sessions, flags: Flags, io: Io): Promise<void> {
  const interval = (flags.interval as number | undefined) ?? INTERVAL;
  const presence = new Presence(sessions);
  const count = () => countAll(sessions, presence);
  if (isForPrograms(flags)) {
    await repeat(io, interval, async () => io.out(`${safeJson(published(await count()))}\n`));
    return;
  }
  const surveyor = new Surveyor(sessions);
  const rates = new Rates();
  try {
    await repeat(io, interval, async () => {
      const { frame, isDoubtful } = await presence.frame();
      const change = rates.next(frame.nodes);
      const counts = isDoubtful ? { ...(await count()), isWhole: true } : added(frame, await surveyor.unindexed(frame));
      await io.out(`${watchLine(frame, counts, change)}\n`);
    });
  } finally {
    surveyor.stop();
  }
}

interface Total {
  sessions: number;
  users: number;
  /** False where there may be more. */
  isWhole: boolean;
}

function added({ own, users }: Frame, other: Unindexed): Total {
  return { sessions: own + other.sessions, users: users + other.users, isWhole: other.whole };
}

/** `14:27:01  sessions 12,408 (+14 −9)  users 9,877  nodes 3  msgs/s 3,310  redis 0.4 ms` */
function watchLine({ at, nodes, took }: Frame, { sessions, users, isWhole }: Total, change: Change): string {
  const moved = [
    change.connects ? `+${thousands(change.connects)}` : '',
    change.disconnects ? `−${thousands(change.disconnects)}` : '',
  ].filter(Boolean);
  // A count that a survey hasn't come to the end of is at least this.
  const count = (number: number) => `${thousands(number)}${isWhole ? '' : '+'}`;
  const parts = [
    new Date(at).toTimeString().slice(0, 8),
    `sessions ${count(sessions)}${moved.length > 0 ? ` (${moved.join(' ')})` : ''}`,
    `users ${count(users)}`,
    `nodes ${thousands(nodes.filter(({ alive }) => alive).length)}`,
    `msgs/s ${change.messages === null ? '-' : thousands(Math.round(change.messages))}`,
    `redis ${took.toFixed(1)} ms`,
  ];
  return parts.join('  ');
}

/** `sessions 12,408  users 9,877  nodes 3` */
function line({ sessions, users, nodes }: Stats): string {
  return `sessions ${thousands(sessions)}  users ${thousands(users)}  nodes ${thousands(nodes)}`;
}

interface Group {
  by: string;
  name: string;
  sessions: number;
}

function grouped(by: string, counts: ReadonlyMap<string, number>): Group[] {
  return [...counts]
    .filter(([, sessions]) => sessions > 0)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([name, sessions]) => ({ by, name, sessions }));
}

const COLUMNS: Column<Group>[] = [
  { name: 'BY', value: ({ by }) => by },
  { name: 'NAME', value: ({ name }) => name, shrink: true },
  { name: 'SESSIONS', value: ({ sessions }) => thousands(sessions), align: 'right' },
];
