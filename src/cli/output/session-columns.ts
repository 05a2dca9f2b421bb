/** The columns of sessions, for `ls`, `who` and whoever shows sessions in a table. */
import { formatAge } from '../../common/time.ts';
import type { Sort } from '../../sessions/listing.ts';
import type { Row } from '../../sessions/model.ts';
import { NO_NODE } from '../../sessions/selection.ts';
import { shortAgent } from './agent.ts';
import type { Column } from './columns.ts';

/** Seconds: a TTL that is nearer to its end stands out. */
const NEAR_END = 600;

const age = (seconds: number | null): string => (seconds === null ? '' : formatAge(seconds * 1000));
const count = (value: number | null): string => (value === null ? '' : String(value));

/** @param ghosts ids of sessions whose server is dead, where they are shown: their node is marked */
function columns(ghosts: ReadonlySet<string>) {
  return {
    session: { name: 'SESSION', value: (row) => row.session_id },
    user: { name: 'USER', value: (row) => row.user, shrink: true },
    role: { name: 'ROLE', value: (row) => row.role ?? '', shrink: true },
    node: {
      name: 'NODE',
      value: (row) => (ghosts.has(row.session_id) ? `${row.node} (dead)` : (row.node ?? NO_NODE)),
      style: (row) => (ghosts.has(row.session_id) ? 'red' : row.node === null ? 'dim' : undefined),
    },
    ip: { name: 'IP', value: (row) => row.ip ?? '' },
    connected: {
      name: 'CONNECTED',
      value: (row) => (row.connected_at ? formatAge(Date.now() - Date.parse(row.connected_at)) : ''),
    },
    idle: { name: 'IDLE', value: (row) => age(row.idle) },
    ttl: {
      name: 'TTL',
      value: (row) => (row.ttl === null ? 'none' : age(row.ttl)),
      style: (row) => (row.ttl !== null && row.ttl < NEAR_END ? 'yellow' : undefined),
    },
    subs: { name: 'SUBS', value: (row) => count(row.subscriptions), align: 'right' },
    received: { name: 'RECV', value: (row) => count(row.recv_cnt), align: 'right' },
    sent: { name: 'SENT', value: (row) => count(row.send_cnt), align: 'right' },
    receivedBytes: { name: 'RECV_OCT', value: (row) => count(row.recv_oct), align: 'right' },
    sentBytes: { name: 'SEND_OCT', value: (row) => count(row.send_oct), align: 'right' },
    version: { name: 'STOMP', value: (row) => row.version ?? '' },
    port: { name: 'PORT', value: (row) => count(row.port), align: 'right' },
    agent: { name: 'AGENT', value: (row) => shortAgent(row.user_agent ?? ''), shrink: true },
  } satisfies Record<string, Column<Row>>;
}

const wide = (column: Column<Row>): Column<Row> => ({ ...column, wide: true });

/**
 * `ls`: what Redis knows; what only nodes know comes with -o wide.
 * @param sort the column by which rows are sorted is always shown
 */
export function lsColumns(sort?: Sort, ghosts: ReadonlySet<string> = new Set()): Column<Row>[] {
  const c = columns(ghosts);
  const byName: Record<Sort, Column<Row>> = {
    session_id: c.session,
    user: c.user,
    role: c.role,
    node: c.node,
    ip: c.ip,
    connected_at: c.connected,
    idle: c.idle,
    ttl: c.ttl,
    version: c.version,
    subscriptions: c.subs,
    recv_cnt: c.received,
    send_cnt: c.sent,
    recv_oct: c.receivedBytes,
    send_oct: c.sentBytes,
  };
  const sorted = sort && byName[sort];
  const always = [c.session, c.user, c.role, c.node, c.ip, c.connected, c.ttl];
  const more = [c.idle, c.subs, c.received, c.sent, c.version, c.port, c.agent];
  const all = [...always, ...more.map((column) => (column === sorted ? column : wide(column)))];
  if (!sorted) return all;
  // Bytes have a column only when they are sorted by.
  const named = all.some(({ name }) => name === sorted.name) ? all : [...all, sorted];
  return named.map((column) => (column.name === sorted.name ? { ...column, keep: true } : column));
}

/** `who`: the sessions of one user. */
export function whoColumns(): Column<Row>[] {
  const c = columns(new Set());
  return [
    ...[c.session, c.role, c.node, c.ip, c.connected, c.idle, c.ttl],
    ...[c.subs, c.received, c.sent, c.version, c.port].map(wide),
    c.agent,
  ];
}
