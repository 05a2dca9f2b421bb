/** `wssess show SESSION`: all about one session. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { visible } from '../../common/escape.ts';
import { formatAge } from '../../common/time.ts';
import { askLive } from '../../sessions/live.ts';
import { type Live, type Row, toRow } from '../../sessions/model.ts';
import { Presence } from '../../sessions/presence.ts';
import type { Io } from '../io.ts';
import { warnLeftOut, warnUnanswered } from '../nodes-missing.ts';
import { addOutput, addStore, type Flags, withSessions } from '../options.ts';
import { isForPrograms, plural, print, thousands } from '../output/print.ts';

export function define(command: Command): void {
  command.argument('<session>', 'id of the session');
  addStore(command);
  addOutput(command);
  command.addHelpText(
    'after',
    '\nA session whose server is dead is shown as long as nobody has removed it, with\nthat state: it is not online (cause node_lost in json).\n\nExit code 0; 1: no such session, or its server is dead; 3: its node did not\nanswer, so that some of it is not known.\n\nExample:\n  wssess show 9fX2kQ7wTz1mVbLq',
  );
}

export async function run([id = '']: string[], flags: Flags, io: Io): Promise<number> {
  const { session, isGone, leftOut, told } = await withSessions(flags, io, async (sessions) => {
    const found = await sessions.directory.get(id);
    const presence = new Presence(sessions);
    const [online] = found ? await presence.only([found]) : [];
    const shown = online ?? (presence.leftOut.ids.length > 0 ? found : undefined);
    if (!shown) throw new WssessError('session_not_found', `no live session has the id ${JSON.stringify(id)}`);
    return {
      session: shown,
      isGone: !online,
      leftOut: presence.leftOut,
      told: await askLive(online ? [online] : [], sessions),
    };
  });
  const live = told.facts.get(id);
  const row: Row = { ...toRow(session, live), cause: isGone ? 'node_lost' : null };
  if (isForPrograms(flags)) {
    const json = { ...row, client_data: null };
    await print(io, flags, { json, lines: [json], rows: [row], columns: [], name: ({ session_id }) => session_id });
  } else {
    await io.out(await describe(row, live, isGone, io));
  }
  warnUnanswered(io, told.nodesMissing);
  warnLeftOut(io, leftOut);
  if (isGone) return EXIT.no;
  return told.nodesMissing.length > 0 ? EXIT.partial : EXIT.ok;
}

/** A line a fact, in the order one asks: who, where, since when, doing what. */
async function describe(row: Row, live: Live | undefined, isGone: boolean, io: Io): Promise<string> {
  const own = row.node === null ? [] : factsOfNode(row, live, isGone);
  const facts: [string, string][] = [
    ['Session', row.session_id],
    ['User', row.user],
    ['Role', row.role ?? 'none'],
    [
      'Node',
      isGone
        ? `${row.node} (dead)`
        : (row.node ?? 'none: a foreign session, of which its own program alone knows more'),
    ],
    ['TTL', row.ttl === null ? 'none: the key has no end' : `${formatAge(row.ttl * 1000)} (${thousands(row.ttl)} s)`],
    ...own,
  ];
  const more = (live?.subscriptions ?? 0) - (live?.destinations.length ?? 0);
  const destinations = [...(live?.destinations ?? []), ...(more > 0 ? [`… ${thousands(more)} more`] : [])];
  // On a terminal what is too long goes on below itself; in a pipe a fact is a line.
  const { wrapToWidth } = await import('../output/width.ts');
  const width = io.tty ? Math.max(LEAST, io.size().columns - WIDTH) : Number.POSITIVE_INFINITY;
  const lines = ([name, value]: [string, string]) =>
    wrapToWidth(visible(value), width).map((line, i) => `${(i === 0 ? name : '').padEnd(WIDTH)}${line}\n`);
  const below = destinations.map((destination): [string, string] => ['', destination]);
  return [...facts.map(([name, value]): [string, string] => [`${name}:`, value]), ...below].flatMap(lines).join('');
}

/** Columns that the names of the facts take. */
const WIDTH = 15;
/** Columns that a value takes at least, on however narrow a terminal. */
const LEAST = 20;

function factsOfNode(row: Row, live: Live | undefined, isGone: boolean): [string, string][] {
  const unknown = `not known: its node ${isGone ? 'is dead' : 'did not answer'}`;
  const traffic = (frames: number, octets: number) => `${plural(frames, 'frame')}, ${plural(octets, 'byte')}`;
  return [
    ['Address', `${row.ip} port ${row.port}`],
    ['Agent', row.user_agent ?? 'none given'],
    ['STOMP', row.version ?? ''],
    ['Connected', `${row.connected_at}, ${formatAge(Date.now() - Date.parse(row.connected_at ?? ''))} ago`],
    ['Idle', live ? formatAge(live.idle) : unknown],
    ['Received', live ? traffic(live.recvCount, live.recvOctets) : unknown],
    ['Sent', live ? traffic(live.sendCount, live.sendOctets) : unknown],
    ['Subscriptions', live ? thousands(live.subscriptions) : unknown],
  ];
}
