/** `wssess refresh`: sets the TTL of sessions anew. */
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { read } from '../../common/settings.ts';
import { formatAge } from '../../common/time.ts';
import { inPages } from '../../sessions/owners.ts';
import { ensureWritable } from '../../sessions/schema.ts';
import { isSelective } from '../../sessions/selection.ts';
import type { Sessions } from '../../sessions/sessions.ts';
import { type Targets, targetsOf } from '../../sessions/targets.ts';
import type { Io } from '../io.ts';
import {
  addOutput,
  addSelection,
  addSettings,
  addStore,
  type Flags,
  formatOf,
  selectionOf,
  withSessions,
} from '../options.ts';
import type { Column } from '../output/columns.ts';
import { isForPrograms, NO_MATCH, print } from '../output/print.ts';

/** Sessions that are refreshed at the same time. */
const PAGE = 50;

export function define(command: Command): void {
  command.argument('[session...]', 'sessions to refresh; - reads ids from standard input, one a line');
  addStore(command);
  addSelection(command);
  addOutput(command);
  addSettings(command, 'ttl');
  command.addHelpText(
    'after',
    `
Without --ttl (or WSSESS_TTL) a session gets the TTL of its server again, a
foreign one 24h, also one whose key had no TTL: from then on it ends.

Exit code 0: all refreshed; 3: some; 1: none.

Example:
  wssess refresh 9fX2kQ7wTz1mVbLq --ttl 7d`,
  );
}

/** The published shape of one result; the TTL in seconds. */
interface Refreshed {
  session_id: string;
  refreshed: boolean;
  ttl: number | null;
}

export async function run(args: string[], flags: Flags, io: Io): Promise<number> {
  const ttl = read('ttl', flags, io.env);
  const isSaid = flags.ttl !== undefined || Boolean(io.env.WSSESS_TTL);
  const selection = await selectionOf(args, flags, io);
  if (!isSelective(selection)) {
    throw new WssessError('usage', 'no session is selected', {
      advice: 'Name ids, or select with --user, --role or --node.',
    });
  }
  const results = await withSessions(flags, io, async (sessions) =>
    refreshAll(sessions, await targetsOf(sessions.directory, selection), ttl, isSaid),
  );
  if (results.length === 0 && !isForPrograms(flags)) {
    io.err(NO_MATCH);
    return EXIT.no;
  }
  const rows = formatOf(flags) === 'name' ? results.filter(({ refreshed }) => refreshed) : results;
  await print(io, flags, { json: { results }, rows, columns: COLUMNS, name: (row) => row.session_id });
  const done = results.filter(({ refreshed }) => refreshed).length;
  if (done === 0) return EXIT.no;
  return done === results.length ? EXIT.ok : EXIT.partial;
}

async function refreshAll(
  { store, keys, registry }: Sessions,
  { found, missing }: Targets,
  ttl: number,
  isSaid: boolean,
): Promise<Refreshed[]> {
  if (found.length > 0) await ensureWritable(store, keys);
  const results: Refreshed[] = [];
  for (const page of inPages(found, PAGE)) {
    results.push(
      ...(await Promise.all(
        page.map(async (session) => {
          const given = isSaid ? ttl : (session.details?.ttl ?? ttl);
          const user = await registry.refresh(session, given);
          const refreshed = user !== undefined;
          return { session_id: session.id, refreshed, ttl: refreshed ? Math.round(given / 1000) : null };
        }),
      )),
    );
  }
  return [...results, ...missing.map((id) => ({ session_id: id, refreshed: false, ttl: null }))];
}

const COLUMNS: Column<Refreshed>[] = [
  { name: 'SESSION', value: ({ session_id }) => session_id },
  {
    name: 'REFRESHED',
    value: ({ refreshed }) => (refreshed ? 'yes' : 'not found'),
    style: ({ refreshed }) => (refreshed ? 'green' : 'red'),
  },
  { name: 'TTL', value: ({ ttl }) => (ttl === null ? '' : formatAge(ttl * 1000)) },
];
