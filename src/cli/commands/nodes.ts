/** `wssess nodes`: the servers that hold, or held in the last day, a lease. */
import type { Command } from 'commander';
import { EXIT } from '../../common/errors.ts';
import { formatAge, rfc3339 } from '../../common/time.ts';
import type { NodeState } from '../../sessions/nodes.ts';
import type { Io } from '../io.ts';
import { addOutput, addStore, type Flags, withSessions } from '../options.ts';
import type { Column } from '../output/columns.ts';
import { isForPrograms, print, thousands } from '../output/print.ts';

export function define(command: Command): void {
  addStore(command);
  addOutput(command);
  command.addHelpText(
    'after',
    `
Each wssess serve that lives, and those that were seen in the last day.

Columns:
  STATE     alive; draining: it takes no connections; gone: stopped or dead,
            and its sessions are taken away
  SESSIONS  as of its last sign of life; it gives one every 2 s
  CPU       share of one core, of which it can use no more
  LOOP      how late it does what is due: above 100 ms it is overloaded
  RSS       memory
  UP, SEEN  time since its start, and since its last sign of life
  URL       where its REST listens, and STOMP by WebSocket
-o wide adds what was counted since its start (CONNECTS, DISCONNECTS, KICKS,
MSGS_IN from clients, MSGS_OUT to them), HOST, PID, VERSION, and INCARNATION,
which is another one after each start.

Exit code 0, also when there are none; 5: Redis is unreachable.

Examples:
  wssess nodes
  wssess nodes -o name`,
  );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  const nodes = await withSessions(flags, io, (sessions) => sessions.nodes.list());
  const rows = nodes.map(toJson);
  await print(io, flags, { json: { nodes: rows }, rows, columns: COLUMNS, name: ({ node }) => node });
  if (rows.length === 0 && !isForPrograms(flags)) io.err('no nodes\n');
  return EXIT.ok;
}

type NodeRow = ReturnType<typeof toJson>;

function toJson({ name, alive, seenAt, info }: NodeState) {
  return {
    node: name,
    alive,
    seen_at: rfc3339(seenAt),
    incarnation: info?.incarnation ?? null,
    url: info?.url ?? null,
    host: info?.host ?? null,
    pid: info?.pid ?? null,
    version: info?.version ?? null,
    started_at: info?.started_at ?? null,
    /** As of its last renewal. */
    sessions: info?.sessions ?? null,
    /** It takes no connections. */
    draining: info ? info.draining === true : null,
    /** Since the start of the process. */
    connects: info?.connects ?? null,
    disconnects: info?.disconnects ?? null,
    kicks: info?.kicks ?? null,
    messages_in: info?.messages_in ?? null,
    messages_out: info?.messages_out ?? null,
    /** Between its last two renewals: milliseconds, the share of one core; bytes. */
    loop_delay_ms: info?.loop_delay_ms ?? null,
    cpu: info?.cpu ?? null,
    rss: info?.rss ?? null,
  };
}

const counted = (count: number | null) => (count === null ? '' : thousands(count));
const megabytes = (bytes: number) => `${thousands(Math.round(bytes / 1e6))} MB`;
const ago = (time: string | null) => (time ? formatAge(Date.now() - Date.parse(time)) : '');

const COLUMNS: Column<NodeRow>[] = [
  { name: 'NODE', value: (row) => row.node },
  {
    name: 'STATE',
    value: (row) => (!row.alive ? 'gone' : row.draining ? 'draining' : 'alive'),
    style: (row) => (!row.alive ? 'red' : row.draining ? 'yellow' : 'green'),
  },
  { name: 'SESSIONS', value: (row) => counted(row.sessions), align: 'right' },
  { name: 'CPU', value: (row) => (row.cpu === null ? '' : `${Math.round(row.cpu * 100)}%`), align: 'right' },
  { name: 'LOOP', value: (row) => (row.loop_delay_ms === null ? '' : `${row.loop_delay_ms} ms`), align: 'right' },
  { name: 'RSS', value: (row) => (row.rss === null ? '' : megabytes(row.rss)), align: 'right' },
  { name: 'UP', value: (row) => ago(row.started_at) },
  { name: 'SEEN', value: (row) => ago(row.seen_at) },
  { name: 'URL', value: (row) => row.url ?? '' },
  { name: 'CONNECTS', value: (row) => counted(row.connects), align: 'right', wide: true },
  { name: 'DISCONNECTS', value: (row) => counted(row.disconnects), align: 'right', wide: true },
  { name: 'KICKS', value: (row) => counted(row.kicks), align: 'right', wide: true },
  { name: 'MSGS_IN', value: (row) => counted(row.messages_in), align: 'right', wide: true },
  { name: 'MSGS_OUT', value: (row) => counted(row.messages_out), align: 'right', wide: true },
  { name: 'HOST', value: (row) => row.host ?? '', wide: true },
  { name: 'PID', value: (row) => (row.pid === null ? '' : String(row.pid)), align: 'right', wide: true },
  { name: 'VERSION', value: (row) => row.version ?? '', wide: true },
  { name: 'INCARNATION', value: (row) => row.incarnation ?? '', wide: true },
];
