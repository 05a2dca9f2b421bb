/** `wssess show SESSION`: all about one session. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { formatAge } from '../../common/time.ts';
import { askLive } from '../../sessions/live.ts';
import { type Live, type Row, toRow } from '../../sessions/model.ts';
import type { Io } from '../io.ts';
import { warnMissing } from '../nodes-missing.ts';
import { addOutput, addStore, type Flags, NODE_TIMEOUT, withSessions } from '../options.ts';
import { isForPrograms, plural, print, thousands } from '../output/print.ts';

export function define(command: Command): void {
  command.argument('<session>', 'id of the session');
  addStore(command);
  addOutput(command);
}

export async function run([id = '']: string[], flags: Flags, io: Io): Promise<number> {
  const { session, live, missing } = await withSessions(flags, io, async (sessions) => {
    const found = await sessions.directory.get(id);
    if (!found) throw new WssessError('session_not_found', `no live session has the id ${JSON.stringify(id)}`);
    const { facts, nodesMissing } = await askLive([found], { ...sessions, timeout: NODE_TIMEOUT });
    return { session: found, live: facts.get(id), missing: nodesMissing };
  });
  const row = toRow(session, live);
  if (isForPrograms(flags)) {
    const json = { ...row, client_data: null };
    await print(io, flags, { json, lines: [json], rows: [row], columns: [], name: ({ session_id }) => session_id });
  } else {
    await io.out(describe(row, live));
  }
  warnMissing(io, missing);
  return EXIT.ok;
}

/** A line a fact, in the order one asks: who, where, since when, doing what. */
function describe(row: Row, live: Live | undefined): string {
  const unknown = row.node === null ? 'not known: a foreign session' : 'not known: its node did not answer';
  const ago = (time: string) => `${time}, ${formatAge(Date.now() - Date.parse(time))} ago`;
  const traffic = (frames: number, octets: number) => `${plural(frames, 'frame')}, ${plural(octets, 'byte')}`;
  const facts: [string, string][] = [
    ['Session', row.session_id],
    ['User', row.user],
    ['Role', row.role ?? 'none'],
    ['Node', row.node ?? 'none: a foreign session, which another program wrote'],
    ['Address', row.ip === null ? unknown : `${row.ip} port ${row.port}`],
    ['Agent', row.user_agent ?? (row.node === null ? unknown : 'none given')],
    ['STOMP', row.version ?? unknown],
    ['Connected', row.connected_at ? ago(row.connected_at) : unknown],
    ['Idle', live ? formatAge(live.idle) : unknown],
    ['TTL', row.ttl === null ? 'none: the key has no end' : `${formatAge(row.ttl * 1000)} (${thousands(row.ttl)} s)`],
    ['Received', live ? traffic(live.recvCount, live.recvOctets) : unknown],
    ['Sent', live ? traffic(live.sendCount, live.sendOctets) : unknown],
    ['Subscriptions', live ? thousands(live.subscriptions) : unknown],
  ];
  const lines = facts.map(([name, value]) => `${`${name}:`.padEnd(15)}${visible(value)}`);
  const destinations = (live?.destinations ?? []).map((destination) => `${' '.repeat(15)}${visible(destination)}`);
  const more = (live?.subscriptions ?? 0) - destinations.length;
  if (more > 0) destinations.push(`${' '.repeat(15)}… ${thousands(more)} more`);
  return [...lines, ...destinations].map((line) => `${line}\n`).join('');
}
