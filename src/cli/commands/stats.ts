/** `wssess stats`: counts, once or a line a second. */
import type { Command } from 'commander';
import { EXIT } from '../../common/errors.ts';
import { safeJson } from '../../common/escape.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { countAll, type Stats } from '../../sessions/stats.ts';
import type { Io } from '../io.ts';
import { addOutput, addStore, type Flags, intervalOption, withSessions } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { drawTable, isForPrograms, print, thousands } from '../output/print.ts';
import { repeat } from '../output/repeat.ts';

/** Milliseconds between lines. */
const INTERVAL = 1000;

export function define(command: Command): void {
  addStore(command);
  addOutput(command, ['table', 'wide', 'json', 'jsonl']);
  command.option('--watch', 'a line a second, until Ctrl-C').addOption(intervalOption('1s'));
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  await withSessions(flags, io, (sessions) =>
    flags.watch ? watchCounts(sessions, flags, io) : printCounts(sessions, flags, io),
  );
  return EXIT.ok;
}

/** The published shape. Rooms come with a later version: there are none to count. */
function published({ at, sessions, users, nodes, byNode, byRole }: Stats) {
  return {
    at: new Date(at).toISOString(),
    exact: true,
    sessions,
    users,
    nodes,
    by_node: Object.fromEntries(byNode),
    by_role: Object.fromEntries(byRole),
    by_room: {},
  };
}

async function printCounts(sessions: Sessions, flags: Flags, io: Io): Promise<void> {
  const stats = await countAll(sessions);
  if (isForPrograms(flags)) {
    const json = published(stats);
    return print(io, flags, { json, lines: [json], rows: [], columns: [], name: () => '' });
  }
  const groups: Group[] = [
    ...grouped('node', stats.byNode),
    ...grouped('node', new Map([['(foreign)', stats.foreign]])),
    ...grouped('role', stats.byRole),
    ...grouped('role', new Map([['(none)', stats.withoutRole]])),
  ];
  await io.out(`${line(stats)}\n`);
  if (groups.length > 0) await io.out(`\n${await drawTable(io, flags, groups, COLUMNS)}`);
}

/** A line a second: how many there are, and by how many more or fewer than a line before. */
async function watchCounts(sessions: Sessions, flags: Flags, io: Io): Promise<void> {
  let before: number | undefined;
  await repeat(io, (flags.interval as number | undefined) ?? INTERVAL, async () => {
    const asked = performance.now();
    await sessions.store.call('PING');
    const latency = performance.now() - asked;
    const stats = await countAll(sessions);
    const change = before === undefined ? 0 : stats.sessions - before;
    before = stats.sessions;
    if (isForPrograms(flags)) return io.out(`${safeJson(published(stats))}\n`);
    const time = new Date(stats.at).toTimeString().slice(0, 8);
    await io.out(`${time}  ${line(stats, change)}  redis ${latency.toFixed(1)} ms\n`);
  });
}

/** `sessions 12,408 (+5)  users 9,877  nodes 3` */
function line({ sessions, users, nodes }: Stats, change = 0): string {
  const by = change === 0 ? '' : ` (${change > 0 ? '+' : '−'}${thousands(Math.abs(change))})`;
  return `sessions ${thousands(sessions)}${by}  users ${thousands(users)}  nodes ${thousands(nodes)}`;
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
